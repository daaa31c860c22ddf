package import Datasets
package import Models
package import Parameters
import Tensors
package import Wire

/// A job resolved against its dataset: what every role derives from the same configuration, to the same bits.
package struct Job: Sendable {
    /// The configuration.
    package let config: JobConfig
    /// The dataset.
    package let dataset: Dataset
    /// The model for its fields.
    package let model: any Model
    /// The steps.
    package let plan: JobPlan

    /// Opens the dataset and lays out the model.
    ///
    /// - Parameter startStep: steps applied already in the checkpoint to resume.
    package init(_ config: JobConfig, startStep: Int = 0) throws {
        self.config = config
        dataset = try Dataset(directory: config.data.directory)
        model = try config.model.make(schema: dataset.schema)
        let train = config.train
        guard let split = dataset.info.splits[config.data.train] else {
            throw DatasetError.missing(
                directory: config.data.directory, "has no split '\(config.data.train)' (data.train)")
        }
        guard split.samples > 0 else {
            throw DatasetError.missing(directory: config.data.directory, "its split '\(config.data.train)' is empty")
        }
        for name in [config.data.validation, config.data.test] where !name.isEmpty && dataset.info.splits[name] == nil {
            throw DatasetError.missing(
                directory: config.data.directory,
                "has no split '\(name)'; leave data.validation or data.test empty (\"\") to do without")
        }
        let evaluation: JobPlan.Evaluation =
            train.evaluateEvery > 0
            ? .steps(train.evaluateEvery) : train.evaluations > 0 ? .perEpoch(train.evaluations) : .never
        plan = JobPlan(
            trainSamples: split.samples, batch: min(train.batch, split.samples),
            microBatch: min(train.microBatch, split.samples), epochs: train.epochs,
            maxSteps: train.maxSteps > 0 ? train.maxSteps : nil, startStep: startStep, evaluation: evaluation,
            checkpointEvery: config.checkpoint.every)
    }

    /// Partitions and shards; throws when there are more shards than partitions.
    package func map(servers: Int, shards: Int) throws -> PartitionMap {
        let (count, overflows) = servers.multipliedReportingOverflow(by: shards)
        return try PartitionMap(shards: overflows ? .max : count)
    }

    /// The tables as the shards hold them.
    package var tables: [TableOptions] {
        model.tables.map { table in
            let initial: InitialValue =
                switch table.initial {
                case .normal(let deviation): .normal(deviation: deviation)
                case .uniform(let limit): .uniform(limit: limit)
                case .zero: .zero
                }
            return TableOptions(
                name: table.name, width: table.width, optimizer: config.rows.optimizer, schedule: config.rows.schedule,
                regularization: config.rows.regularization, initial: initial,
                limit: config.rows.limit > 0 ? config.rows.limit : nil)
        }
    }

    /// The initial dense parameters.
    package var initialDense: [Float] {
        let vector = model.layout.initialDense(seed: config.train.seed)
        return Array(UnsafeBufferPointer(start: vector.base, count: vector.count))
    }

    /// Samples of the splits that can be scored.
    package var scoredSamples: [String: Int] { dataset.info.splits.mapValues(\.samples).filter { $0.value > 0 } }

    /// Gives a shard's tables the prepared counts, where regularization asks for them.
    package func setPreparedCounts(of tables: [Table]) throws {
        let regularization = config.rows.regularization
        guard regularization.kind == .mba, regularization.counts == .prepared else { return }
        for table in tables {
            let (ids, counts) = try dataset.counts(table: table.options.name)
            try ids.withUnsafeBufferPointer { ids in
                try counts.withUnsafeBufferPointer { counts in
                    guard let first = ids.baseAddress, let second = counts.baseAddress else { return }
                    try table.setPreparedCounts(ids: first, counts: second, count: ids.count)
                }
            }
        }
    }
}
