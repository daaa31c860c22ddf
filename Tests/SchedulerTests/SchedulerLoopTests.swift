import Telemetry
import Testing
import Wire

@testable import Scheduler

extension ScriptedJob {
    /// Scores of half the split by a worker; the better the quality, the higher positives score.
    mutating func scores(_ split: String, step: Int, _ worker: Int, quality: Float) -> SchedulerLoop.Effects {
        var effects = SchedulerLoop.Effects()
        let message = Message.scores(
            header(.worker, worker), range: ScoresRange(split: split, step: step, first: worker * 2, count: 2),
            logits: Payload(copying: [quality + Float(worker), 0.5]), labels: Payload(copying: [Float(1), 0]),
            keys: Payload(copying: [UInt64(1), 1]))
        loop.now = now
        loop.receive(message, from: ScriptedJob.connection(.worker, worker))
        effects.take(from: &loop)
        loop.measure(&effects)
        return effects
    }

    /// All workers reach a step and score the validation split.
    mutating func evaluate(step: Int, quality: Float) -> SchedulerLoop.Effects {
        send(.reached(Reached(step: step)), .worker, 0)
        send(.reached(Reached(step: step)), .worker, 1)
        _ = scores("valid", step: step, 0, quality: quality)
        return scores("valid", step: step, 1, quality: quality)
    }
}

extension SchedulerLoop {
    /// What the scheduler's clerk does: the metrics of books that are complete.
    mutating func measure(_ effects: inout Effects) {
        for case .measure(let book, let split, let step) in effects.actions {
            measured(book.metrics(), split: split, step: step)
        }
        effects.take(from: &self)
    }
}

extension SchedulerLoop.Effects {
    fileprivate var welcomes: [Welcome] {
        actions.compactMap { if case .send(_, .welcome(let welcome), _) = $0 { welcome } else { nil } }
    }
    fileprivate var commitSteps: [Int] {
        actions.compactMap { if case .commit(let step, _, _) = $0 { step } else { nil } }
    }
}

@Suite struct SchedulerLoopTests {
    private let done = SnapshotDone(
        step: 4, shard: 0, file: "f", rows: 1, bytes: 1, checksum: "c", partitions: [0], tables: [])

    @Test("nodes may join in any order, and all are welcomed when the last has come")
    func joining() {
        var cluster = ScriptedJob()
        #expect(cluster.join(.worker, 1).welcomes.isEmpty)
        #expect(cluster.join(.server, 0).welcomes.isEmpty)
        let welcomes = cluster.join(.worker, 0).welcomes
        #expect(welcomes.count == 3)
        #expect(welcomes.allSatisfy { $0.servers == [["inproc://s"]] && $0.workers == 2 && $0.config == "seed: 1" })
    }

    @Test("a rank that is taken or does not exist is refused, naming who has it")
    func refusedRank() {
        var cluster = ScriptedJob()
        cluster.join(.worker, 1)
        var effects = SchedulerLoop.Effects()
        let hello = Hello(role: .worker, wantedRank: 1, host: "x", pid: 7, processor: "p", blas: "b", version: "1")
        let header = Header(.hello, role: .worker, rank: 0, incarnation: 1, job: 0, epoch: 0)
        cluster.loop.now = cluster.now
        cluster.loop.receive(Control.hello(hello).message(header), from: [99])
        effects.take(from: &cluster.loop)
        // Whether the one who has the rank lives shows when it says hello again.
        #expect(effects.actions.isEmpty)
        cluster.now += .milliseconds(500)
        cluster.join(.worker, 1)
        cluster.loop.now = cluster.now
        cluster.loop.receive(Control.hello(hello).message(header), from: [99])
        effects.take(from: &cluster.loop)
        guard case .send(_, .stop(let stop), _) = effects.actions.first else {
            Issue.record("no refusal")
            return
        }
        #expect(stop.reason.contains("worker 1 has joined already, from h, process 1"))
    }

    @Test("a node without a rank that repeats its hello holds one rank, not two")
    func repeatedHello() {
        var cluster = ScriptedJob()
        let hello = Hello(role: .worker, host: "h", pid: 7, processor: "p", blas: "b", version: "1")
        for _ in 0..<3 { cluster.send(.hello(hello), .worker, 0) }
        cluster.join(.server, 0)
        #expect(cluster.loop.members.missing == ["worker 2 of 2"])
    }

    @Test("who is missing is told after 5 s and is an error after the start timeout")
    func missing() {
        var cluster = ScriptedJob()
        cluster.join(.server, 0)
        var effects = SchedulerLoop.Effects()
        let start = cluster.now
        // Who waits for the others says hello once a second.
        cluster.now = start + .seconds(6)
        cluster.join(.server, 0)
        cluster.loop.now = cluster.now
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        guard case .waiting(let wait) = effects.events.first else {
            Issue.record("nothing was told")
            return
        }
        #expect(wait.name == "worker 1 of 2, worker 2 of 2 to join" && wait.seconds == 6)
        cluster.now = start + .seconds(200)
        cluster.join(.server, 0)
        cluster.loop.now = cluster.now
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        cluster.loop.now = start + .seconds(201)
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        #expect(effects.failures.first?.what.contains("worker 1 of 2, worker 2 of 2 did not join") == true)
    }

    @Test("a silent node fails the job by name")
    func silence() {
        var cluster = ScriptedJob()
        cluster.joinAll()
        cluster.now += .seconds(15)
        cluster.send(.heartbeat(Heartbeat(step: 3, state: "computing")), .worker, 0)
        cluster.send(.heartbeat(Heartbeat(step: 3, state: "serving")), .server, 0)
        var effects = SchedulerLoop.Effects()
        cluster.loop.now = cluster.now + .seconds(6)
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        cluster.loop.now = cluster.now + .seconds(7)
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        #expect(effects.failures.first?.what.contains("worker 1 on h (process 1) has been silent") == true)
    }

    @Test("a better state is written and tested before training goes on, a worse one is neither")
    func best() {
        var cluster = ScriptedJob()
        cluster.joinAll()
        let judged = cluster.evaluate(step: 4, quality: 1)
        #expect(judged.snapshots.count == 1 && judged.decisions == [.score(split: "test"), .score(split: "test")])
        // The manifest has the test split's metrics, too.
        #expect(cluster.send(.snapshotDone(done), .server, 0).commitSteps.isEmpty)
        _ = cluster.scores("test", step: 4, 0, quality: 1)
        let scored = cluster.scores("test", step: 4, 1, quality: 1)
        #expect(scored.commitSteps == [4] && scored.decisions.isEmpty)
        var effects = SchedulerLoop.Effects()
        cluster.loop.now = cluster.now
        cluster.loop.committed(step: 4, .success((path: "p", seconds: 0, bytes: 3)))
        effects.take(from: &cluster.loop)
        #expect(effects.decisions == [.proceed, .proceed])
        #expect(cluster.loop.judgement.bestStep == 4 && cluster.loop.judgement.test?.auc == 1)

        let worse = cluster.evaluate(step: 8, quality: -1)
        #expect(worse.snapshots.isEmpty && worse.decisions == [.proceed, .proceed])
        #expect(cluster.loop.judgement.bestStep == 4 && cluster.loop.judgement.step == 8)
    }

    @Test("training stops early when the metric no longer gets better, and ends when all have reported")
    func earlyStop() {
        var cluster = ScriptedJob(checkpoints: nil, patience: 1)
        cluster.joinAll()
        _ = cluster.evaluate(step: 4, quality: 1)
        _ = cluster.scores("test", step: 4, 0, quality: 1)
        _ = cluster.scores("test", step: 4, 1, quality: 1)
        #expect(cluster.evaluate(step: 8, quality: -1).decisions == [.stop, .stop])
        let report = NodeReport()
        cluster.send(.stopped(report), .worker, 0)
        let last = cluster.send(.stopped(report), .worker, 1)
        #expect(last.actions.contains { if case .send([1, 0], .stop, _) = $0 { true } else { false } })
        let end = cluster.send(.stopped(report), .server, 0)
        guard case .finished(let outcome) = end.events.last else {
            Issue.record("not finished")
            return
        }
        #expect(outcome.bestStep == 4 && outcome.step == 8 && outcome.reason.contains("no better auc"))
    }

    @Test("by log loss the lower one is the better state, and a gain that is too small is none")
    func otherRules() {
        var job = ScriptedJob(metric: .logLoss)
        job.joinAll()
        // Both have an AUC of 1.
        _ = job.evaluate(step: 4, quality: 0.6)
        _ = job.score("test", step: 4, quality: 0.6)
        _ = job.part(4)
        _ = job.committed(4)
        #expect(job.evaluate(step: 8, quality: 3).decisions == [.score(split: "test"), .score(split: "test")])

        var strict = ScriptedJob(checkpoints: nil, patience: 1, gain: 0.5)
        strict.joinAll()
        _ = strict.evaluate(step: 4, quality: 1)
        _ = strict.score("test", step: 4, quality: 1)
        #expect(strict.evaluate(step: 8, quality: 3).decisions == [.stop, .stop])
    }

    @Test("a failure of one node stops all and is reported once")
    func failure() {
        var cluster = ScriptedJob()
        cluster.joinAll()
        let first = cluster.send(.failed(Failure(role: .worker, rank: 1, message: "no data")), .worker, 1)
        #expect(first.failures.isEmpty)
        #expect(first.actions.count { if case .send(_, .stop, _) = $0 { true } else { false } } == 3)
        #expect(cluster.send(.failed(Failure(role: .worker, rank: 0, message: "me too")), .worker, 0).failures.isEmpty)
        var effects = SchedulerLoop.Effects()
        cluster.loop.now = cluster.now + .seconds(1)
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        cluster.loop.now = cluster.now + .seconds(2)
        cluster.loop.tick()
        effects.take(from: &cluster.loop)
        #expect(effects.failures.map(\.what) == ["worker 1: no data"])
    }

    @Test("a planned checkpoint of a state that is scored and no better is written, when its parts come first and last")
    func plannedCheckpoint() {
        for isFirst in [true, false] {
            var cluster = ScriptedJob(every: 8)
            cluster.joinAll()
            _ = cluster.evaluate(step: 4, quality: 2)
            cluster.send(.snapshotDone(done), .server, 0)
            _ = cluster.scores("test", step: 4, 0, quality: 1)
            _ = cluster.scores("test", step: 4, 1, quality: 1)
            var effects = SchedulerLoop.Effects()
            cluster.loop.now = cluster.now
            cluster.loop.committed(step: 4, .success((path: "p", seconds: 1, bytes: 1)))
            effects.take(from: &cluster.loop)
            #expect(effects.decisions == [.proceed, .proceed])

            let part = SnapshotDone(
                step: 8, shard: 0, file: "f", rows: 1, bytes: 1, checksum: "c", partitions: [0], tables: [])
            // Before the first worker says that it has arrived, too.
            if isFirst { #expect(cluster.send(.snapshotDone(part), .server, 0).commitSteps.isEmpty) }
            let judged = cluster.evaluate(step: 8, quality: -2)
            #expect(judged.commitSteps == (isFirst ? [8] : []))
            if !isFirst { #expect(cluster.send(.snapshotDone(part), .server, 0).commitSteps == [8]) }
            cluster.loop.now = cluster.now + .seconds(30)
            cluster.loop.tick()
            effects.take(from: &cluster.loop)
            #expect(
                cluster.loop.waits.reports(at: cluster.now + .seconds(30)).allSatisfy {
                    !$0.name.contains("checkpoint")
                })
        }
    }

    @Test("a checkpoint that cannot be written is reported and does not hold training up")
    func checkpointFails() {
        struct Full: Error {}
        var cluster = ScriptedJob()
        cluster.joinAll()
        _ = cluster.evaluate(step: 4, quality: 1)
        cluster.send(.snapshotDone(done), .server, 0)
        _ = cluster.scores("test", step: 4, 0, quality: 1)
        _ = cluster.scores("test", step: 4, 1, quality: 1)
        var effects = SchedulerLoop.Effects()
        cluster.loop.now = cluster.now
        cluster.loop.committed(step: 4, .failure(Full()))
        effects.take(from: &cluster.loop)
        #expect(effects.decisions == [.proceed, .proceed])
    }
}
