package import Telemetry
package import Wire

/// What a shard tells its server.
package enum ShardNote: Sendable {
    /// A part of a checkpoint is on disk.
    case wrote(SnapshotDone)
    /// Its part of the checkpoint of a step could not be written.
    case notWritten(shard: Int, step: Int, String)
    /// The shard cannot go on; `diverged` is the step whose update its numbers did not survive, if they are at fault.
    case failed(String, diverged: Int?)
    /// Steps applied.
    case step(shard: Int, Int)
    /// Its counters, once a second and as its last word.
    case report(ShardReport)
}

extension ShardNote {
    /// What the scheduler has to know of it, if anything.
    package func control(rank: Int) -> Control? {
        switch self {
        case .wrote(let done): .snapshotDone(done)
        case .notWritten(let shard, let step, let reason):
            .failed(Failure(role: .server, rank: rank, step: step, message: reason, checkpoint: step, shard: shard))
        case .failed(let reason, let step):
            .failed(
                Failure(
                    role: .server, rank: rank, step: step, message: reason, cause: step == nil ? nil : .diverged))
        case .step, .report: nil
        }
    }
}

/// A shard and the checkpoints that it has to write: what its thread does, without socket and clock.
package final class ShardDesk {
    /// The shard.
    package let shard: Shard
    private let write: ServerNode.PartWriter
    private var wanted: [SnapshotRequest] = []
    private var events: [Shard.Event] = []

    /// A desk that has nothing to write yet.
    package init(_ shard: Shard, write: @escaping ServerNode.PartWriter) {
        self.shard = shard
        self.write = write
    }

    /// Takes a message of a worker.
    package func receive(
        _ message: Message, from connection: [UInt8], answers: inout [Shard.Answer], notes: inout [ShardNote]
    ) {
        shard.receive(message, from: connection, answers: &answers, events: &events)
        for event in events {
            switch event {
            case .checkpointDue(let step):
                wanted.append(SnapshotRequest(step: step, directory: shard.options.checkpoints, final: false))
            case .diverged(let step, let table):
                let what = "the update to step \(step) left numbers that are not finite in \(table)"
                notes.append(.failed(what, diverged: step))
            }
        }
        events.removeAll(keepingCapacity: true)
        // A due checkpoint is of the state right now: nothing may be applied before it is written.
        if !wanted.isEmpty { writeWanted(&notes) }
    }

    /// Writes the state after a step as soon as it is there.
    package func want(_ request: SnapshotRequest, notes: inout [ShardNote]) {
        wanted.append(request)
        writeWanted(&notes)
    }

    private func writeWanted(_ notes: inout [ShardNote]) {
        let number = shard.options.shard
        let ready = wanted.filter { $0.step <= shard.step }
        wanted.removeAll { $0.step <= shard.step }
        for request in ready {
            guard request.step == shard.step else {
                let what = "state \(request.step) is gone: shard \(number) is after step \(shard.step)"
                notes.append(.notWritten(shard: number, step: request.step, what))
                continue
            }
            do {
                let began = ContinuousClock.now
                let done = try write(shard, request)
                shard.noteWritten(done, seconds: began.duration(to: .now) / .seconds(1))
                notes.append(.wrote(done))
            } catch {
                let what = "checkpoint of step \(request.step): \(error)"
                notes.append(.notWritten(shard: number, step: request.step, what))
            }
        }
    }
}
