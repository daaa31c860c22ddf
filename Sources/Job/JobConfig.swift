package import Models
package import Parameters
package import Telemetry
import Tensors

/// Everything that is configured of a job; `configs/reference.yaml` explains every key.
package struct JobConfig: Codable, Sendable, Equatable {
    /// Which samples.
    package var data = DataOptions()
    /// Which model.
    package var model = ModelOptions()
    /// How long, in which order, judged by what.
    package var train = TrainOptions()
    /// How embedding rows are updated.
    package var rows = RowOptions()
    /// How dense parameters are updated.
    package var dense = DenseOptions()
    /// How many processes do it; changes no bit of the result.
    package var cluster = ClusterOptions()
    /// What is saved.
    package var checkpoint = CheckpointOptions()
    /// What is shown, and where; changes no bit of the result.
    package var monitor = MonitorOptions()
    /// Where each of that was given.
    package internal(set) var places = Places()

    package enum CodingKeys: String, CodingKey {
        case data, model, train, rows, dense, cluster, checkpoint, monitor
    }

    /// The defaults.
    package init() {}
}

/// Which samples a job trains on.
package struct DataOptions: Codable, Sendable, Equatable {
    /// A directory made by `myriad prepare`.
    package var directory = "data/movielens"
    /// Newest behaviors kept of a history.
    package var history = 50
    /// The split that is trained on.
    package var train = "train"
    /// The split that chooses the best state; empty for none.
    package var validation = "validation"
    /// The split that is scored in the best state; empty for none.
    package var test = "test"
}

/// How long a job trains, in which order, judged by what.
package struct TrainOptions: Codable, Sendable, Equatable {
    /// Samples of a global batch.
    package var batch = 512
    /// Samples of a micro-batch: the unit of work and of batch statistics; changes results, a little.
    package var microBatch = 256
    /// Passes over the training split.
    package var epochs = 2
    /// The last step at the latest; 0 for none.
    package var maxSteps = 0
    /// Seed of initial values, order of samples and dropout.
    package var seed: UInt64 = 1
    /// Validations in an epoch, evenly spread; 0 for none but the last.
    package var evaluations = 1
    /// Validations every so many steps instead; 0 for none.
    package var evaluateEvery = 0
    /// By what the best state is chosen.
    package var metric = Metric.auc
    /// Validations without a better metric after which training stops; 0 for never.
    package var patience = 0
    /// By how much a metric must be better to count.
    package var minimumGain = 0.0

    package enum CodingKeys: String, CodingKey {
        case batch, epochs, seed, evaluations, metric, patience
        case microBatch = "micro_batch"
        case maxSteps = "max_steps"
        case evaluateEvery = "evaluate_every"
        case minimumGain = "minimum_gain"
    }
}

/// How embedding rows are updated; tables share it.
package struct RowOptions: Codable, Sendable, Equatable {
    /// The method.
    package var optimizer = OptimizerOptions(kind: .adam)
    /// How its rate falls.
    package var schedule = ScheduleOptions()
    /// What pulls rows towards zero.
    package var regularization = RegularizationOptions(kind: .none)
    /// The most rows of a table over all shards; 0 for no limit.
    package var limit = 0
    /// Parts that the rows are cut into by a hash of their ids, a power of two.
    ///
    /// It belongs to the job: shards own whole partitions, so no cluster changes it.
    package var partitions = 256
}

/// How many processes and threads do the work.
package struct ClusterOptions: Codable, Sendable, Equatable {
    /// How processes of one machine talk.
    package enum Transport: String, Choice { case ipc, tcp }

    /// Server processes.
    package var servers = 1
    /// Shards (threads with rows) of each server.
    package var shards = 1
    /// Worker processes.
    package var workers = 1
    /// Compute threads of each worker.
    package var threads = 1
    /// How `launch` links its processes.
    package var transport = Transport.ipc
    /// Seconds after which an unanswered request is repeated.
    package var requestTimeout = 10.0
    /// Seconds of silence after which a node counts as dead.
    package var silence = 12.0
    /// Seconds that nodes have to arrive.
    package var startTimeout = 120.0

    package enum CodingKeys: String, CodingKey {
        case servers, shards, workers, threads, transport, silence
        case requestTimeout = "request_timeout"
        case startTimeout = "start_timeout"
    }
}

/// What is saved of a job.
package struct CheckpointOptions: Codable, Sendable, Equatable {
    /// A checkpoint after every so many steps; 0 for none but best and last.
    package var every = 0
    /// How many of those are kept.
    package var keep = 2
    /// Whether the state with the best validation metric is kept.
    package var best = true
    /// Whether the last state is kept.
    package var last = true
}

/// What is shown of a job, and where.
package struct MonitorOptions: Codable, Sendable, Equatable {
    /// Whether nodes count and tell; off only to measure what it costs.
    package var statistics = true
    /// Where the scheduler serves its page: `auto` (127.0.0.1, port 7165 or the next free one), `off`, or `host:port`.
    package var page = "auto"
    /// A file with the token that a page on another address than 127.0.0.1 asks for; or the variable MYRIAD_TOKEN.
    package var tokenFile = ""
    /// Whether TensorBoard's event files are written too, into the run's directory.
    package var tensorboard = false
    /// Seconds for which the scheduler still answers whoever looks at a job that has failed.
    package var linger = 0.0

    private enum CodingKeys: String, CodingKey {
        case statistics, page, tensorboard, linger
        case tokenFile = "token_file"
    }
}

extension Metric: Choice {}
