import Datasets
import Models
import Telemetry
import Tensors
package import Wire

/// A worker as a state machine: answers, verdicts and the end of compute rounds go in, messages come out.
///
/// A round computes the micro-batches of one step and fills those of the next; the pull of the next step is sent as
/// soon as its batches are filled, and the shards answer it when the step before is complete (`design.md` 4).
package final class WorkerLoop {
    /// Something for the thread around it to do.
    package enum Action {
        /// Send to a shard.
        case data(shard: Int, Message)
        /// Send to the scheduler.
        case control(Control)
        /// Send scores to the scheduler.
        case scores(Message)
        /// Start the pool on this many tasks.
        case compute(tasks: Int)
        /// All is done; report and leave.
        case finish
    }

    /// What it works on.
    enum Activity {
        /// The step in work.
        case training
        /// A split, after the step that it stands behind.
        case scoring(Scoring)
    }

    /// Where it is in its work; whatever is waited for has its time.
    enum Phase {
        /// Reads the first batches of an activity.
        case filling(Activity)
        /// Waits for the values of an activity's batches.
        case pulling(Activity, since: ContinuousClock.Instant)
        /// Computes, and fills the next batches meanwhile.
        case computing(Activity, since: ContinuousClock.Instant)
        /// Has computed, and still fills the next batches.
        case reading(Activity, since: ContinuousClock.Instant)
        /// Stands behind these steps, and waits for what the scheduler decides there.
        case standing(ClosedRange<Int>, since: ContinuousClock.Instant)
        /// All is done.
        case finished
    }

    /// The plans of one activity: the one in work and the one that is filled meanwhile.
    struct Lane {
        var current: StepPlan
        var next: StepPlan
        /// The training step that `next` is being filled with, and the one that it is filled with.
        var filling: Int?
        var ready: Int?

        /// The filled plan becomes the one in work, or the other way round.
        mutating func swap() { (current, next) = (next, current) }
    }

    /// The time: set by whoever drives the loop before each call.
    package var now: ContinuousClock.Instant
    /// What is to be done, and was not taken yet.
    var actions: [Action] = []
    let options: WorkerOptions
    let compute: StepCompute
    let client: ParameterClient
    let identity: Header
    var phase = Phase.filling(.training)
    var training: Lane
    var scoring: Lane
    /// The training step in work; between steps, the last one.
    package internal(set) var step: Int
    /// The last step in which this worker has nothing left to do.
    var done: Int
    /// A verdict that came before the worker stood where it belongs.
    var early: Verdict?
    /// Whether it waits for a verdict after every step.
    var isHeld = false
    /// Whether it has told that it cannot go on.
    var hasFailed = false
    /// What was counted up to the last progress message.
    var told = WorkerReport()
    /// When the last step's values were in.
    var lastPulled: ContinuousClock.Instant?
    /// How often it has waited for what.
    var waitCounts = (values: 0, verdict: 0)
    private var epochOrder: (epoch: Int, order: DataOrder)?
    let window = ProgressWindow()

    /// - Parameters:
    ///   - identity: a header with the job, epoch, rank and incarnation of this worker.
    ///   - computed: called on a compute thread when a round's last micro-batch is done.
    package init(
        _ options: WorkerOptions, identity: Header, at time: ContinuousClock.Instant = .now,
        computed: @escaping @Sendable () -> Void
    ) {
        now = time
        self.options = options
        self.identity = identity
        let plan = options.plan
        let owned = (plan.microBatches(over: plan.batch) + options.workers - 1) / options.workers
        let capacity = max(owned, 8)
        compute = StepCompute(
            model: options.model, schema: options.schema, historyLimit: options.historyLimit,
            threads: options.threads, capacity: capacity, seed: options.seed, computed: computed)
        client = ParameterClient(
            identity: identity, map: options.map, widths: options.model.tables.map(\.width),
            denseCount: options.model.layout.count, timeout: options.requestTimeout)
        func lane() -> Lane {
            Lane(
                current: StepPlan(schema: options.schema, map: options.map, capacity: capacity),
                next: StepPlan(schema: options.schema, map: options.map, capacity: capacity))
        }
        training = lane()
        scoring = lane()
        step = plan.startStep
        done = step
        client.counts.threads = options.threads
        client.counts.waitByShard = [Double](repeating: 0, count: options.map.shards)
    }

    /// Where it stands, in words.
    package var state: String {
        switch phase {
        case .filling: "reading"
        case .pulling: "waiting for \(client.waitsFor)"
        case .computing, .reading: "computing"
        // Others have micro-batches until then, and it has none.
        case .standing(let steps, _) where steps.count > 1:
            "idle until step \(steps.upperBound): it owns no micro-batch"
        case .standing: "waiting for the scheduler's verdict"
        case .finished: "finished"
        }
    }

    /// Hands over what is to be done.
    package func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// Begins: reads its first step, or stands at once where there is nothing to train.
    package func begin() {
        guard let first = nextOwn(after: done) else {
            moveOn(isDecided: false)
            return
        }
        prepareTraining(first)
        phase = .filling(.training)
        start(nil, .train, fill: training.next, from: source(of: first))
    }

    /// The next step of which this worker owns a micro-batch: of a step without any it asks for nothing and pushes nothing.
    func nextOwn(after step: Int) -> Int? {
        options.plan.nextStep(of: options.rank, among: options.workers, after: step)
    }

    /// Sets up the next plan for a training step.
    func prepareTraining(_ step: Int) {
        let plan = training.next
        plan.step = step
        plan.microBatchCount = options.plan.microBatches(of: step)
        plan.owned = options.plan.block(of: options.rank, among: options.workers, in: step)
        training.filling = step
        training.ready = nil
    }

    func source(of step: Int) -> StepCompute.Source? {
        guard let split = options.train else { return nil }
        let epoch = options.plan.epoch(of: step)
        if epochOrder?.epoch != epoch {
            epochOrder = (epoch, DataOrder(split, seed: options.seed, epoch: epoch))
        }
        return epochOrder.map {
            StepCompute.Source(
                split: split, order: $0.order, positions: options.plan.positions(of: step),
                size: options.plan.microBatch, negatives: options.negatives)
        }
    }

    /// The plan in work.
    func plan(of activity: Activity) -> StepPlan {
        switch activity {
        case .training: training.current
        case .scoring: scoring.current
        }
    }

    /// Starts a round of the pool.
    func start(_ plan: StepPlan?, _ mode: StepCompute.Mode, fill next: StepPlan?, from source: StepCompute.Source?) {
        let tasks = compute.prepare(plan, mode, fill: next, from: source)
        actions.append(.compute(tasks: tasks))
    }

    /// Computes a round's tasks on the calling thread: what the pool does, where there is none.
    package func compute(tasks: Int) {
        for task in 0..<tasks { compute.run(task: task, thread: 0) }
    }

    /// Asks for the rows of the plan in work, which is filled.
    func pull(for activity: Activity) {
        let plan = plan(of: activity)
        let isTraining = if case .training = activity { true } else { false }
        for index in plan.tables.indices {
            compute.values[index].resize(plan.tables[index].ids.count * options.model.tables[index].width)
        }
        let began = ContinuousClock.now
        send(client.pull(plan, evaluation: !isTraining, at: now))
        client.counts.pushSeconds += began.duration(to: .now) / .seconds(1)
        phase = .pulling(activity, since: now)
        waitCounts.values += 1
    }

    func send(_ messages: [ParameterClient.Outgoing]) {
        for out in messages { actions.append(.data(shard: out.shard, out.message)) }
    }
}
