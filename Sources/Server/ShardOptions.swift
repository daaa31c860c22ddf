package import Parameters
package import Tensors
package import Wire

/// What a shard is built from: the same on every process that hosts a part of the job.
package struct ShardOptions: Sendable {
    /// Its number over all servers.
    package var shard: Int
    /// Partitions and dense ranges of all shards.
    package var map: PartitionMap
    /// Tables by schema table index.
    package var tables: [TableOptions]
    /// Names and shapes of the dense parameters.
    package var layout: ParameterLayout
    /// The initial dense parameters, the whole vector.
    package var initialDense: [Float]
    /// Update rule of the dense parameters.
    package var dense: DenseOptions
    /// Seed of initial row values.
    package var seed: UInt64
    /// The steps of the job.
    package var plan: JobPlan
    /// The directory of checkpoints.
    package var checkpoints: String
    /// Workers of the job: messages of other ranks are nobody's.
    package var workers: Int
    /// What the process of each worker drew at its start, by rank; empty where nobody else reaches the shard.
    package var incarnations: [UInt32]
    /// Whether hot ids, distinct ids and times are counted.
    package var statistics: Bool

    package init(
        shard: Int, map: PartitionMap, tables: [TableOptions], layout: ParameterLayout, initialDense: [Float],
        dense: DenseOptions, seed: UInt64, plan: JobPlan, checkpoints: String, workers: Int = 4096,
        incarnations: [UInt32] = [],
        statistics: Bool = true
    ) {
        self.shard = shard
        self.map = map
        self.tables = tables
        self.layout = layout
        self.initialDense = initialDense
        self.dense = dense
        self.seed = seed
        self.plan = plan
        self.checkpoints = checkpoints
        self.workers = workers
        self.incarnations = incarnations
        self.statistics = statistics
    }
}
