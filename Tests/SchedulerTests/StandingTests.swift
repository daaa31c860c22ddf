import Telemetry
import Testing
import Wire

@testable import Scheduler

/// Where workers stand, and where they do not.
@Suite struct StandingTests {
    @Test("a worker that owns nothing stands at every step up to the next decision, and stops where the others do")
    func idleWorker() {
        var job = ScriptedJob()
        job.joinAll()
        #expect(job.send(.reached(Reached(from: 0, step: 4)), .worker, 1).actions.isEmpty)
        #expect(job.loop.lastStep == 0)
        // Undisturbed, both meet at the decision.
        #expect(job.reach(4, 0).decisions == [.score(split: "valid"), .score(split: "valid")])
        // Held, the idle one stops where the other one is.
        job = ScriptedJob()
        job.joinAll()
        job.send(.reached(Reached(from: 0, step: 4)), .worker, 1)
        _ = job.stop()
        #expect(job.reach(2, 0).snapshots == [2])
        _ = job.part(2)
        #expect(job.committed(2).verdicts == [Verdict(step: 2, action: .stop), Verdict(step: 2, action: .stop)])
    }

    @Test("a worker that stands where nothing is decided fails the job by name")
    func nowhere() {
        let place = "worker 1 stands at steps"
        for (reached, what) in [
            (Reached(step: 3), place), (Reached(from: 5, step: 4), place), (Reached(step: 400), place),
            (Reached(step: -4), "worker 1: it sent what cannot be read: the text of reached does not decode"),
        ] {
            var job = ScriptedJob()
            job.joinAll()
            var effects = job.send(.reached(reached), .worker, 1)
            job.loop.now = job.now + .seconds(1)
            job.loop.tick()
            effects.take(from: &job.loop)
            #expect(effects.failures.first?.what.contains(what) == true)
        }
    }
}
