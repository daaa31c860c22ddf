package import Telemetry
package import Wire

/// A node's connection to the scheduler: it says hello until it is welcomed, then shows that it lives.
///
/// Belongs to the node's control thread.
package final class SchedulerLink {
    /// The scheduler has not been heard of for too long, or the node was told to stop before it had a place.
    package enum Lost: FailureCausing, CustomStringConvertible {
        /// Seconds of silence, and why as far as that can be found out.
        case silent(endpoint: String, seconds: Int, why: String)
        /// The scheduler will not have this node.
        case refused(String)
        /// The job ended before this node was part of it.
        case stopped(String)
        /// The scheduler speaks another version of the protocol.
        case version(endpoint: String, UInt8)
        /// The scheduler does not know this node's key.
        case keyNotAllowed(endpoint: String, PublicKey)
        /// Whoever listens there does not hold the key that this node takes for the scheduler's.
        case wrongSchedulerKey(endpoint: String, PublicKey)
        /// One side encrypts, the other does not.
        case plaintext(endpoint: String, nodeHasKeys: Bool)
        /// The process is to end, and the scheduler does not say when.
        case left(endpoint: String, Departure.Signal)

        package var cause: FailureReport.Cause {
            switch self {
            case .silent: .unreachable
            case .refused(let reason):
                reason.contains("same release") ? .version : reason.contains("cannot reach") ? .unreachable : .config
            case .stopped, .left: .other
            case .version: .version
            case .keyNotAllowed, .wrongSchedulerKey, .plaintext: .keys
            }
        }

        package var isConsequence: Bool {
            switch self {
            case .silent, .stopped, .left: true
            case .refused, .version, .keyNotAllowed, .wrongSchedulerKey, .plaintext: false
            }
        }

        package var description: String {
            switch self {
            case .silent(let endpoint, seconds: 0, let why): "the scheduler at \(endpoint) cannot be reached: \(why)"
            case .silent(let endpoint, let seconds, let why):
                "the scheduler at \(endpoint) has been silent for \(seconds) s: \(why)"
            case .refused(let reason), .stopped(let reason): reason
            case .version(let endpoint, let found):
                "the scheduler at \(endpoint) speaks version \(found) of the protocol, this process \(Header.version): "
                    + "run the same release everywhere"
            case .keyNotAllowed(let endpoint, let key):
                "the scheduler at \(endpoint) does not allow this node's key \(key): run `myriad keys allow \(key)` on "
                    + "its machine, or give this node the keys of that cluster"
            case .wrongSchedulerKey(let endpoint, let key):
                "whoever listens at \(endpoint) hung up on every handshake: it does not hold the key \(key.short) that "
                    + "scheduler.pub names. It is another cluster's scheduler, its keys were made anew, or it is no "
                    + "scheduler at all: copy scheduler.pub from its key directory"
            case .plaintext(let endpoint, let nodeHasKeys):
                nodeHasKeys
                    ? "the scheduler at \(endpoint) does not encrypt, this node does: start the scheduler with --keys, or "
                        + "this node without keys"
                    : "the scheduler at \(endpoint) encrypts, this node has no keys: give it their directory with --keys"
            case .left(let endpoint, let signal):
                "left at \(signal.name), without an answer of the scheduler at \(endpoint)"
            }
        }
    }

    /// Handshakes that may break off before the key is taken for wrong: one may be bad luck.
    private static let brokenHandshakes = 3
    private static let helloEvery = Duration.seconds(1)
    private static let beatEvery = Duration.milliseconds(500)

    /// The socket, for a poller.
    package let socket: Socket
    /// The header under which this node sends, complete once it is welcomed.
    package private(set) var identity: Header
    private let endpoint: String
    private let hello: Hello
    private let key: PublicKey?
    private let wait: Duration
    private let silence: Duration
    private let departure: Departure
    private var hasToldDeparture = false
    private let limits = Limits()
    private var sent: ContinuousClock.Instant?
    private var heard = ContinuousClock.now
    private var wasHeard = false
    private var isWelcome = false
    private var otherVersion: UInt8?
    /// What this node waits for; its control thread adds its own.
    package var waits: WaitClock
    /// What came together with the welcome, and is for whoever comes after `join`.
    private var kept: [Control] = []

    /// Connects.
    ///
    /// - Parameters:
    ///   - key: the scheduler's, where both encrypt.
    ///   - wait: how long a scheduler that was never heard of is waited for.
    ///   - silence: how long one that was heard of may say nothing.
    package init(
        to endpoint: String, in context: Context, key: PublicKey?, hello: Hello, wait: Duration, silence: Duration,
        departure: Departure = Departure()
    ) throws(TransportError) {
        socket = try Socket.connect(to: endpoint, in: context, key: key)
        self.endpoint = endpoint
        self.key = key
        self.hello = hello
        self.wait = wait
        self.silence = silence
        self.departure = departure
        waits = WaitClock(who: "\(hello.role)\(hello.wantedRank.map { " \($0)" } ?? "")")
        identity = Header(
            .hello, role: hello.role, rank: UInt16(hello.wantedRank ?? 0), incarnation: .random(in: 1...UInt32.max),
            job: 0, epoch: 0)
    }

    /// Sends a message to the scheduler.
    package func send(_ control: Control) { socket.send(control.message(identity)) }

    /// Sends scores, whose frames are no JSON.
    package func send(_ message: Message) { socket.send(message) }

    /// Everything that has come from the scheduler; what cannot be read is dropped.
    package func receive() -> [Control] {
        var controls = kept
        kept = []
        while let received = socket.receive() {
            if case .otherVersion(let version, _) = received { otherVersion = version }
            guard case .message(let message, _) = received,
                let control = try? Control(decoding: message, limits: limits)
            else { continue }
            heard = .now
            wasHeard = true
            if case .welcome(let welcome) = control {
                guard !isWelcome else { continue }
                isWelcome = true
                identity.job = welcome.job
                identity.rank = UInt16(welcome.rank)
                identity.epoch = UInt32(welcome.epoch)
                waits.who = "\(hello.role) \(welcome.rank)"
            }
            controls.append(control)
        }
        return controls
    }

    /// Says hello or shows a sign of life when it is time; throws when the scheduler has been silent for too long.
    package func tick(step: Int, state: String) throws(Lost) {
        let now = ContinuousClock.now
        if let otherVersion { throw .version(endpoint: endpoint, otherVersion) }
        if let lost = brokenHandshake { throw lost }
        tellWaits(at: now)
        let patience = wasHeard ? silence : wait
        if heard.duration(to: now) > patience {
            if let notice = departure.notice { throw .left(endpoint: endpoint, notice.signal) }
            throw .silent(endpoint: endpoint, seconds: Int(patience / .seconds(1)), why: silenceReason)
        }
        try tellDeparture(at: now)
        if let sent, sent.duration(to: now) < (isWelcome ? Self.beatEvery : Self.helloEvery) { return }
        sent = now
        // Told again with every sign of life: a message may be lost.
        hasToldDeparture = false
        send(isWelcome ? .heartbeat(Heartbeat(step: step, state: state)) : .hello(hello))
    }

    /// What the connection's end says of keys, before the scheduler was ever heard of.
    private var brokenHandshake: Lost? {
        guard !wasHeard, let counts = socket.log?.counts, counts.handshakes == 0 else { return nil }
        if counts.count(.plaintext) > 0 { return .plaintext(endpoint: endpoint, nodeHasKeys: key != nil) }
        if counts.count(.unknownKey) > 0, let own = socket.identity {
            return .keyNotAllowed(endpoint: endpoint, own)
        }
        let broken = counts.count(.abandoned) + counts.count(.garbage)
        guard broken >= Self.brokenHandshakes, let address = try? Endpoint(endpoint) else { return nil }
        // Which of both is wrong, the mechanism or the key, the other side says itself.
        switch Reachability.mechanism(of: address) {
        case "NULL" where key != nil, "CURVE" where key == nil:
            return .plaintext(endpoint: endpoint, nodeHasKeys: key != nil)
        case "CURVE": return key.map { .wrongSchedulerKey(endpoint: endpoint, $0) }
        default: return nil
        }
    }

    /// Why nothing is heard; takes up to two seconds.
    private var silenceReason: String {
        guard let counts = socket.log?.counts, let address = try? Endpoint(endpoint) else {
            return "is it running, and is the address right?"
        }
        if counts.handshakes == 0, counts.connections > 0, Reachability.mechanism(of: address) == nil {
            return "something listens there that is no ZeroMQ socket: is the port right?"
        }
        if counts.handshakes > 0, counts.apart == nil {
            return wasHeard
                ? "the connection stands, but nothing comes: it is stopped or hangs, or its machine or network is down"
                : "it accepts the connection but is no scheduler of Myriad: is the port right?"
        }
        return Reachability.explain(address)
    }

    /// Asks the scheduler to end the job when this process is to end; leaves by itself when nobody answers.
    private func tellDeparture(at time: ContinuousClock.Instant) throws(Lost) {
        guard let notice = departure.notice else { return }
        if !hasToldDeparture {
            hasToldDeparture = true
            send(.leaving(Leaving(isInterrupt: notice.signal == .interrupt)))
        }
        // Who waits for its welcome has nothing to lose, and may be waiting for nobody.
        let patience = isWelcome ? Departure.patience : Departure.patienceBeforeWelcome
        guard notice.time + patience < time, !isWelcome || heard + patience < time else { return }
        throw .left(endpoint: endpoint, notice.signal)
    }

    /// Prints what has been waited for too long; the scheduler's silence is a wait of its own.
    private func tellWaits(at time: ContinuousClock.Instant) {
        let name =
            isWelcome
            ? "a sign of life of the scheduler at \(endpoint)" : "the scheduler at \(endpoint) and its welcome"
        // A scheduler that answers a heartbeat is not waited for; before the welcome there is nothing else to wait for.
        let isQuiet = heard.duration(to: time) > Self.beatEvery * 4
        waits.note("scheduler", isQuiet || !isWelcome ? name : nil, since: isWelcome ? heard : nil, at: time)
        for line in waits.lines(at: time) { StandardError.line(line) }
    }

    /// Says the last word and waits until the scheduler has heard it, at most two seconds: a process that ends takes with
    /// it what its sockets have not sent yet.
    ///
    /// - Returns: whether the job is done, as far as the scheduler says so: one that does not answer may come back.
    package func leave(_ report: NodeReport) -> Bool {
        let nothing = Inbox<Int>()
        var poller = Poller([socket], nothing)
        for _ in 0..<4 {
            send(.stopped(report))
            let deadline = ContinuousClock.now + .milliseconds(500)
            while .now < deadline {
                poller.wait(.milliseconds(100))
                for case .stop(let stop) in receive() where stop.isFarewell { return stop.isUnfinished != true }
            }
        }
        return false
    }

    /// Waits for the welcome.
    package func join() throws(Lost) -> Welcome {
        let nothing = Inbox<Int>()
        var poller = Poller([socket], nothing)
        while true {
            try tick(step: 0, state: "joining")
            poller.wait(.milliseconds(200))
            let controls = receive()
            for (number, control) in controls.enumerated() {
                switch control {
                case .welcome(let welcome):
                    kept = Array(controls[(number + 1)...])
                    return welcome
                case .stop(let stop): throw stop.isRefusal == true ? .refused(stop.reason) : .stopped(stop.reason)
                default: break
                }
            }
        }
    }
}
