import Foundation
package import Telemetry
package import Transport
package import Wire

/// The scheduler's thread, its socket and its clock: it only decides, and a clerk does what takes time.
package final class SchedulerNode {
    /// What comes from outside the sockets.
    package enum Command: Sendable {
        /// End the job in order, with a checkpoint.
        case stop(StopCause)
        /// A sign of failure that somebody saw.
        case saw(Evidence)
        /// The clerk is done with something: this is to be told to the loop.
        case did(@Sendable (inout SchedulerLoop) -> Void)
    }

    /// Makes a checkpoint of these parts and returns its path.
    package typealias Commit = (_ step: Int, _ parts: [SnapshotDone], _ judgement: Judgement) throws -> String

    /// Files and people: the clerk's thread alone uses them, and this one when the clerk has left.
    private struct Hands: @unchecked Sendable {
        let commit: Commit
        let discard: (_ step: Int) -> Void
        let watch: (SchedulerEvent) -> Void
    }

    /// How long nodes that leave are given to acknowledge that they may.
    private static let farewell = Duration.seconds(2)

    /// Commands from other threads.
    package let inbox = Inbox<Command>()
    /// Where it listens.
    package let endpoint: String

    private let socket: Socket
    private let options: SchedulerOptions
    private let clerk = Clerk()
    private let hands: Hands
    private let onlookers: Onlookers
    private let role: (PublicKey) -> KeyDirectory.Role?
    private let identity: Header

    /// Listens on an endpoint.
    ///
    /// - Parameters:
    ///   - role: what a key may do; asked only where this process encrypts.
    ///   - commit: called on a thread that does nothing else, as are `discard` and `watch`, one after the other.
    ///   - discard: removes what was written of a checkpoint that will not be whole.
    ///   - inspect: tells how the job stands, on another thread.
    ///   - watch: called with everything that happens.
    package init(
        _ options: SchedulerOptions, on endpoint: String, in context: Context,
        role: @escaping (PublicKey) -> KeyDirectory.Role? = { _ in nil }, commit: @escaping Commit,
        discard: @escaping (_ step: Int) -> Void = { _ in }, inspect: @escaping (Inspect) -> Inspection,
        watch: @escaping (SchedulerEvent) -> Void
    ) throws {
        self.options = options
        // Nobody can make it reserve more for a frame than control messages and scores need.
        var limits = Limits()
        limits.frameBytes = max(limits.controlBytes, limits.scores * 8) + 1024
        socket = try Socket.listen(on: endpoint, in: context, limits: limits)
        self.endpoint = socket.endpoint
        self.role = role
        hands = Hands(commit: commit, discard: discard, watch: watch)
        identity = Header(.welcome, role: .scheduler, rank: 0, incarnation: 1, job: options.job, epoch: 1)

        onlookers = Onlookers(identity, inspect: inspect)
    }

    /// Whether somebody looks at the job by another way than this socket.
    package var isWatched: () -> Bool = { false }
    /// When somebody last asked how the job stands.
    private var inspected: ContinuousClock.Instant?
    private var pulsed: ContinuousClock.Instant?
    private var isOver = false

    /// Listens on a further endpoint, for those who only look.
    package func listen(also endpoint: String) throws { try socket.listen(also: endpoint) }

    /// Runs the job to its end.
    package func run() {
        var loop = SchedulerLoop(options, at: .now) { ProcessState.of(pid: $0.pid, host: $0.host) }
        var poller = Poller([socket], inbox, onlookers.answers)
        while !isOver {
            poller.wait(.milliseconds(100))
            turn(&loop)
        }
        // Who has said its last word waits to hear that it was heard.
        let deadline = ContinuousClock.now + Self.farewell
        while !loop.isSettled, .now < deadline {
            poller.wait(.milliseconds(20))
            turn(&loop)
        }
        if loop.evidence.contains(where: { $0.cause != .interrupted }) { linger(&loop, &poller) }
        clerk.finish()
        onlookers.finish()
        // What the clerk did last is told by this thread: it is the only one left.
        for case .did(let tell) in inbox.take() { tell(&loop) }
        for event in loop.takeEffects().events { hands.watch(dated(event)) }
    }

    /// Takes what has come, looks at the clock, and does what follows.
    private func turn(_ loop: inout SchedulerLoop) {
        loop.now = .now
        for command in inbox.take() {
            switch command {
            case .stop(let cause): loop.stop(for: cause)
            case .saw(let sign): loop.take(sign)
            case .did(let tell): tell(&loop)
            }
        }
        for answer in onlookers.answers.take() { socket.send(answer.message, to: answer.connection) }
        var budget = TurnBudget()
        while let received = socket.receive(within: &budget) {
            if case .otherVersion(let version, let from) = received {
                loop.refuse(protocolVersion: version, from)
            }
            guard case .message(let message, let from) = received, mayEnter(message.header.kind) else { continue }
            // Who asks and does not read its answers gets no more of them.
            if [.inspect, .probeWish].contains(message.header.kind), socket.senderIsBehind { continue }
            loop.now = .now
            if loop.receive(message, from: from, peer: socket.peer) { socket.trustSender() }
        }
        loop.now = .now
        loop.tick()
        if !isOver, pulsed.map({ $0.duration(to: loop.now) >= .seconds(1) }) ?? true {
            pulsed = loop.now
            if let log = socket.log {
                for refusal in log.takeNews() { loop.noteTurnedAway(refusal) }
                loop.turnedAway = ConnectionLog.failures(of: [log])
            }
            loop.effects.events.append(loop.pulse)
        }
        perform(loop.takeEffects(), loop)
    }

    private func tell(_ event: SchedulerEvent) { clerk.ask { [hands] in hands.watch(event) } }

    /// Whether whoever sent the last message may say that: a key that may only look may only ask.
    private func mayEnter(_ kind: MessageKind) -> Bool {
        guard let key = socket.peer.key else { return true }
        return switch role(key) {
        case .node: true
        case .monitor: kind == .inspect || kind == .probeWish
        // The list was changed since it connected.
        case nil: false
        }
    }

    /// Goes on answering those who look at a job that has failed.
    private func linger(_ loop: inout SchedulerLoop, _ poller: inout Poller) {
        let end = ContinuousClock.now + options.linger
        while .now < end, isWatched() || inspected.map({ $0.duration(to: .now) < .seconds(5) }) == true {
            poller.wait(.milliseconds(100))
            turn(&loop)
        }
    }

    private func perform(_ effects: SchedulerLoop.Effects, _ loop: SchedulerLoop) {
        for event in effects.events {
            // How the members stand now: the last pulse may have been before they came or went.
            if event.concernsNodes { tell(loop.pulse) }
            tell(dated(event))
        }
        for action in effects.actions {
            switch action {
            case .send(let connection, let control, let numbers):
                socket.send(control.message(identity).with(numbers), to: connection)
            case .commit(let step, let parts, let judgement):
                clerk.ask { [hands, inbox] in
                    let began = ContinuousClock.now
                    let result = Result {
                        (
                            path: try hands.commit(step, parts, judgement),
                            seconds: began.duration(to: .now) / .seconds(1), bytes: parts.reduce(0) { $0 + $1.bytes }
                        )
                    }
                    inbox.post(.did { $0.committed(step: step, result) })
                }
            case .discard(let step): clerk.ask { [hands] in hands.discard(step) }
            case .measure(let book, let split, let step):
                clerk.ask { [inbox] in
                    let metrics = book.metrics()
                    inbox.post(.did { $0.measured(metrics, split: split, step: step) })
                }
            case .inspect(let connection, let wish):
                inspected = .now
                onlookers.ask(wish, from: connection)
            case .end: isOver = true
            }
        }
    }

    /// Gives a failure its time of day: the loop has no calendar.
    private func dated(_ event: SchedulerEvent) -> SchedulerEvent {
        guard case .failed(var report) = event else { return event }
        report.time = Date().timeIntervalSince1970
        return .failed(report)
    }
}
