import Extremes
import Testing
import Wire

@testable import Scheduler

/// A scheduler amid messages that nobody of its job would send, from its nodes and from strangers.
@Suite struct HostileMessagesTests {
    private static let senders: [(role: Role, connection: [UInt8])] = [
        (.worker, [2, 0]), (.server, [1, 0]), (.monitor, [9, 9]),
    ]

    private func header(_ role: Role) -> Header {
        Header(.hello, role: role, rank: 0, incarnation: 1, job: 5, epoch: 1)
    }

    /// A job of one server and one worker that is on its way.
    private func running() -> SchedulerLoop {
        let options = SchedulerOptions(
            job: 5, servers: 1, shardsPerServer: 1, workers: 1, config: "seed: 1",
            plan: JobPlan(trainSamples: 40, batch: 10, microBatch: 5, epochs: 2, evaluation: .perEpoch(1)),
            splits: ["valid": 4, "test": 4], validation: "valid", test: "test", earlyStop: nil, checkpoints: "c")
        var loop = SchedulerLoop(options, at: .now)
        for (role, connection) in Self.senders.prefix(2) {
            let hello = Hello(
                role: role, wantedRank: 0, endpoints: role == .server ? ["inproc://s"] : [], host: "h", pid: 1,
                processor: "p", blas: "b", version: "1")
            take(Control.hello(hello).message(header(role)), connection, &loop)
            take(Control.ready(Ready()).message(header(role)), connection, &loop)
        }
        return loop
    }

    private func take(_ message: Message, _ connection: [UInt8], _ loop: inout SchedulerLoop) {
        var effects = SchedulerLoop.Effects()
        loop.now = .now
        loop.receive(message, from: connection)
        effects.take(from: &loop)
    }

    @Test(
        "every kind, with every field at its extremes, from whomever, is taken or dropped",
        arguments: MessageKind.allCases)
    func extremes(kind: MessageKind) {
        let start = running()
        for (role, connection) in Self.senders {
            let message = Samples.message(kind, header(role))
            var variants = [message] + Extremes.headers(of: message) + Extremes.frames(of: message)
            if role == (kind == .snapshotDone ? .server : .worker) { variants += Extremes.bodies(of: message) }
            for variant in variants {
                var loop = start
                take(variant, connection, &loop)
                #expect(loop.members.entries.count == start.members.entries.count)
            }
        }
    }

    @Test("messages damaged by chance do not end a scheduler")
    func mutations() {
        var mutator = Mutator(seed: 2)
        let start = running()
        var loop = start
        let samples = MessageKind.allCases.map { kind in Self.senders.map { Samples.message(kind, header($0.role)) } }
        for number in 0..<Mutator.count(normally: 2000) {
            if number % 50 == 49 { loop = start }
            let sender = mutator.below(3)
            let message = samples[mutator.below(samples.count)][sender]
            take(mutator.below(8) == 0 ? message : mutator.damage(message), Self.senders[sender].connection, &loop)
            var effects = SchedulerLoop.Effects()
            loop.now = .now
            loop.tick()
            effects.take(from: &loop)
        }
        #expect(loop.members.entries.count == start.members.entries.count)
    }
}
