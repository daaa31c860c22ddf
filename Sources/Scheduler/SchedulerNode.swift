package import Evaluation
import Foundation
import Telemetry
package import Transport
package import Wire

/// The scheduler's thread: its socket, its clock, and the files of a checkpoint.
package final class SchedulerNode {
    /// What comes from outside the sockets.
    package enum Command: Sendable {
        /// End the job, for this reason.
        case abort(String)
        /// End the job in order, with a checkpoint.
        case stop(StopCause)
        /// A sign of failure that somebody saw.
        case saw(Evidence)
    }

    /// Makes a checkpoint of these parts and returns its path.
    package typealias Commit = (_ step: Int, _ parts: [SnapshotDone], _ judgement: Judgement) throws -> String

    /// Commands from other threads.
    package let inbox = Inbox<Command>()
    /// Where it listens.
    package let endpoint: String

    private let socket: Socket
    private let options: SchedulerOptions
    private let commit: Commit
    private let watch: (SchedulerEvent) -> Void
    private let inspect: (Inspect) -> Inspection
    private let role: (PublicKey) -> KeyDirectory.Role?

    /// Listens on an endpoint.
    ///
    /// - Parameters:
    ///   - role: what a key may do; asked only where this process encrypts.
    ///   - commit: called on this thread.
    ///   - inspect: tells how the job stands, on this thread.
    ///   - watch: called on this thread with everything that happens.
    package init(
        _ options: SchedulerOptions, on endpoint: String, in context: Context,
        role: @escaping (PublicKey) -> KeyDirectory.Role? = { _ in nil }, commit: @escaping Commit,
        inspect: @escaping (Inspect) -> Inspection, watch: @escaping (SchedulerEvent) -> Void
    ) throws {
        self.options = options
        // Nobody can make it reserve more for a frame than control messages and scores need.
        var limits = Limits()
        limits.frameBytes = max(limits.controlBytes, limits.scores * 8) + 1024
        socket = try Socket.listen(on: endpoint, in: context, limits: limits)
        self.endpoint = socket.endpoint
        self.role = role
        self.commit = commit
        self.watch = watch
        self.inspect = inspect
    }

    /// Whether somebody looks at the job by another way than this socket.
    package var isWatched: () -> Bool = { false }
    /// When somebody last asked how the job stands.
    private var inspected: ContinuousClock.Instant?

    /// Listens on a further endpoint, for those who only look.
    package func listen(also endpoint: String) throws { try socket.listen(also: endpoint) }

    /// Runs the job to its end.
    package func run() {
        var loop = SchedulerLoop(options, at: .now) { ProcessState.of(pid: $0.pid, host: $0.host) }
        var poller = Poller([socket], inbox)
        let identity = Header(
            .welcome, role: .scheduler, rank: 0, incarnation: 1, job: options.job, epoch: 1)
        var isOver = false
        var pulsed: ContinuousClock.Instant?
        while !isOver {
            poller.wait(.milliseconds(100))
            var effects = SchedulerLoop.Effects()
            for command in inbox.take() {
                switch command {
                case .abort(let reason): loop.abort(reason, at: .now, into: &effects)
                case .stop(let cause): loop.stop(for: cause, at: .now, into: &effects)
                case .saw(let sign): loop.take(sign, at: .now, into: &effects)
                }
            }
            while let received = socket.receive() {
                if case .otherVersion(let version, let from) = received {
                    loop.refuse(protocolVersion: version, from, into: &effects)
                }
                guard case .message(let message, let from) = received else { continue }
                guard mayEnter(message.header.kind) else { continue }
                if message.header.kind == .stopped {
                    socket.send(Control.stop(.farewell(isUnfinished: loop.isUnfinished)).message(identity), to: from)
                }
                loop.receive(message, from: from, peer: socket.peer, at: .now, into: &effects)
            }
            let now = ContinuousClock.now
            loop.tick(at: now, into: &effects)
            if pulsed.map({ $0.duration(to: now) >= .seconds(1) }) ?? true {
                pulsed = now
                if let log = socket.log {
                    for refusal in log.takeNews() { loop.noteTurnedAway(refusal, into: &effects) }
                    loop.turnedAway = ConnectionLog.failures(of: [log])
                }
                effects.events.append(loop.pulse(at: now))
            }
            perform(&effects, &loop, identity, &isOver)
        }
        if loop.evidence.contains(where: { $0.cause != .interrupted }) { linger(&poller, identity) }
    }

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
    private func linger(_ poller: inout Poller, _ identity: Header) {
        let end = ContinuousClock.now + options.linger
        while .now < end, isWatched() || inspected.map({ $0.duration(to: .now) < .seconds(5) }) == true {
            poller.wait(.milliseconds(100))
            _ = inbox.take()
            while let received = socket.receive() {
                guard case .message(let message, let from) = received,
                    case .inspect(let wish) = try? Control(decoding: message, limits: Limits())
                else { continue }
                socket.send(Control.inspected(inspect(wish)).message(identity), to: from)
            }
        }
    }

    private func perform(
        _ effects: inout SchedulerLoop.Effects, _ loop: inout SchedulerLoop, _ identity: Header, _ isOver: inout Bool
    ) {
        while !effects.actions.isEmpty || !effects.events.isEmpty {
            let due = effects
            effects = SchedulerLoop.Effects()
            for event in due.events {
                // How the members stand now: the last pulse may have been before they came or went.
                if event.concernsNodes { watch(loop.pulse(at: .now)) }
                watch(dated(event))
            }
            for action in due.actions {
                switch action {
                case .send(let connection, let control): socket.send(control.message(identity), to: connection)
                case .commit(let step, let parts, let judgement):
                    let began = ContinuousClock.now
                    let result = Result {
                        (
                            path: try commit(step, parts, judgement), seconds: began.duration(to: .now) / .seconds(1),
                            bytes: parts.reduce(0) { $0 + $1.bytes }
                        )
                    }
                    loop.committed(step: step, result, at: .now, into: &effects)
                case .inspect(let connection, let wish):
                    inspected = .now
                    socket.send(Control.inspected(inspect(wish)).message(identity), to: connection)
                case .end: isOver = true
                }
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
