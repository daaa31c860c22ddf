package import Tensors

/// The distinct ids of one table within a micro-batch.
package struct TableIds: Sendable {
    /// Distinct ids in order of first occurrence.
    package let ids = Column<UInt64>()
    /// For each id the samples of this micro-batch that contain it, each sample counted once.
    package let counts = Column<UInt32>()
    /// For each id the last sample that was counted.
    let lastSample = Column<Int32>()
}

/// A micro-batch in ragged form: nothing is padded, an id or a history that occurs twice is held once.
///
/// Buffers are reused from fill to fill. Shapes: n samples, H distinct histories, K distinct behaviors.
package final class MicroBatch {
    /// n.
    package var sampleCount = 0
    /// [n]: 0 or 1.
    package let labels = Column<Float>()
    /// [n]: the user, for grouped AUC.
    package let keys = Column<UInt64>()
    /// By schema table index.
    package let tables: [TableIds]
    /// Per user field [n]: place in its table's `ids`.
    package let userRows: [Column<Int32>]
    /// Per item field [n].
    package let itemRows: [Column<Int32>]
    /// Per context field [n].
    package let contextRows: [Column<Int32>]
    /// Per bias field [n].
    package let biasRows: [Column<Int32>]
    /// [n × numeric fields].
    package let numeric = Column<Float>()
    /// [n]: the sample's history.
    package let historyOf = Column<Int32>()
    /// [H + 1]: where each history begins in `positionBehavior`.
    package let historyOffsets = Column<Int32>()
    /// Position → distinct behavior.
    package let positionBehavior = Column<Int32>()
    /// Position → the distinct behavior drawn for it as one that did not happen, −1 at the first of a history; empty
    /// unless the model asks for them and the batch is one of training.
    package let negatives = Column<Int32>()
    /// [n]: when the sample was, in seconds; empty unless the model asks for times.
    ///
    /// A sample without a time has that of its newest behavior.
    package let times = Column<Int64>()
    /// Position → when the behavior was, in seconds; empty unless the model asks for times.
    package let positionTimes = Column<Int64>()
    /// [S + 1]: where each session begins in `positionBehavior`, histories one after the other, each from its oldest
    /// session to its newest; [0] unless the model asks for sessions.
    package let sessionOffsets = Column<Int32>()
    /// [H + 1]: where the sessions of each history begin; [0] unless the model asks for sessions.
    package let historySessions = Column<Int32>()
    /// Per behavior field [K].
    package let behaviorRows: [Column<Int32>]

    /// Empty buffers for a schema.
    package init(schema: Schema) {
        tables = schema.tables.map { _ in TableIds() }
        userRows = schema.user.map { _ in Column() }
        itemRows = schema.item.map { _ in Column() }
        contextRows = schema.context.map { _ in Column() }
        biasRows = schema.bias.map { _ in Column() }
        behaviorRows = schema.behavior.map { _ in Column() }
        for column in [historyOffsets, sessionOffsets, historySessions] { column.append(0) }
    }

    /// H.
    package var historyCount: Int { historyOffsets.count - 1 }
    /// S.
    package var sessionCount: Int { sessionOffsets.count - 1 }
    /// K.
    package var behaviorCount: Int { behaviorRows.first?.count ?? 0 }
    /// Behaviors over all distinct histories.
    package var positionCount: Int { positionBehavior.count }

    /// Ids that its samples contain, each once a sample.
    package var references: Int {
        tables.reduce(0) { sum, table in
            var sum = sum
            for count in table.counts.buffer { sum &+= Int(count) }
            return sum
        }
    }

    func removeAll() {
        sampleCount = 0
        empty(userRows)
        empty(itemRows)
        empty(contextRows)
        empty(biasRows)
        empty(behaviorRows)
        for table in tables {
            table.ids.removeAll()
            table.counts.removeAll()
            table.lastSample.removeAll()
        }
        historyOf.removeAll()
        historyOffsets.removeAll()
        positionBehavior.removeAll()
        negatives.removeAll()
        times.removeAll()
        positionTimes.removeAll()
        sessionOffsets.removeAll()
        historySessions.removeAll()
        labels.removeAll()
        keys.removeAll()
        numeric.removeAll()
        historyOffsets.append(0)
        sessionOffsets.append(0)
        historySessions.append(0)
    }

    private func empty(_ columns: [Column<Int32>]) {
        for column in columns { column.removeAll() }
    }
}
