import Synchronization
import Telemetry
import Tensors
import Testing
import Wire

@testable import Parameters
@testable import Server

/// What a shard refuses whole, before anything of it is kept.
@Suite struct ShardChecksTests {
    private func reason(_ answers: [Message]) throws -> Refusal.Reason? {
        guard answers.first?.header.kind == .refused else { return nil }
        return try Refusal(decoding: answers[0], limits: Limits()).reason
    }

    @Test("a list that was never kept is not found, and a worker that does not exist keeps none")
    func unusedList() throws {
        let job = try ShardJob(shards: 1)
        let before = job.state()
        _ = job.send(job.pull(0, step: 1, ids: [[2, 3], [4]], rank: 0), to: 0)
        var push = job.push(0, step: 1, .root(of: 8), rank: 0)
        push.header.flags = []
        push.frames[1] = .empty
        push.header.keyListHash = 0
        #expect(try reason(job.send(push, to: 0)) == .sendKeys)
        let pull = job.pull(0, step: 1, ids: [[2, 3], [4]], rank: 16)
        #expect(try reason(job.send(pull, to: 0)) == .malformed)
        #expect(try reason(job.send(job.push(0, step: 1, .root(of: 8), rank: 16), to: 0)) == .malformed)
        var own = job.push(0, step: 1, .root(of: 8), rank: 0)
        own.header.role = .monitor
        #expect(try reason(job.send(own, to: 0)) == .malformed)
        #expect(job.state() == before && job.shards[0].step == 0)
    }

    @Test("padding, foreign ids and ids that stand twice are refused, and their list is not kept")
    func ids() throws {
        let job = try ShardJob(shards: 2)
        let before = job.state()
        let all = (2..<200).map { UInt64($0) }
        let own = all.filter { job.map.shard(table: 1, id: $0) == 0 }
        let foreign = try #require(all.first { job.map.shard(table: 1, id: $0) == 1 })
        let rows: [(ids: [UInt64], reason: Refusal.Reason)] = [
            ([own[0], 0], .malformed), ([own[0], foreign], .notOwner), ([own[0], own[1], own[0]], .malformed),
        ]
        for (ids, expected) in rows {
            let pull = job.pull(0, step: 1, ids: [[], ids], rank: 0)
            #expect(try reason(job.send(pull, to: 0)) == expected)
            var push = job.push(0, step: 1, .root(of: 8), rank: 0)
            push.header.keyListHash = pull.header.keyListHash
            push.header.rows = UInt32(ids.count)
            push.frames[0] = Payload(copying: [UInt32(0), UInt32(ids.count)])
            push.frames[1] = Payload(copying: ids)
            push.frames[2] = Payload(copying: ids.map { _ in UInt32(1) })
            push.frames[3] = Payload(copying: [Float](repeating: 1, count: ids.count * 2))
            #expect(try reason(job.send(push, to: 0)) == expected)
            push.header.flags = []
            push.frames[1] = .empty
            #expect(try reason(job.send(push, to: 0)) == .sendKeys)
        }
        #expect(job.state() == before)
        #expect(job.shards[0].report().tables.allSatisfy { $0.pulledRows == 0 })
    }

    @Test(
        "a push with a number that is not finite changes nothing",
        arguments: [Float.nan, .infinity, -.infinity], [3, 4])
    func notFinite(value: Float, frame: Int) throws {
        let job = try ShardJob(shards: 1)
        let before = job.state()
        for node in [Subtree.root(of: 8), Subtree(level: 1, index: 1)] {
            let good = job.push(0, step: 1, node, rank: 0)
            var bad = good
            var floats = good.frames[frame].bytes.withMemoryRebound(to: Float.self) { Array($0) }
            floats[floats.count - 1] = value
            bad.frames[frame] = Payload(copying: floats)
            #expect(try reason(job.send(bad, to: 0)) == .malformed)
        }
        #expect(job.state() == before && job.shards[0].nodesHeld.isEmpty && job.shards[0].step == 0)
    }

    @Test("a subtree above the root and a step behind the last are refused")
    func outside() throws {
        let job = try ShardJob(shards: 1)
        var push = job.push(0, step: 1, .root(of: 8), rank: 0)
        push.header.subtree = Subtree(level: 4, index: 0).packed
        #expect(try reason(job.send(push, to: 0)) == .malformed)
        #expect(job.shards[0].nodesHeld.isEmpty)
        #expect(try reason(job.send(job.pull(0, step: 18, ids: [[2], [4]], rank: 0), to: 0)) == .stepAhead)
        job.run(steps: 16, workers: 1)
        #expect(job.shards[0].step == 16)
        #expect(try reason(job.send(job.push(0, step: 17, .root(of: 8), rank: 0), to: 0)) == .stepAhead)
        #expect(job.shards[0].step == 16)
    }

    @Test("a pull that waits is answered once however often it came, and a worker's last two wait at most")
    func repeats() throws {
        let job = try ShardJob(shards: 1)
        var pull = job.pull(0, step: 2, ids: [[2], [4]], rank: 3)
        for request in 1...50 {
            pull.header.request = UInt32(request)
            for _ in 0..<3 { #expect(job.send(pull, to: 0).isEmpty) }
        }
        #expect(job.shards[0].parked.map(\.message.header.request) == [49, 50])
        #expect(job.send(job.pull(0, step: 2, ids: [[2], [4]], rank: 4), to: 0).isEmpty)
        let answers = job.send(job.push(0, step: 1, .root(of: 8), rank: 3), to: 0)
        #expect(answers.map(\.header.kind) == [.pushed, .values, .values, .values])
        // A repeat of what is served already is served again: the answer may have been lost.
        #expect(job.send(pull, to: 0).map(\.header.kind) == [.values])
        // What cannot be a pull is not kept until its step comes.
        pull.header.rows += 1
        pull.header.step = 3
        #expect(try reason(job.send(pull, to: 0)) == .malformed)
    }

    /// Trains until the shard's numbers are lost; tells after which steps its part of a checkpoint was asked for.
    private func train(_ job: ShardJob) -> (step: Int, written: [Int], notes: [ShardNote]) {
        let written = Mutex<[Int]>([])
        let desk = ShardDesk(job.shards[0]) { _, request in
            written.withLock { $0.append(request.step) }
            throw CancellationError()
        }
        let notes = Mutex<[ShardNote]>([])
        desk.tell = { note in notes.withLock { $0.append(note) } }
        var step = 0
        while job.shards[0].lost == nil, step < 16 {
            step += 1
            _ = desk.receive(job.push(0, step: step, .root(of: 8), rank: 0), from: [1])
        }
        return (step, written.withLock { $0 }, notes.withLock { $0 })
    }

    @Test("dense parameters that are no longer finite end the shard's service")
    func denseDivergence() throws {
        let dense = DenseOptions(optimizer: OptimizerOptions(kind: .momentum, rate: 3e38))
        let job = try ShardJob(shards: 1, checkpointEvery: 1, dense: dense)
        let step = train(job).step
        #expect(job.shards[0].step == step && job.shards[0].lost == "the dense parameters")
        #expect(try reason(job.send(job.pull(0, step: step + 1, ids: [[2], [4]], rank: 0), to: 0)) == .unavailable)
    }

    @Test("an update that leaves finite numbers behind ends the shard's service, and no file of the state is written")
    func divergence() throws {
        for optimizer in [OptimizerOptions.Kind.sgd, .momentum] {
            let job = try ShardJob(shards: 1, optimizer: optimizer, rate: 1e38, checkpointEvery: 1)
            _ = job.send(job.pull(0, step: 3, ids: [[2], [4]], rank: 0), to: 0)
            let (step, written, _) = train(job)
            #expect(job.shards[0].step == step && job.shards[0].lost == "t0")
            #expect(written == Array(1..<step))
            #expect(throws: ParametersError.self) {
                let rows = PartitionRows()
                for table in job.shards[0].tables {
                    for partition in table.owned { try table.export(partition: partition, into: rows) }
                }
            }
            let pull = job.pull(0, step: step + 1, ids: [[2], [4]], rank: 0)
            #expect(try reason(job.send(pull, to: 0)) == .unavailable)
            #expect(try reason(job.send(job.push(0, step: step + 1, .root(of: 8), rank: 0), to: 0)) == .unavailable)
            #expect(job.shards[0].parked.isEmpty)
        }
    }

    @Test("the scheduler is told by which step's update a shard diverged")
    func divergedStep() throws {
        let dense = DenseOptions(optimizer: OptimizerOptions(kind: .momentum, rate: 3e38))
        let job = try ShardJob(shards: 1, dense: dense)
        let (step, written, notes) = train(job)
        guard case .tell(.failed(let failure))? = notes.last, written.isEmpty else {
            Issue.record("nothing was told")
            return
        }
        #expect(failure.step == step && failure.cause == .diverged && failure.rank == 0)
    }
}
