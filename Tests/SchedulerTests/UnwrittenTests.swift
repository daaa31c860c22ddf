import Telemetry
import Testing
import Wire

@testable import Scheduler

/// Checkpoints that cannot be written.
@Suite struct UnwrittenTests {
    @Test("a planned checkpoint that cannot be written is told, its pieces are removed, and training goes on")
    func notWrittenInTraining() {
        var job = ScriptedJob(every: 3)
        job.joinAll()
        let failure = Failure(role: .server, rank: 0, step: 3, message: "no space left", checkpoint: 3, shard: 0)
        let effects = job.send(.failed(failure), .server, 0)
        let said = effects.events.contains { if case .checkpointFailed(3, _) = $0 { true } else { false } }
        #expect(said && effects.stops.isEmpty && effects.failures.isEmpty && effects.discards == [3])
        job.reach(4, 0)
        #expect(job.reach(4, 1).decisions == [.score(split: "valid"), .score(split: "valid")])
    }

    @Test("nothing is removed, and nobody leaves, before every shard has said how its part went", arguments: [0, 1])
    func waitsForAll(first: Int) {
        var job = ScriptedJob(shards: 2)
        job.joinAll()
        _ = job.stop()
        job.reach(2, 0)
        job.reach(2, 1)
        let failure = Failure(role: .server, rank: 0, step: 2, message: "no space left", checkpoint: 2, shard: 0)
        let effects = (0..<2).map { turn in
            turn == first ? job.send(.failed(failure), .server, 0) : job.part(2, 1)
        }
        #expect(effects[0].actions.isEmpty && effects[0].events.isEmpty)
        #expect(effects[1].discards == [2] && effects[1].commits.isEmpty && effects[1].decisions == [.stop, .stop])
    }

    @Test("the best state goes on without its checkpoint, the last one fails the job", arguments: [true, false])
    func lastNotWritten(byShard: Bool) {
        var job = ScriptedJob()
        job.joinAll()
        for step in [4, 12] {
            job.reach(step, 0)
            job.reach(step, 1)
            job.score("valid", step: step, quality: step == 4 ? 0 : 1)
            var effects: SchedulerLoop.Effects
            if byShard {
                job.score("test", step: step)
                effects = job.send(
                    .failed(
                        Failure(role: .server, rank: 0, step: step, message: "no space", checkpoint: step, shard: 0)),
                    .server, 0)
            } else {
                _ = job.part(step)
                job.score("test", step: step)
                effects = job.committed(step, fails: true)
            }
            guard step == 12 else {
                #expect(effects.decisions == [.proceed, .proceed])
                continue
            }
            #expect(effects.decisions.isEmpty && effects.stops.count == 3)
            job.loop.now = job.now + .seconds(1)
            job.loop.tick()
            effects.take(from: &job.loop)
            #expect(effects.failures.first?.what.contains("the last checkpoint, of step 12, cannot be written") == true)
        }
    }

    @Test("parts of states that nobody wants written are not kept, and a worker that says it has one has failed")
    func unwanted() {
        var job = ScriptedJob(every: 3)
        job.joinAll()
        for step in [1, 2, 4, 5] { _ = job.part(step) }
        #expect(job.loop.parts.isEmpty)
        _ = job.part(3)
        let failure = Failure(role: .worker, rank: 0, step: 3, message: "no part", checkpoint: 3, shard: 0)
        #expect(job.send(.failed(failure), .worker, 0).stops.count == 3)
    }
}
