import Telemetry
import Wire

@testable import Scheduler

/// A job as its scheduler sees it, whose nodes say what a test wants: one server, two workers, decisions at steps 4 and 8.
struct ScriptedJob {
    var loop: SchedulerLoop
    var now = ContinuousClock.now
    let options: SchedulerOptions

    init(
        checkpoints: String? = "c", every: Int = 0, startStep: Int = 0, judgement: Judgement? = nil, patience: Int = 0,
        shards: Int = 1, gain: Double = 0, metric: Metric = .auc
    ) {
        let plan = JobPlan(
            trainSamples: 40, batch: 10, microBatch: 5, epochs: 3, startStep: startStep, evaluation: .perEpoch(1),
            checkpointEvery: every)
        var options = SchedulerOptions(
            job: 5, servers: 1, shardsPerServer: shards, workers: 2, config: "seed: 1", plan: plan,
            splits: ["valid": 4, "test": 4], validation: "valid", test: "test",
            earlyStop: patience > 0 ? .init(patience: patience, minimumGain: gain) : nil, checkpoints: checkpoints,
            judgement: judgement)
        options.metric = metric
        self.options = options
        loop = SchedulerLoop(options, at: now)
    }

    private static let endpoints = ["inproc://s", "inproc://s1", "inproc://s2"]

    func header(_ role: Role, _ rank: Int) -> Header {
        Header(.hello, role: role, rank: UInt16(rank), incarnation: 1, job: 0, epoch: 0)
    }

    static func connection(_ role: Role, _ rank: Int) -> [UInt8] { [role.rawValue, UInt8(rank)] }

    @discardableResult
    mutating func send(_ control: Control, _ role: Role, _ rank: Int) -> SchedulerLoop.Effects {
        var effects = SchedulerLoop.Effects()
        loop.now = now
        loop.receive(control.message(header(role, rank)), from: ScriptedJob.connection(role, rank))
        effects.take(from: &loop)
        return effects
    }

    @discardableResult
    mutating func join(_ role: Role, _ rank: Int) -> SchedulerLoop.Effects {
        send(
            .hello(
                Hello(
                    role: role, wantedRank: rank,
                    endpoints: role == .server ? Self.endpoints[0..<options.shardsPerServer].map(\.self) : [],
                    host: "h", pid: rank, processor: "p", blas: "b", version: "1")),
            role, rank)
    }

    mutating func joinAll() {
        join(.server, 0)
        join(.worker, 0)
        join(.worker, 1)
    }

    @discardableResult
    mutating func reach(_ step: Int, _ worker: Int) -> SchedulerLoop.Effects {
        send(.reached(Reached(step: step)), .worker, worker)
    }

    @discardableResult
    mutating func score(
        _ split: String, step: Int, quality: Float = 1, labels: [Float] = [1, 0]
    ) -> SchedulerLoop.Effects {
        var effects = SchedulerLoop.Effects()
        for worker in 0..<2 {
            effects = SchedulerLoop.Effects()
            let message = Message.scores(
                header(.worker, worker), range: ScoresRange(split: split, step: step, first: worker * 2, count: 2),
                logits: Payload(copying: [quality + Float(worker), 0.5]), labels: Payload(copying: labels),
                keys: Payload(copying: [UInt64(1), 1]))
            loop.now = now
            loop.receive(message, from: ScriptedJob.connection(.worker, worker))
            effects.take(from: &loop)
            loop.measure(&effects)
        }
        return effects
    }

    mutating func stop(_ cause: StopCause = .terminated) -> SchedulerLoop.Effects {
        var effects = SchedulerLoop.Effects()
        loop.now = now
        loop.stop(for: cause)
        effects.take(from: &loop)
        return effects
    }

    mutating func part(_ step: Int, _ shard: Int = 0) -> SchedulerLoop.Effects {
        send(
            .snapshotDone(
                SnapshotDone(
                    step: step, shard: shard, file: "f", rows: 1, bytes: 1, checksum: "c", partitions: [0], tables: [])),
            .server, 0)
    }

    mutating func committed(_ step: Int, fails: Bool = false) -> SchedulerLoop.Effects {
        struct Full: Error {}
        var effects = SchedulerLoop.Effects()
        loop.now = now
        loop.committed(step: step, fails ? .failure(Full()) : .success((path: "p", seconds: 0, bytes: 1)))
        effects.take(from: &loop)
        return effects
    }

    /// All report; returns how it ended.
    mutating func leave() -> SchedulerLoop.Effects {
        send(.stopped(NodeReport()), .worker, 0)
        send(.stopped(NodeReport()), .worker, 1)
        return send(.stopped(NodeReport()), .server, 0)
    }
}

extension SchedulerLoop.Effects {
    /// Adds what a loop wants done.
    mutating func take(from loop: inout SchedulerLoop) {
        let effects = loop.takeEffects()
        actions += effects.actions
        events += effects.events
    }

    var holds: [[UInt8]] {
        actions.compactMap { if case .send(let to, .hold, _) = $0 { to } else { nil } }
    }
    var verdicts: [Verdict] {
        actions.compactMap { if case .send(_, .verdict(let verdict), _) = $0 { verdict } else { nil } }
    }
    var decisions: [Verdict.Action] { verdicts.map(\.action) }
    var snapshots: [Int] {
        actions.compactMap { if case .send(_, .snapshot(let request), _) = $0 { request.step } else { nil } }
    }
    var commits: [Judgement] {
        actions.compactMap { if case .commit(_, _, let judgement) = $0 { judgement } else { nil } }
    }
    var discards: [Int] {
        actions.compactMap { if case .discard(let step) = $0 { step } else { nil } }
    }
    var stops: [String] {
        actions.compactMap { if case .send(_, .stop(let stop), _) = $0 { stop.reason } else { nil } }
    }
    var isEnd: Bool { actions.contains { if case .end = $0 { true } else { false } } }
    var stopped: (outcome: Outcome, cause: StopCause)? {
        for case .stopped(let outcome, let cause) in events { return (outcome, cause) }
        return nil
    }
    var hasFinished: Bool {
        events.contains { if case .finished = $0 { true } else { false } }
    }
    var failures: [FailureReport] {
        events.compactMap { if case .failed(let report) = $0 { report } else { nil } }
    }
}
