package import Telemetry
package import Wire

/// What the scheduler is built from.
package struct SchedulerOptions: Sendable {
    /// When training ends before its last step.
    package struct EarlyStop: Sendable, Equatable {
        /// Evaluations without a better metric that are endured.
        package var patience: Int
        /// By how much a metric must be better to count.
        package var minimumGain: Double

        /// Both.
        package init(patience: Int, minimumGain: Double) {
            self.patience = patience
            self.minimumGain = minimumGain
        }
    }

    /// The job, drawn at its start.
    package var job: UInt64
    /// What nodes may say that they were started for; empty to take any.
    package var name = ""
    /// Server processes.
    package var servers: Int
    /// Shards of each.
    package var shardsPerServer: Int
    /// Worker processes.
    package var workers: Int
    /// The resolved config, as every node gets it.
    package var config: String
    /// The steps.
    package var plan: JobPlan
    /// Samples by split that can be scored.
    package var splits: [String: Int]
    /// The split that is scored while training, if any.
    package var validation: String?
    /// The split that is scored at every new best state, and at the end.
    package var test: String?
    /// By what the best state is chosen.
    package var metric: Metric
    /// When to stop early, if at all.
    package var earlyStop: EarlyStop?
    /// Whether the best state is kept as a checkpoint.
    package var keepBest: Bool
    /// Whether a checkpoint is written at the end.
    package var keepLast: Bool
    /// The directory of checkpoints; `nil` writes none.
    package var checkpoints: String?
    /// A checkpoint to start from, and what nodes are told of it.
    package var resume: String?
    /// Whether nodes take its weights alone, and the optimizers begin afresh.
    package var resetsOptimizer = false
    /// What the run that is resumed knew of its evaluations.
    package var judgement: Judgement?
    /// Silence after which a node is taken for dead.
    package var silence: Duration
    /// Time for all nodes to arrive.
    package var startTimeout: Duration
    /// How long the scheduler still answers those who look after the job has failed.
    package var linger: Duration
    /// The program's version, which every node must have; empty to take any.
    package var version: String
    /// By what nodes know the dataset; empty when they need not look.
    package var dataset: String
    /// Which start of the run this is, from 1: nodes of a later one count as restarted.
    package var attempt: Int

    /// Every property in its order.
    package init(
        job: UInt64, servers: Int, shardsPerServer: Int, workers: Int, config: String, plan: JobPlan,
        splits: [String: Int], validation: String?, test: String?, metric: Metric = .auc, earlyStop: EarlyStop? = nil,
        keepBest: Bool = true, keepLast: Bool = true, checkpoints: String?, resume: String? = nil,
        judgement: Judgement? = nil, silence: Duration = .seconds(20),
        startTimeout: Duration = .seconds(120), linger: Duration = .zero, version: String = "", dataset: String = "",
        attempt: Int = 1
    ) {
        self.job = job
        self.servers = servers
        self.shardsPerServer = shardsPerServer
        self.workers = workers
        self.config = config
        self.plan = plan
        self.splits = splits
        self.validation = validation
        self.test = test
        self.metric = metric
        self.earlyStop = earlyStop
        self.keepBest = keepBest
        self.keepLast = keepLast
        self.checkpoints = checkpoints
        self.resume = resume
        self.judgement = judgement
        self.silence = silence
        self.startTimeout = startTimeout
        self.linger = linger
        self.version = version
        self.dataset = dataset
        self.attempt = attempt
    }

    /// By what states are compared, and on which data.
    package var basis: String {
        "\(metric.rawValue) of '\(validation ?? "")', test '\(test ?? "")', dataset \(dataset)"
    }
}
