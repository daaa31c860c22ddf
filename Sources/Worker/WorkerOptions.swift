package import Datasets
package import Models
package import Wire

/// What a worker is built from.
package struct WorkerOptions: Sendable {
    /// Its number among `workers`.
    package var rank: Int
    /// How many workers share every global batch.
    package var workers: Int
    /// The shards.
    package var map: PartitionMap
    /// The model; its tables are those of `schema`.
    package var model: any Model
    /// Features and tables.
    package var schema: Schema
    /// Newest behaviors that are kept of a history.
    package var historyLimit: Int
    /// The steps.
    package var plan: JobPlan
    /// The training split; `nil` only scores.
    package var train: Split?
    /// Draws what did not happen next, if the model asks for it.
    package var negatives: NegativeSampler?
    /// Splits that can be scored, by name.
    package var scored: [String: Split]
    /// Compute threads.
    package var threads: Int
    /// Seed of the data order and of dropout.
    package var seed: UInt64
    /// Deadline of one request before it is repeated.
    package var requestTimeout: Duration
    /// Whether its counters are told once a second.
    package var statistics: Bool

    package init(
        rank: Int, workers: Int, map: PartitionMap, model: any Model, schema: Schema, historyLimit: Int,
        plan: JobPlan, train: Split?, negatives: NegativeSampler? = nil, scored: [String: Split], threads: Int,
        seed: UInt64,
        requestTimeout: Duration = .seconds(10), statistics: Bool = true
    ) {
        self.rank = rank
        self.workers = workers
        self.map = map
        self.model = model
        self.schema = schema
        self.historyLimit = historyLimit
        self.plan = plan
        self.train = train
        self.negatives = negatives
        self.scored = scored
        self.threads = threads
        self.seed = seed
        self.requestTimeout = requestTimeout
        self.statistics = statistics
    }
}
