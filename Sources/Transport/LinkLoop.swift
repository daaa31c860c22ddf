import Synchronization
import Telemetry
import Wire

/// The thread of a link: the socket to the scheduler, the session over it, and what its silence means.
struct LinkLoop {
    /// Handshakes that may break off before the key is taken for wrong: some may be bad luck, or a bad network.
    private static let brokenHandshakes = 3
    /// How long a link that is closed waits for acknowledgements.
    private static let closing = Duration.seconds(1)

    let socket: Socket
    var session: NodeSession
    let shared: SchedulerLink.Shared
    let endpoint: String
    let key: PublicKey?
    let departure: Departure
    var hasToldDeparture: ContinuousClock.Instant?
    var otherVersion: UInt8?
    /// What is wrong with a message of the scheduler that has to be read.
    var unreadable: WireError?
    var isClosing = false
    /// Handshakes that had broken off when somebody was first seen who encrypts.
    var brokenBefore: Int?

    /// Serves until the link is closed or the scheduler is lost.
    mutating func run() {
        var poller = Poller([socket], shared.orders)
        while !isClosing {
            turn()
            do {
                try look(at: .now)
            } catch {
                shared.events.post(.failure(error))
                break
            }
            poller.wait(.milliseconds(200))
        }
        // What was sent last, a farewell's acknowledgement or why the node failed, has to arrive.
        let deadline = ContinuousClock.now + Self.closing
        repeat {
            turn()
            if session.isWelcome { socket.send(session.beat) }
            if session.isSettled || session.isLost(at: .now) { return }
            poller.wait(.milliseconds(100))
        } while .now < deadline
    }

    /// Sends what the node and the clock ask for, and takes what has come.
    private mutating func turn() {
        session.activity = shared.activity.withLock { $0 }
        for order in shared.orders.take() {
            switch order {
            case .send(let message): socket.send(session.send(message, at: .now))
            case .close: isClosing = true
            }
        }
        var budget = TurnBudget()
        while let received = socket.receive(within: &budget) {
            if case .otherVersion(let version, _) = received { otherVersion = version }
            guard case .message(let message, _) = received, let control = take(message) else { continue }
            if case .welcome = control {
                let identity = session.identity
                shared.identity.withLock { $0 = identity }
                shared.waits.withLock { $0.who = "\(identity.role) \(identity.rank)" }
            }
            shared.events.post(.success(control))
        }
        for message in session.tick(at: .now) { socket.send(message) }
    }

    private mutating func take(_ message: Message) -> Control? {
        do {
            return try session.receive(message, limits: Limits(), at: .now)
        } catch {
            unreadable = unreadable ?? error
            return nil
        }
    }

    /// Throws when the scheduler is lost, or was never there.
    private mutating func look(at time: ContinuousClock.Instant) throws(SchedulerLink.Lost) {
        if let unreadable {
            let lost = SchedulerLink.Lost.unreadable(endpoint: endpoint, unreadable)
            let identity = session.identity
            let failure = Failure(role: identity.role, rank: Int(identity.rank), lost)
            socket.send(session.send(.failed(failure), at: time))
            throw lost
        }
        if let otherVersion { throw .version(endpoint: endpoint, otherVersion) }
        if let lost = brokenHandshake() { throw lost }
        tellWaits(at: time)
        if session.isLost(at: time) {
            if let notice = departure.notice { throw .left(endpoint: endpoint, notice.signal) }
            throw .silent(
                endpoint: endpoint, seconds: Int(session.patience / .seconds(1)), why: silenceReason)
        }
        try tellDeparture(at: time)
    }

    /// What the connection's end says of keys, before the scheduler was ever heard of.
    private mutating func brokenHandshake() -> SchedulerLink.Lost? {
        guard !session.wasHeard, let counts = socket.log?.counts, counts.handshakes == 0 else { return nil }
        if counts.count(.plaintext) > 0 {
            // libzmq hangs up at once, and may leave the scheduler no time to see from where.
            _ = (try? Endpoint(endpoint)).map { Reachability.mechanism(of: $0, staying: 0.5) }
            return .plaintext(endpoint: endpoint, nodeHasKeys: key != nil)
        }
        if counts.count(.unknownKey) > 0, let own = socket.identity {
            return .keyNotAllowed(endpoint: endpoint, own)
        }
        let broken = counts.count(.abandoned) + counts.count(.garbage)
        guard broken >= Self.brokenHandshakes, let address = try? Endpoint(endpoint) else { return nil }
        // Which of both is wrong, the mechanism or the key, the other side says itself.
        switch Reachability.mechanism(of: address) {
        case "NULL" where key != nil, "CURVE" where key == nil:
            return .plaintext(endpoint: endpoint, nodeHasKeys: key != nil)
        case "CURVE":
            // Those before may have broken off because nobody was there yet: a proxy takes connections for others.
            let before = brokenBefore ?? broken
            brokenBefore = before
            guard broken >= before + Self.brokenHandshakes else { return nil }
            return key.map { .wrongSchedulerKey(endpoint: endpoint, $0) }
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
            return session.wasHeard
                ? "the connection stands, but nothing comes: it is stopped or hangs, or its machine or network is down"
                : "it accepts the connection but is no scheduler of Myriad: is the port right?"
        }
        return Reachability.explain(address)
    }

    /// Asks the scheduler to end the job when this process is to end; leaves by itself when nobody answers.
    private mutating func tellDeparture(at time: ContinuousClock.Instant) throws(SchedulerLink.Lost) {
        guard let notice = departure.notice else { return }
        // Again and again: a message may be lost.
        if hasToldDeparture.map({ $0.duration(to: time) >= NodeSession.beatEvery }) ?? true {
            hasToldDeparture = time
            socket.send(session.send(.leaving(Leaving(isInterrupt: notice.signal == .interrupt)), at: time))
        }
        // Who waits for its welcome has nothing to lose, and may be waiting for nobody.
        let isWelcome = session.isWelcome
        let patience = isWelcome ? Departure.patience : Departure.patienceBeforeWelcome
        guard notice.time + patience < time, !isWelcome || session.heard + patience < time else { return }
        throw .left(endpoint: endpoint, notice.signal)
    }

    /// Prints what has been waited for too long; the scheduler's silence is a wait of its own.
    private func tellWaits(at time: ContinuousClock.Instant) {
        let isWelcome = session.isWelcome
        let name =
            isWelcome
            ? "a sign of life of the scheduler at \(endpoint)" : "the scheduler at \(endpoint) and its welcome"
        // A scheduler that answers a heartbeat is not waited for; before the welcome there is nothing else to wait for.
        let isQuiet = session.heard.duration(to: time) > NodeSession.beatEvery * 4
        let lines = shared.waits.withLock { waits in
            waits.note(
                "scheduler", isQuiet || !isWelcome ? name : nil, since: isWelcome ? session.heard : nil, at: time)
            return waits.lines(at: time)
        }
        for line in lines { StandardError.line(line) }
    }
}
