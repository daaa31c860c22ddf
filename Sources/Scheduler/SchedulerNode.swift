package import Evaluation
import Foundation
package import Transport
package import Wire

/// The scheduler's thread: its socket, its clock, and the files of a checkpoint.
package final class SchedulerNode {
    /// What comes from outside the sockets.
    package enum Command: Sendable {
        /// End the job, for this reason.
        case abort(String)
    }

    /// Makes a checkpoint of these parts and returns its path.
    package typealias Commit = (_ step: Int, _ parts: [SnapshotDone], _ best: Metrics?) throws -> String

    /// Commands from other threads.
    package let inbox = Inbox<Command>()
    /// Where it listens.
    package let endpoint: String

    private let socket: Socket
    private let options: SchedulerOptions
    private let commit: Commit
    private let watch: (SchedulerEvent) -> Void
    private let inspect: (Inspect) -> Inspection

    /// Listens on an endpoint.
    ///
    /// - Parameters:
    ///   - commit: called on this thread.
    ///   - inspect: tells how the job stands, on this thread.
    ///   - watch: called on this thread with everything that happens.
    package init(
        _ options: SchedulerOptions, on endpoint: String, in context: Context, commit: @escaping Commit,
        inspect: @escaping (Inspect) -> Inspection, watch: @escaping (SchedulerEvent) -> Void
    ) throws {
        self.options = options
        socket = try Socket.listen(on: endpoint, in: context)
        self.endpoint = socket.endpoint
        self.commit = commit
        self.watch = watch
        self.inspect = inspect
    }

    /// Listens on a further endpoint, for those who only look.
    package func listen(also endpoint: String) throws { try socket.listen(also: endpoint) }

    /// Runs the job to its end.
    package func run() {
        var loop = SchedulerLoop(options, at: .now)
        var poller = Poller([socket], inbox)
        let identity = Header(
            .welcome, role: .scheduler, rank: 0, incarnation: 1, job: options.job, epoch: 1)
        var isOver = false
        var pulsed: ContinuousClock.Instant?
        while !isOver {
            poller.wait(.milliseconds(100))
            var effects = SchedulerLoop.Effects()
            for case .abort(let reason) in inbox.take() { loop.abort(reason, at: .now, into: &effects) }
            while let received = socket.receive() {
                guard case .message(let message, let from) = received else { continue }
                if message.header.kind == .stopped {
                    socket.send(Control.stop(.farewell).message(identity), to: from)
                }
                loop.receive(message, from: from, at: .now, into: &effects)
            }
            let now = ContinuousClock.now
            loop.tick(at: now, into: &effects)
            if pulsed.map({ $0.duration(to: now) >= .seconds(1) }) ?? true {
                pulsed = now
                effects.events.append(loop.pulse(at: now))
            }
            perform(&effects, &loop, identity, &isOver)
        }
    }

    private func perform(
        _ effects: inout SchedulerLoop.Effects, _ loop: inout SchedulerLoop, _ identity: Header, _ isOver: inout Bool
    ) {
        while !effects.actions.isEmpty || !effects.events.isEmpty {
            let due = effects
            effects = SchedulerLoop.Effects()
            for event in due.events { watch(event) }
            for action in due.actions {
                switch action {
                case .send(let connection, let control): socket.send(control.message(identity), to: connection)
                case .commit(let step, let parts, let best):
                    let began = ContinuousClock.now
                    let result = Result {
                        (
                            path: try commit(step, parts, best), seconds: began.duration(to: .now) / .seconds(1),
                            bytes: parts.reduce(0) { $0 + $1.bytes }
                        )
                    }
                    loop.committed(step: step, result, at: .now, into: &effects)
                case .inspect(let connection, let wish):
                    socket.send(Control.inspected(inspect(wish)).message(identity), to: connection)
                case .end: isOver = true
                }
            }
        }
    }
}
