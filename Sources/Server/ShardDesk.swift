package import Telemetry
package import Wire

/// What a shard tells its server.
package enum ShardNote: Sendable {
    /// What the scheduler has to know.
    case tell(Control)
    /// Steps applied.
    case step(shard: Int, Int)
    /// Its counters, once a second and as its last word.
    case report(ShardReport)
}

/// A shard and the checkpoints that it has to write: what its thread does, without socket and clock.
package final class ShardDesk {
    package let shard: Shard
    /// Called with what the server, and through it the scheduler, has to know.
    package var tell: (ShardNote) -> Void = { _ in }
    private let write: ServerNode.PartWriter
    private var wanted: [SnapshotRequest] = []

    /// A desk that has nothing to write yet.
    package init(_ shard: Shard, write: @escaping ServerNode.PartWriter) {
        self.shard = shard
        self.write = write
    }

    /// Takes a message of a worker; returns the answers.
    package func receive(_ message: Message, from connection: [UInt8]) -> [Shard.Answer] {
        let before = shard.step
        let answers = shard.receive(message, from: connection)
        let step = shard.step
        if step == before { return answers }
        if let table = shard.lost {
            fail("the update to step \(step) left numbers that are not finite in \(table)", cause: .diverged)
        } else if shard.options.plan.checkpoints(after: step) {
            wanted.append(SnapshotRequest(step: step, directory: shard.options.checkpoints, final: false))
        }
        // A due checkpoint is of the state right now: nothing may be applied before it is written.
        writeWanted()
        return answers
    }

    /// Writes the state after a step as soon as it is there.
    package func want(_ request: SnapshotRequest) {
        wanted.append(request)
        writeWanted()
    }

    private func writeWanted() {
        let number = shard.options.shard
        let ready = wanted.filter { $0.step <= shard.step }
        wanted.removeAll { $0.step <= shard.step }
        for request in ready {
            guard request.step == shard.step else {
                let what = "state \(request.step) is gone: shard \(number) is after step \(shard.step)"
                fail(what, checkpoint: request.step)
                continue
            }
            do {
                let began = ContinuousClock.now
                let done = try write(shard, request)
                shard.noteWritten(done, seconds: began.duration(to: .now) / .seconds(1))
                tell(.tell(.snapshotDone(done)))
            } catch {
                fail("checkpoint of step \(request.step): \(error)", checkpoint: request.step)
            }
        }
    }

    /// Tells that the shard cannot go on, or not write its part of the checkpoint of a step.
    private func fail(_ what: String, cause: FailureReport.Cause? = nil, checkpoint: Int? = nil) {
        let failure = Failure(
            role: .server, rank: Int(shard.identity.rank), step: checkpoint ?? shard.step, message: what, cause: cause,
            checkpoint: checkpoint, shard: checkpoint == nil ? nil : shard.options.shard)
        tell(.tell(.failed(failure)))
    }
}
