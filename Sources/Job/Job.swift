package import Datasets
package import Models
package import Parameters
import Tensors
package import Wire

/// A job resolved against its dataset: what every role derives from the same configuration, to the same bits.
package struct Job: Sendable {
    package let config: JobConfig
    package let dataset: Dataset
    /// The model for its fields.
    package let model: any Model
    /// The steps.
    package let plan: JobPlan

    /// Opens the dataset and lays out the model.
    ///
    /// - Parameter startStep: steps applied already in the checkpoint to resume.
    /// - Throws: `ConfigError` or `DatasetError`: what does not fit together, or is too large to be run.
    package init(_ config: JobConfig, startStep: Int = 0) throws {
        self.config = config
        dataset = try Dataset(directory: config.data.directory)
        func refuse(_ key: String, _ problem: String) -> ConfigError {
            ConfigError("\(config.places.of(key)): \(problem)")
        }
        do {
            model = try config.model.make(schema: dataset.schema)
        } catch {
            throw refuse(error.key, "\(error)")
        }
        let train = config.train
        let data = config.data
        let wanted = [("data.train", data.train), ("data.validation", data.validation), ("data.test", data.test)]
        let splits = dataset.info.splits
        for (key, name) in wanted where splits[name] == nil && !(name.isEmpty && key != "data.train") {
            let known = splits.keys.sorted().joined(separator: ", ")
            let remedy = key == "data.train" ? "" : "; \"\" does without"
            throw refuse(
                key, "\(key) is \(shown(name)), and \(data.directory) has no such split; it has " + known + remedy)
        }
        guard let split = splits[data.train], split.samples > 0 else {
            throw refuse("data.train", "data.train is '\(data.train)', and that split of \(data.directory) is empty")
        }
        let evaluation: JobPlan.Evaluation =
            train.evaluateEvery > 0
            ? .steps(train.evaluateEvery) : train.evaluations > 0 ? .perEpoch(train.evaluations) : .never
        plan = JobPlan(
            trainSamples: split.samples, batch: min(train.batch, split.samples),
            microBatch: min(train.microBatch, split.samples), epochs: train.epochs,
            maxSteps: train.maxSteps > 0 ? train.maxSteps : nil, startStep: startStep, evaluation: evaluation,
            checkpointEvery: config.checkpoint.every)
        try check(refuse)
    }

    /// Throws what of the job cannot be counted or held, with the keys that make it smaller, or would learn nothing.
    private func check(_ refuse: (_ key: String, _ problem: String) -> ConfigError) throws {
        let dense = model.layout.count
        let shards = config.cluster.servers * config.cluster.shards
        let slice = Limits().dense
        if dense > 1 << 28 || dense > slice * shards {
            throw refuse(
                "model",
                "the model has \(dense) dense parameters (\(Self.size(dense))), at most \(min(1 << 28, slice * shards)) "
                    + "fit on \(shards) shards: lower model.top.hidden or model.embedding.width"
                    + (dense > 1 << 28 ? "" : ", or take more cluster.servers")
            )
        }
        let activations = plan.microBatch * model.layout.entries.reduce(0) { $0 + $1.slot.columns }
        if activations > 1 << 32 {
            throw refuse(
                "train.micro_batch",
                "train.micro_batch is \(plan.microBatch), and the layers of such a micro-batch take about "
                    + "\(Self.size(activations)) on every thread: lower it, model.top.hidden or model.embedding.width")
        }
        let ids = plan.microBatch * (1 + config.data.history) * max(1, dataset.schema.fieldCount)
        if ids > Int(Int32.max) {
            throw refuse(
                "train.micro_batch",
                "train.micro_batch is \(plan.microBatch) and data.history \(config.data.history): up to \(ids) ids of "
                    + "one micro-batch, at most \(Int32.max) are counted; lower one of them")
        }
        guard (0...JobPlan.mostSteps).contains(plan.startStep) else {
            throw refuse(
                "train", "the state to begin with is of step \(plan.startStep), expected 0 to \(JobPlan.mostSteps)")
        }
        guard config.train.microBatch == 1, let entry = model.layout.entries.first(where: { $0.kind == .statistic })
        else { return }
        throw refuse(
            "train.micro_batch",
            "train.micro_batch is 1, and '\(entry.name)' takes the variance of a micro-batch, that of one sample is 0: "
                + "expected 2 or more, better 64 or more, or no dice and no batch norm")
    }

    private static func size(_ floats: Int) -> String { "\((floats * 4) >> 20) MiB" }

    /// Partitions and shards; throws where there are more shards than partitions.
    package func map(shards: Int) throws -> PartitionMap {
        try PartitionMap(partitions: config.rows.partitions, shards: shards)
    }

    /// The tables as the shards hold them.
    package var tables: [TableOptions] {
        model.tables.map { table in
            var options = TableOptions(name: table.name, width: table.width)
            options.optimizer = config.rows.optimizer
            options.schedule = config.rows.schedule
            options.regularization = config.rows.regularization
            options.limit = config.rows.limit > 0 ? config.rows.limit : nil
            options.initial = table.initial
            return options
        }
    }

    /// The initial dense parameters.
    package var initialDense: [Float] {
        let vector = model.layout.initialDense(seed: config.train.seed)
        return Array(UnsafeBufferPointer(start: vector.base, count: vector.count))
    }

    /// Samples of the splits that can be scored.
    package var scoredSamples: [String: Int] { dataset.info.splits.mapValues(\.samples).filter { $0.value > 0 } }
}

/// The data of a job: what its processes open, and what is worth a warning.
extension Job {
    /// From this time on seconds are milliseconds: the year 5138, or 1973.
    private static let millisecondsFrom: Int64 = 100_000_000_000

    /// Opens a split and checks it whole, and that it has what the model needs.
    package func open(split name: String) throws -> Split {
        let split = try dataset.split(named: name)
        // Sessions end before their impression; other models take histories as they are.
        if model.needs.sessions == nil, let future = split.future { throw DatasetError.history(future) }
        guard model.needs.readsTimes else { return split }
        func refuse(_ problem: String) -> DatasetError { .missing(directory: dataset.directory, problem) }
        guard split.hasTimes else {
            throw refuse(
                "has no times of behaviors in split '\(name)', and model.kind \(config.model.kind.rawValue) reads them: "
                    + "prepare it from data with times, or choose another model")
        }
        if let time = split.latestTime, time >= Self.millisecondsFrom {
            let key = model.needs.sessions != nil ? "model.sessions.gap" : "model.position.unit"
            throw refuse(
                "has the time \(time) in split '\(name)': milliseconds, it seems, and \(key) is in seconds; "
                    + "divide time and behavior.time by 1000")
        }
        return split
    }

    /// Draws what did not happen next, where the model asks for it.
    package func negatives(of split: Split) throws -> NegativeSampler? {
        try model.needs.negatives.map { try NegativeSampler(split, law: $0, seed: config.train.seed) }
    }

    /// The splits that the job reads, the training split first.
    package var splits: [String] {
        let scored = Set([config.data.validation, config.data.test]).subtracting(["", config.data.train])
        return [config.data.train] + scored.sorted()
    }

    /// Opens all that training opens, and throws what is wrong with it.
    ///
    /// - Parameter begin: told the name of each split before it is read.
    /// - Returns: what runs all the same, and a person should know.
    package func examine(_ begin: (String) -> Void = { _ in }) throws -> [String] {
        var warnings = warnings
        for name in splits {
            begin(name)
            let split = try open(split: name)
            if name == config.data.train { _ = try negatives(of: split) }
            if let time = split.latestTime, time >= Self.millisecondsFrom {
                warnings.append("split '\(name)' has the time \(time): milliseconds, it seems; times are in seconds")
            }
        }
        if takesPreparedCounts { for table in model.tables { _ = try dataset.counts(table: table.name) } }
        return warnings
    }

    /// What of the configuration runs, and is seldom meant.
    package var warnings: [String] {
        var found: [String] = []
        func warn(_ isSo: Bool, _ text: @autoclosure () -> String) {
            if isSo { found.append(text()) }
        }
        let (batch, micro) = (config.train.batch, config.train.microBatch)
        warn(
            batch % micro != 0,
            "train.micro_batch \(micro) does not divide train.batch \(batch): the last micro-batch of every step has "
                + "\(batch % micro) samples, and the batch statistics of so many")
        if micro < 16, let entry = model.layout.entries.first(where: { $0.kind == .statistic }) {
            found.append(
                "train.micro_batch is \(micro): '\(entry.name)' takes mean and variance of so few samples; 64 or more are "
                    + "better")
        }
        let (limit, partitions) = (config.rows.limit, config.rows.partitions)
        warn(
            limit > 0 && limit < 64 * partitions,
            "rows.limit \(limit) is cut into \(partitions) partitions (rows.partitions) of "
                + "\(limit / partitions) or \((limit + partitions - 1) / partitions) rows: ids fall unevenly, so some "
                + "are refused before the table is full; fewer partitions come closer")
        let (counted, history) = (dataset.info.prepared["counted_history"].flatMap { Int($0) }, config.data.history)
        warn(
            takesPreparedCounts && counted ?? history != history,
            "the dataset's counts regard the newest \(counted ?? 0) behaviors of a history, and data.history is "
                + "\(history): n of λ/n is of other samples; prepare it with --history \(history), or set "
                + "rows.regularization.counts to running")
        let unread = config.model.unread(of: dataset.schema)
        warn(
            !unread.isEmpty,
            "the model reads no \(unread.joined(separator: ", nor ")) of the dataset: see model.input")
        return found
    }

    private var takesPreparedCounts: Bool {
        config.rows.regularization.kind == .mba && config.rows.regularization.counts == .prepared
    }

    /// Gives a shard's tables the prepared counts, where regularization asks for them.
    package func setPreparedCounts(of tables: [Table]) throws {
        guard takesPreparedCounts else { return }
        for table in tables {
            let (ids, counts) = try dataset.counts(table: table.options.name)
            try table.setPreparedCounts(ids: ids, counts: counts, count: ids.count)
        }
    }
}
