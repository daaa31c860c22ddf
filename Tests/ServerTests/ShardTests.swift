import Kernels
import Parameters
import Telemetry
import Tensors
import Testing
import Wire

@testable import Server

@Suite struct ShardTests {
    @Test(
        "the same bits for any number of workers and shards and any order of arrival",
        arguments: [OptimizerOptions.Kind.sgd, .adagrad, .adam])
    func sameBits(optimizer: OptimizerOptions.Kind) throws {
        let reference = try ShardJob(shards: 1, optimizer: optimizer)
        reference.run(steps: 9, workers: 1)
        let expected = reference.state()
        #expect(expected.count > 20)
        for shards in [1, 2, 3] {
            for workers in [1, 2, 3, 4, 5] {
                for reversed in [false, true] {
                    let job = try ShardJob(shards: shards, optimizer: optimizer)
                    job.run(steps: 9, workers: workers, reversed: reversed)
                    #expect(job.state() == expected, "\(shards) shards, \(workers) workers, reversed \(reversed)")
                }
            }
        }
    }

    @Test("retried and overlapping pushes change nothing")
    func duplicates() throws {
        let reference = try ShardJob(shards: 1)
        reference.run(steps: 3, workers: 2)
        let job = try ShardJob(shards: 1)
        for step in 1...3 {
            // A takeover: worker 2 repeats half of worker 0's block, then all of it; everything is sent twice.
            for node in [
                Subtree(level: 1, index: 0), Subtree(level: 2, index: 0), Subtree(level: 0, index: 1),
                Subtree(level: 2, index: 1),
            ] {
                for _ in 0..<2 { _ = job.send(job.push(0, step: step, node, rank: 2), to: 0) }
            }
        }
        #expect(job.state() == reference.state())
        #expect(job.shards[0].report().duplicates > 0)
    }

    @Test("a pull for a later step waits for the step before, one for an earlier state is refused")
    func barrier() throws {
        let job = try ShardJob(shards: 1)
        let ids: [[UInt64]] = [[2, 3], [4]]
        #expect(job.send(job.pull(0, step: 2, ids: ids, rank: 1), to: 0).isEmpty)
        let answers = job.send(job.push(0, step: 1, Subtree.root(of: 8), rank: 0), to: 0)
        #expect(answers.map(\.header.kind) == [.pushed, .values])
        let late = job.send(job.pull(0, step: 1, ids: ids, rank: 1), to: 0)
        #expect(try Refusal(decoding: late[0], limits: Limits()).reason == .stepPassed)
    }

    @Test("a pull of absent rows returns their initial values and stores none")
    func absent() throws {
        let job = try ShardJob(shards: 1)
        let before = job.state()
        let first = job.send(job.pull(0, step: 1, ids: [[2, 70], [4]], rank: 0), to: 0)
        let second = job.send(job.pull(0, step: 0, ids: [[2, 70], [4]], rank: 1, evaluation: true), to: 0)
        #expect(first[0].header.kind == .values && first[0].header.rows == 3)
        #expect(Array(first[0].frames[0].bytes) == Array(second[0].frames[0].bytes))
        #expect(job.state() == before)
    }

    @Test("a push names its rows by the hash of its pull, and an unknown hash is asked for its ids")
    func keyLists() throws {
        let job = try ShardJob(shards: 1)
        let reference = try ShardJob(shards: 1)
        reference.run(steps: 1, workers: 1)
        let whole = job.push(0, step: 1, Subtree.root(of: 8), rank: 0)
        let sums = job.sums(step: 1, Subtree.root(of: 8))
        let ids = sums.rows.map { $0.keys.sorted() }
        let pull = job.pull(0, step: 1, ids: ids, rank: 0)
        func byHash(_ hash: UInt64) -> Message {
            var header = whole.header
            header.keyListHash = hash
            return .push(
                header, tableCounts: whole.frames[0], rowSamples: whole.frames[2],
                gradients: whole.frames[3], dense: whole.frames[4])
        }
        let refused = job.send(byHash(pull.header.keyListHash), to: 0)
        #expect(try Refusal(decoding: refused[0], limits: Limits()).reason == .sendKeys)
        #expect(job.send(pull, to: 0)[0].header.kind == .values)
        #expect(job.send(byHash(pull.header.keyListHash), to: 0)[0].header.kind == .pushed)
        #expect(job.state() == reference.state())
    }

    @Test("messages of another job, epoch, plan or owner, and damaged ones, are refused and change nothing")
    func refused() throws {
        let job = try ShardJob(shards: 2)
        let before = job.state()
        func reason(_ message: Message, _ shard: Int = 0) throws -> Refusal.Reason {
            try Refusal(decoding: job.send(message, to: shard)[0], limits: Limits()).reason
        }
        var push = job.push(0, step: 1, Subtree.root(of: 8), rank: 0)
        push.header.job = 8
        #expect(try reason(push) == .otherJob)
        push.header.job = 9
        push.header.epoch = 2
        #expect(try reason(push) == .oldEpoch)
        push.header.epoch = 1
        push.header.samples += 1
        #expect(try reason(push) == .malformed)
        push.header.samples -= 1
        #expect(try reason(push, 1) == .notOwner || reason(push, 1) == .malformed)
        push.frames[3] = Payload(copying: [Float(0)])
        #expect(try reason(push) == .malformed)
        #expect(job.shards[0].report().malformed[0] == 2)
        #expect(job.state() == before)
        #expect(job.shards.allSatisfy { $0.step == 0 })
    }

    @Test("of a rank only the process is heard that the scheduler let in; another is told so, and learns no numbers")
    func otherProcess() throws {
        let job = try ShardJob(shards: 1, incarnations: [1, 4])
        let before = job.state()
        let push = job.push(0, step: 1, Subtree.root(of: 8), rank: 0)
        var foreign = push
        for (rank, incarnation) in [(0, 2), (1, 1), (2, 1)] {
            (foreign.header.rank, foreign.header.incarnation) = (UInt16(rank), UInt32(incarnation))
            let refusal = try Refusal(decoding: job.send(foreign, to: 0)[0], limits: Limits())
            #expect(refusal.reason == .malformed && refusal.text.contains("the processes that the scheduler let in"))
        }
        foreign.header.job = 12_345
        let refusal = try Refusal(decoding: job.send(foreign, to: 0)[0], limits: Limits())
        #expect(refusal.reason == .otherJob && !refusal.text.contains(" 9"))
        #expect(job.state() == before)
        #expect(job.send(push, to: 0)[0].header.kind == .pushed && job.shards[0].step == 1)
    }
}
