package import Datasets
import Models
package import Parameters
import Tensors

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
        let (batch, micro) = (config.train.batch, config.train.microBatch)
        if batch % micro != 0 {
            found.append(
                "train.micro_batch \(micro) does not divide train.batch \(batch): the last micro-batch of every step has "
                    + "\(batch % micro) samples, and the batch statistics of so many")
        }
        if micro < 16, let entry = model.layout.entries.first(where: { $0.kind == .statistic }) {
            found.append(
                "train.micro_batch is \(micro): '\(entry.name)' takes mean and variance of so few samples; 64 or more are "
                    + "better")
        }
        let (limit, partitions) = (config.rows.limit, config.rows.partitions)
        if limit > 0, limit < 64 * partitions {
            found.append(
                "rows.limit \(limit) is cut into \(partitions) partitions (rows.partitions) of "
                    + "\(limit / partitions) or \((limit + partitions - 1) / partitions) rows: ids fall unevenly, so some "
                    + "are refused before the table is full; fewer partitions come closer")
        }
        let counted = dataset.info.prepared["counted_history"].flatMap { Int($0) }
        if takesPreparedCounts, let counted, counted != config.data.history {
            found.append(
                "the dataset's counts regard the newest \(counted) behaviors of a history, and data.history is "
                    + "\(config.data.history): n of λ/n is of other samples; prepare it with --history "
                    + "\(config.data.history), or set rows.regularization.counts to running")
        }
        let unread = config.model.unread(of: dataset.schema)
        if !unread.isEmpty {
            found.append("the model reads no \(unread.joined(separator: ", nor ")) of the dataset: see model.input")
        }
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
            try ids.withUnsafeBufferPointer { ids in
                try counts.withUnsafeBufferPointer { counts in
                    guard let first = ids.baseAddress, let second = counts.baseAddress else { return }
                    try table.setPreparedCounts(ids: first, counts: second, count: ids.count)
                }
            }
        }
    }
}
