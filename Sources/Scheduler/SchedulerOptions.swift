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
    package var servers = 1
    /// Shards of each.
    package var shardsPerServer = 1
    /// Worker processes.
    package var workers = 1
    /// The resolved config, as every node gets it.
    package var config = ""
    /// The steps.
    package var plan: JobPlan
    /// Samples by split that can be scored.
    package var splits: [String: Int] = [:]
    /// The split that is scored while training, if any.
    package var validation: String?
    /// The split that is scored at every new best state, and at the end.
    package var test: String?
    /// By what the best state is chosen.
    package var metric = Metric.auc
    /// When to stop early, if at all.
    package var earlyStop: EarlyStop?
    /// Whether the best state is kept as a checkpoint.
    package var keepBest = true
    /// Whether a checkpoint is written at the end.
    package var keepLast = true
    /// The directory of checkpoints; `nil` writes none.
    package var checkpoints: String?
    /// A checkpoint to start from, and what nodes are told of it.
    package var resume: String?
    /// Whether nodes take its weights alone, and the optimizers begin afresh.
    package var resetsOptimizer = false
    /// What the run that is resumed knew of its evaluations.
    package var judgement: Judgement?
    /// Silence after which a node is taken for dead.
    package var silence = Duration.seconds(20)
    /// Time for all nodes to arrive.
    package var startTimeout = Duration.seconds(120)
    /// How long the scheduler still answers those who look after the job has failed.
    package var linger = Duration.zero
    /// The program's version, which every node must have; empty to take any.
    package var version = ""
    /// By what nodes know the dataset; empty when they need not look.
    package var dataset = ""
    /// Which start of the run this is, from 1: nodes of a later one count as restarted.
    package var attempt = 1

    /// By what states are compared, and on which data.
    package var basis: String {
        "\(metric.rawValue) of '\(validation ?? "")', test '\(test ?? "")', dataset \(dataset)"
    }
}

extension SchedulerOptions {
    /// A job of one server and one worker, until more is set.
    package init(_ plan: JobPlan, job: UInt64) { self.init(job: job, plan: plan) }
}
