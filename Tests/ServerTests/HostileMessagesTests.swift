import Extremes
import Tensors
import Testing
import Wire

@testable import Server

/// A shard amid messages that nobody of its job would send.
@Suite struct HostileMessagesTests {
    private func samples() -> [Message] { MessageKind.allCases.map { Samples.message($0, ShardJob.header($0)) } }

    @Test("every kind, with every field at its extremes, changes no row", arguments: MessageKind.allCases)
    func extremes(kind: MessageKind) throws {
        let job = try ShardJob(shards: 1)
        let before = job.state()
        let message = Samples.message(kind, ShardJob.header(kind))
        // The texts of control messages are nothing that a shard reads (`ControlTests`).
        for variant in Extremes.headers(of: message) + Extremes.frames(of: message) {
            _ = job.send(variant, to: 0)
        }
        #expect(job.shards[0].step == 0 && job.state() == before)
        #expect(job.shards[0].parked.count <= 2 * 16)
        // It serves as if nothing had been.
        #expect(job.send(Samples.pull(ShardJob.header(.pull, rank: 9)), to: 0).map(\.header.kind) == [.values])
        #expect(job.send(Samples.push(ShardJob.header(.push, rank: 9)), to: 0).map(\.header.kind) == [.pushed])
        #expect(job.shards[0].nodesHeld.count == 1)
    }

    @Test("messages damaged by chance neither end a shard nor fill it")
    func mutations() throws {
        var mutator = Mutator(seed: 1)
        let samples = samples()
        var job = try ShardJob(shards: 1)
        for number in 0..<Mutator.count(normally: 3000) {
            if number % 2000 == 1999 { job = try ShardJob(shards: 1) }
            let step = job.shards[0].step + 1
            let message: Message
            switch mutator.below(4) {
            case 0 where step <= 16: message = job.push(0, step: step, .root(of: 8), rank: mutator.below(20))
            case 1 where step <= 16:
                message = job.push(0, step: step, .init(level: 1, index: mutator.below(4)), rank: 1)
            case 2: message = job.pull(0, step: step + mutator.below(2), ids: [[2, 5], [4]], rank: mutator.below(20))
            default: message = samples[mutator.below(samples.count)]
            }
            _ = job.send(mutator.below(16) == 0 ? message : mutator.damage(message), to: 0)
            #expect(job.shards[0].parked.count <= 2 * 16)
        }
        _ = job.shards[0].report()
    }
}
