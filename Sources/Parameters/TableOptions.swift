package import Tensors

/// Everything that is configured of one embedding table.
package struct TableOptions: Sendable, Equatable {
    /// The table's name in the schema.
    package var name: String
    /// Floats of an embedding.
    package var width: Int
    /// The method that moves its rows.
    package var optimizer: OptimizerOptions
    /// How the learning rate falls.
    package var schedule: ScheduleOptions
    /// What pulls its rows towards zero.
    package var regularization: RegularizationOptions
    /// How a row starts.
    package var initial: InitialValue
    /// The most rows that the whole table may store, over all shards; nil for no limit.
    ///
    /// The partitions share it to the row, so that which rows are refused belongs to the job and not to the cluster: an
    /// unlucky partition fills a little before the others, and with a limit below their number some hold no row at all.
    package var limit: Int?

    /// The options of a table.
    package init(
        name: String, width: Int, optimizer: OptimizerOptions = OptimizerOptions(),
        schedule: ScheduleOptions = ScheduleOptions(), regularization: RegularizationOptions = RegularizationOptions(),
        initial: InitialValue = .normal(deviation: 0.01), limit: Int? = nil
    ) {
        self.name = name
        self.width = width
        self.optimizer = optimizer
        self.schedule = schedule
        self.regularization = regularization
        self.initial = initial
        self.limit = limit
    }

    /// Throws the first setting that makes no sense.
    package func validate() throws(ParametersError) {
        try check(width >= 1 && width <= 1 << 16, "tables.\(name).width", width, "from 1 to 65,536")
        if let limit { try check(limit >= 1, "tables.\(name).limit", limit, "at least 1 row, or absent") }
        try optimizer.validate()
        try schedule.validate()
        try regularization.validate(with: optimizer.kind)
    }
}

extension TableOptions {
    /// A partition's share of the limit, nil where there is none; the shares of all partitions add up to it.
    func limit(ofPartition partition: Int, of count: Int) -> Int? {
        limit.map { (partition + 1) * $0 / count - partition * $0 / count }
    }

    /// Where the parts of this table's rows lie.
    package var rowLayout: RowLayout {
        RowLayout(width: width, slots: Optimizer(options: optimizer, schedule: schedule).slots(width: width))
    }
}
