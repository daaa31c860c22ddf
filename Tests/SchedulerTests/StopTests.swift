import Testing
import Wire

@testable import Scheduler
@testable import Telemetry

@Suite struct StopTests {
    @Test("workers at different steps are brought to the furthest, its state is written, and all leave")
    func differentSteps() {
        var job = ScriptedJob()
        job.joinAll()
        #expect(job.stop().holds == [ScriptedJob.connection(.worker, 0), ScriptedJob.connection(.worker, 1)])
        #expect(job.stop(.interrupted).holds.isEmpty)
        #expect(job.reach(6, 0).actions.isEmpty)
        #expect(job.reach(5, 1).verdicts == [Verdict(step: 5, action: .proceed)])
        let all = job.reach(6, 1)
        #expect(all.snapshots == [6] && all.verdicts.isEmpty)
        #expect(job.part(6).commits.count == 1)
        #expect(job.committed(6).decisions == [.stop, .stop])
        let end = job.leave()
        #expect(end.isEnd && end.stopped?.cause == .terminated && end.stopped?.outcome.step == 6)
        #expect(end.stopped?.outcome.reason == "stopped after step 6 at SIGTERM")
    }

    @Test("who is behind by several steps is brought on by one after the other, whoever speaks first")
    func farBehind() {
        var job = ScriptedJob()
        job.joinAll()
        _ = job.stop()
        job.reach(5, 1)
        #expect(job.reach(7, 0).verdicts == [Verdict(step: 5, action: .proceed)])
        #expect(job.reach(6, 1).verdicts == [Verdict(step: 6, action: .proceed)])
        #expect(job.reach(7, 1).snapshots == [7])
    }

    @Test("where the furthest stands at a step of decision, the decision comes first, and is not lost")
    func decisionFirst() {
        var job = ScriptedJob()
        job.joinAll()
        #expect(job.reach(4, 0).decisions.isEmpty)
        _ = job.stop()
        #expect(job.reach(3, 1).verdicts == [Verdict(step: 3, action: .proceed)])
        #expect(job.reach(4, 1).decisions == [.score(split: "valid"), .score(split: "valid")])
        let judged = job.score("valid", step: 4)
        #expect(judged.snapshots == [4] && judged.decisions == [.score(split: "test"), .score(split: "test")])
        #expect(job.part(4).commits.isEmpty)
        let known = job.score("test", step: 4).commits
        #expect(known.first?.bestStep == 4 && known.first?.test?.auc == 1 && known.first?.step == 4)
        #expect(job.committed(4).decisions == [.stop, .stop])
        #expect(job.leave().stopped?.outcome.step == 4)
    }

    @Test("a state that is no better is written too when the job stops there, whenever the signal comes")
    func noBetter() {
        for isLate in [false, true] {
            var job = ScriptedJob()
            job.joinAll()
            for step in [4, 8] {
                if step == 8, !isLate { _ = job.stop() }
                job.reach(step, 0)
                job.reach(step, 1)
                if step == 8, isLate { _ = job.stop() }
                let judged = job.score("valid", step: step, quality: step == 4 ? 1 : -2)
                if step == 8 { #expect(judged.snapshots == [8] && judged.decisions.isEmpty) }
                _ = job.part(step)
                job.score("test", step: step)
                _ = job.committed(step)
            }
            #expect(job.loop.judgement.bestStep == 4 && job.loop.judgement.withoutGain == 1)
            #expect(job.leave().stopped?.outcome.bestStep == 4)
        }
    }

    @Test(
        "workers that are held in front of the step after a decision stand where it was made, and it is not made again",
        arguments: [true, false])
    func decidedAlready(isBest: Bool) {
        var job = ScriptedJob(patience: 2)
        job.joinAll()
        for step in isBest ? [4] : [4, 8] {
            job.reach(step, 0)
            job.reach(step, 1)
            let judged = job.score("valid", step: step, quality: step == 4 ? 1 : -2)
            if step == 8 { #expect(judged.decisions == [.proceed, .proceed]) }
            guard step == 4 else { continue }
            _ = job.part(4)
            job.score("test", step: 4)
            #expect(job.committed(4).decisions == [.proceed, .proceed])
        }
        let step = isBest ? 4 : 8
        _ = job.stop()
        job.reach(step, 0)
        var last = job.reach(step, 1)
        #expect(!last.decisions.contains(.score(split: "valid")) && last.snapshots == (isBest ? [] : [8]))
        if !isBest {
            #expect(job.part(8).commits.first?.withoutGain == 1)
            last = job.committed(8)
        }
        #expect(last.decisions == [.stop, .stop])
        #expect(job.loop.judgement.withoutGain == (isBest ? 0 : 1) && job.leave().stopped?.outcome.step == step)
    }

    @Test(
        "a checkpoint of the plan at that step is not written twice, be its parts there or not", arguments: [0, 1, 2])
    func planned(progress: Int) {
        var job = ScriptedJob(every: 3)
        job.joinAll()
        _ = job.stop()
        if progress > 0 { #expect(job.part(3).commits.count == 1) }
        if progress > 1 { _ = job.committed(3) }
        job.reach(3, 0)
        var last = job.reach(3, 1)
        #expect(last.snapshots.isEmpty)
        if progress == 0 {
            #expect(job.part(3).commits.count == 1 && last.verdicts.isEmpty)
        }
        if progress < 2 { last = job.committed(3) }
        #expect(last.decisions == [.stop, .stop])
    }

    @Test("before all have joined the end comes at once, and who comes late is told")
    func gathering() {
        var job = ScriptedJob()
        job.join(.worker, 1)
        #expect(
            job.stop(.timeLimit(seconds: 2.5)).stops == ["stopped before the first step at the time limit of 2.5 s"])
        #expect(job.join(.server, 0).stops.count == 1)
        let last = job.join(.worker, 0)
        #expect(last.stops.count == 1 && last.isEnd && last.stopped?.outcome.step == 0)

        job = ScriptedJob()
        job.join(.worker, 1)
        _ = job.stop()
        var effects = SchedulerLoop.Effects()
        job.loop.now = job.now + .seconds(1)
        job.loop.tick()
        effects.take(from: &job.loop)
        #expect(!effects.isEnd)
        job.loop.now = job.now + .seconds(4)
        job.loop.tick()
        effects.take(from: &job.loop)
        #expect(effects.isEnd && effects.stopped != nil)
    }

    @Test("a job that keeps no checkpoints just stops")
    func withoutDirectory() {
        var job = ScriptedJob(checkpoints: nil)
        job.joinAll()
        _ = job.stop(.interrupted)
        job.reach(1, 0)
        let last = job.reach(1, 1)
        #expect(last.snapshots.isEmpty && last.decisions == [.stop, .stop])
        #expect(job.leave().stopped?.outcome.reason == "stopped after step 1 by Ctrl-C")
    }

    @Test("a node that dies while workers are held fails the job")
    func death() {
        var job = ScriptedJob()
        job.joinAll()
        _ = job.stop()
        job.reach(2, 0)
        let died = Evidence(
            .died, of: Member(role: .worker, rank: 1), what: "worker 1 was killed by signal 9 (SIGKILL)",
            cause: .killed, at: job.now)
        var effects = SchedulerLoop.Effects()
        job.loop.now = job.now
        job.loop.take(died)
        effects.take(from: &job.loop)
        #expect(effects.stops.count == 2)
        #expect(job.reach(2, 0).actions.isEmpty)
        job.loop.now = job.now + .seconds(1)
        job.loop.tick()
        effects.take(from: &job.loop)
        job.loop.now = job.now + .seconds(3)
        job.loop.tick()
        effects.take(from: &job.loop)
        #expect(effects.failures.map(\.first) == ["worker 1"] && effects.stopped == nil && effects.isEnd)
    }

    @Test("a checkpoint that cannot be written does not keep the job from stopping", arguments: [true, false])
    func notWritten(byShard: Bool) {
        var job = ScriptedJob()
        job.joinAll()
        _ = job.stop()
        job.reach(2, 0)
        job.reach(2, 1)
        let effects: SchedulerLoop.Effects
        if byShard {
            let failure = Failure(role: .server, rank: 0, step: 2, message: "no space left", checkpoint: 2, shard: 0)
            effects = job.send(.failed(failure), .server, 0)
            // Another shard's complaint of the same disk.
            #expect(job.send(.failed(failure), .server, 0).actions.isEmpty)
        } else {
            _ = job.part(2)
            effects = job.committed(2, fails: true)
        }
        let said = effects.events.contains { if case .checkpointFailed(2, _) = $0 { true } else { false } }
        #expect(said && effects.decisions == [.stop, .stop] && effects.failures.isEmpty)
        #expect(job.leave().stopped?.outcome.step == 2)
    }

    @Test("a node that is to leave asks for the same, and how it leaves is no news")
    func leaving() {
        var job = ScriptedJob()
        job.joinAll()
        #expect(job.send(.leaving(Leaving(isInterrupt: false)), .worker, 1).holds.count == 2)
        #expect(job.send(.leaving(Leaving(isInterrupt: false)), .worker, 1).actions.isEmpty)
        job.reach(2, 0)
        job.reach(2, 1)
        _ = job.part(2)
        _ = job.committed(2)
        job.send(.stopped(NodeReport()), .worker, 1)
        var effects = SchedulerLoop.Effects()
        let worker = Member(role: .worker, rank: 1)
        job.loop.now = job.now
        job.loop.take(Evidence(.died, of: worker, what: "worker 1 exited with code 143", at: job.now))
        effects.take(from: &job.loop)
        #expect(effects.events.isEmpty && effects.actions.isEmpty)
        job.send(.stopped(NodeReport()), .worker, 0)
        let end = job.send(.stopped(NodeReport()), .server, 0).stopped
        #expect(end?.cause == .node(worker, isInterrupt: false) && end?.cause.exitCode == 143)
        #expect(end?.outcome.reason == "stopped after step 2 at SIGTERM to worker 1")
        #expect(StopCause.node(worker, isInterrupt: true).exitCode == 130)
    }

    @Test("a signal after the last decision changes nothing: the job is finished")
    func tooLate() {
        var job = ScriptedJob(checkpoints: nil)
        job.joinAll()
        job.reach(12, 0)
        job.reach(12, 1)
        job.score("valid", step: 12)
        #expect(job.score("test", step: 12).decisions == [.stop, .stop])
        #expect(job.stop().actions.isEmpty)
        let end = job.leave()
        #expect(end.hasFinished && end.stopped == nil)
    }

    @Test("a job that goes on remembers what was best, and stops early when it would have")
    func memory() throws {
        var job = ScriptedJob(patience: 2)
        job.joinAll()
        job.reach(4, 0)
        job.reach(4, 1)
        job.score("valid", step: 4)
        _ = job.part(4)
        let known = try #require(job.score("test", step: 4).commits.first)
        #expect(known.bestStep == 4 && known.withoutGain == 0)

        var second = ScriptedJob(startStep: 4, judgement: known, patience: 2)
        second.joinAll()
        second.reach(8, 0)
        second.reach(8, 1)
        #expect(second.score("valid", step: 8, quality: -2).decisions == [.proceed, .proceed])
        _ = second.stop()
        second.reach(9, 0)
        second.reach(9, 1)
        let later = try #require(second.part(9).commits.first)
        #expect(later.bestStep == 4 && later.withoutGain == 1 && later.step == 8 && later.test == known.test)

        var third = ScriptedJob(checkpoints: nil, startStep: 9, judgement: later, patience: 1)
        third.joinAll()
        third.reach(12, 0)
        third.reach(12, 1)
        #expect(third.score("valid", step: 12, quality: -2).decisions == [.stop, .stop])
        guard case .finished(let outcome)? = third.leave().events.last else {
            Issue.record("not finished")
            return
        }
        #expect(outcome.bestStep == 4 && outcome.bestValidation == known.best && outcome.test == known.test)
    }

    @Test("what was chosen by something else is forgotten, and that is said")
    func otherBasis() {
        var job = ScriptedJob(judgement: Judgement(basis: "other", step: 2, bestStep: 2))
        job.join(.server, 0)
        job.join(.worker, 0)
        let started = job.join(.worker, 1).events
        let warnings = started.compactMap { if case .started(_, let texts) = $0 { texts } else { nil } }.joined()
        #expect(warnings.count == 1 && warnings.first?.contains("forgotten") == true)
        #expect(job.loop.judgement.bestStep == nil)
    }

    @Test("parts that come after a later decision are committed with what was known of their step")
    func lateParts() {
        var job = ScriptedJob(every: 3)
        job.joinAll()
        job.reach(4, 0)
        job.reach(4, 1)
        job.score("valid", step: 4)
        #expect(job.part(3).commits.first?.bestStep == nil)
        #expect(job.loop.judgement.bestStep == 4)
    }
}
