import Datasets
import Evaluation
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

    enum Phase: Equatable {
        case filling
        case pulling(since: ContinuousClock.Instant)
        case computing(since: ContinuousClock.Instant)
        case awaitingVerdict
        case finished
    }

    /// The plans of one activity: the one in work and the one that is filled meanwhile.
    struct Lane {
        var current: StepPlan
        var next: StepPlan
        var nextIsReady = false

        /// The filled plan becomes the one in work.
        mutating func advance() { (current, next) = (next, current) }
    }

    /// Seconds by what they were spent on, since the last progress message and in all.
    struct Times {
        var compute = 0.0
        var wait = 0.0
        var wire = 0.0
        var read = 0.0
    }

    let options: WorkerOptions
    let compute: StepCompute
    let client: ParameterClient
    let identity: Header
    var phase = Phase.filling
    var training: Lane
    var scoring: Lane
    var score: Scoring?
    var step: Int
    /// Whether it waits for a verdict after every step.
    private(set) var isHeld = false
    var times = Times()
    /// Everything since the start but the times of the current window and what the client counts.
    var counts = WorkerReport()
    /// When the last step's values were in.
    var lastPulled: ContinuousClock.Instant?
    /// Since when it waits for the verdict, and how often it has waited for what.
    var verdictSince: ContinuousClock.Instant?
    var waitCounts = (values: 0, verdict: 0)
    private var epochOrder: (epoch: Int, order: DataOrder)?
    let window = ProgressWindow()
    var roundComputed: ContinuousClock.Instant?

    /// - Parameters:
    ///   - identity: a header with the job, epoch, rank and incarnation of this worker.
    ///   - computed: called on a compute thread when a round's last micro-batch is done.
    package init(_ options: WorkerOptions, identity: Header, computed: @escaping @Sendable () -> Void) {
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
        counts.threads = options.threads
        counts.waitByShard = [Double](repeating: 0, count: options.map.shards)
        training = lane()
        scoring = lane()
        step = plan.startStep
    }

    /// Where it stands, in words.
    package var state: String {
        switch phase {
        case .filling: "reading"
        case .pulling: "waiting for \(client.waitsFor)"
        case .computing: "computing"
        case .awaitingVerdict: "waiting for the scheduler's verdict"
        case .finished: "finished"
        }
    }

    /// From now on it stops after every step, beginning with the one that it is in, and asks what to do.
    package func hold() { isHeld = true }

    /// The step in work.
    package var currentStep: Int { step }

    /// Begins: reads the first step, or reports at once when there is nothing to train.
    package func begin(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        guard step < options.plan.lastStep else {
            awaitVerdict(at: time)
            actions.append(.control(.reached(Reached(step: step))))
            return
        }
        step += 1
        prepareTraining(step)
        phase = .filling
        start(nil, .train, fill: training.next, from: source(of: step), &actions)
    }

    /// Sets up the next plan for a training step.
    func prepareTraining(_ step: Int) {
        let plan = training.next
        plan.step = step
        plan.microBatchCount = options.plan.microBatches(of: step)
        plan.owned = Subtree.block(options.rank, of: options.workers, over: plan.microBatchCount)
        training.nextIsReady = false
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

    /// Starts a round of the pool.
    func start(
        _ plan: StepPlan?, _ mode: StepCompute.Mode, fill next: StepPlan?, from source: StepCompute.Source?,
        _ actions: inout [Action]
    ) {
        let tasks = compute.prepare(plan, mode, fill: next, from: source)
        actions.append(.compute(tasks: tasks))
    }

    /// Asks for the rows of a plan that is filled.
    func pull(_ plan: StepPlan, evaluation: Bool, at time: ContinuousClock.Instant, _ actions: inout [Action]) {
        for index in plan.tables.indices {
            compute.values[index].resize(plan.tables[index].ids.count * options.model.tables[index].width)
        }
        let began = ContinuousClock.now
        let messages = client.pull(plan, evaluation: evaluation, at: time)
        times.wire += began.duration(to: .now) / .seconds(1)
        phase = .pulling(since: time)
        waitCounts.values += 1
        for out in messages { actions.append(.data(shard: out.shard, out.message)) }
    }
}
