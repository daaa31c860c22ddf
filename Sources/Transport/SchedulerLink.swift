package import Telemetry
package import Wire

/// A node's connection to the scheduler: it says hello until it is welcomed, then shows that it lives.
///
/// Belongs to the node's control thread.
package final class SchedulerLink {
    /// The scheduler has not been heard of for too long, or the node was told to stop before it had a place.
    package enum Lost: Error, CustomStringConvertible {
        /// Seconds of silence.
        case silent(endpoint: String, seconds: Int)
        /// The scheduler said stop before this node was part of the job.
        case refused(String)

        package var description: String {
            switch self {
            case .silent(let endpoint, let seconds):
                "the scheduler at \(endpoint) has been silent for \(seconds) s: is it running, and is the address right?"
            case .refused(let reason): reason
            }
        }
    }

    private static let helloEvery = Duration.seconds(1)
    private static let beatEvery = Duration.milliseconds(500)

    /// The socket, for a poller.
    package let socket: Socket
    /// The header under which this node sends, complete once it is welcomed.
    package private(set) var identity: Header
    private let endpoint: String
    private let hello: Hello
    private let silence: Duration
    private let limits = Limits()
    private var sent: ContinuousClock.Instant?
    private var heard = ContinuousClock.now
    private var isWelcome = false
    /// What came together with the welcome, and is for whoever comes after `join`.
    private var kept: [Control] = []

    /// Connects; `silence` is how long the scheduler may say nothing.
    package init(
        to endpoint: String, in context: Context, hello: Hello, silence: Duration
    ) throws(TransportError) {
        socket = try Socket.connect(to: endpoint, in: context)
        self.endpoint = endpoint
        self.hello = hello
        self.silence = silence
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
            guard case .message(let message, _) = received,
                let control = try? Control(decoding: message, limits: limits)
            else { continue }
            heard = .now
            if case .welcome(let welcome) = control {
                guard !isWelcome else { continue }
                isWelcome = true
                identity.job = welcome.job
                identity.rank = UInt16(welcome.rank)
                identity.epoch = UInt32(welcome.epoch)
            }
            controls.append(control)
        }
        return controls
    }

    /// Says hello or shows a sign of life when it is time; throws when the scheduler has been silent for too long.
    package func tick(step: Int, state: String) throws(Lost) {
        let now = ContinuousClock.now
        if heard.duration(to: now) > silence {
            throw .silent(endpoint: endpoint, seconds: Int(silence / .seconds(1)))
        }
        if let sent, sent.duration(to: now) < (isWelcome ? Self.beatEvery : Self.helloEvery) { return }
        sent = now
        send(isWelcome ? .heartbeat(Heartbeat(step: step, state: state)) : .hello(hello))
    }

    /// Says the last word and waits until the scheduler has heard it, at most two seconds: a process that ends takes with
    /// it what its sockets have not sent yet.
    package func leave(_ report: NodeReport) {
        let nothing = Inbox<Int>()
        var poller = Poller([socket], nothing)
        for _ in 0..<4 {
            send(.stopped(report))
            let deadline = ContinuousClock.now + .milliseconds(500)
            while .now < deadline {
                poller.wait(.milliseconds(100))
                for case .stop(let stop) in receive() where stop.reason == Stop.farewell.reason { return }
            }
        }
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
                case .stop(let stop): throw .refused(stop.reason)
                default: break
                }
            }
        }
    }
}
