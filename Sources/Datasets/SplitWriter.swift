import Tensors

/// Writes one split: behaviors first, then each impression with its candidates.
package final class SplitWriter {
    private let path: String
    private let schema: Schema
    private let user, context, behavior, item: [ColumnSpill]
    private let key, begin, end, offsets, time, behaviorTime, label, numeric, probability: ColumnSpill
    private var positives = 0
    private var groupIsOpen = false
    private var bayes: Double?

    init(path: String, schema: Schema) throws {
        self.path = path
        self.schema = schema
        var files = 0
        func spill(_ name: String, _ type: TensorType, width: Int? = nil) throws -> ColumnSpill {
            files += 1
            return try ColumnSpill(path: "\(path).\(files).column", name, type, width: width)
        }
        func ids(_ group: String, _ fields: [Schema.Field]) throws -> [ColumnSpill] {
            try fields.map { try spill("\(group).\($0.column)", .uint64) }
        }
        user = try ids("user", schema.user)
        context = try ids("context", schema.context)
        behavior = try ids("behavior", schema.behavior)
        item = try ids("item", schema.item)
        key = try spill("key", .uint64)
        begin = try spill("history.begin", .int64)
        end = try spill("history.end", .int64)
        offsets = try spill("candidates.offsets", .int64)
        time = try spill("time", .int64)
        behaviorTime = try spill("behavior.time", .int64)
        label = try spill("label", .float32)
        numeric = try spill("numeric", .float32, width: max(1, schema.numeric.count))
        probability = try spill("probability", .float32)
        try offsets.append(0 as Int64)
    }

    /// Stores one behavior and returns its index; histories are ranges of indexes, and may overlap.
    @discardableResult
    package func appendEvent(behavior ids: [UInt64], time: Int64?) throws -> Int {
        precondition(ids.count == schema.behavior.count, "one id per behavior field")
        let index = behavior.first?.count ?? 0
        for (column, id) in zip(behavior, ids) { try column.append(id) }
        if let time { try behaviorTime.append(time) }
        return index
    }

    /// Opens an impression: its user, circumstances and history.
    ///
    /// Its candidates follow.
    package func group(
        key: UInt64, user: [UInt64], context: [UInt64] = [], time: Int64?, history: Range<Int>
    ) throws {
        precondition(user.count == schema.user.count && context.count == schema.context.count, "one id per field")
        try closeGroup()
        try self.key.append(key)
        for (column, id) in zip(self.user, user) { try column.append(id) }
        for (column, id) in zip(self.context, context) { try column.append(id) }
        if let time { try self.time.append(time) }
        try begin.append(Int64(history.lowerBound))
        try end.append(Int64(history.upperBound))
        groupIsOpen = true
    }

    /// Adds a candidate (a sample) to the open impression.
    package func candidate(
        item ids: [UInt64], label: Float, numeric values: [Float] = [], probability: Float? = nil
    ) throws {
        precondition(groupIsOpen, "open a group first")
        precondition(ids.count == schema.item.count && values.count == schema.numeric.count, "one value per field")
        for (column, id) in zip(item, ids) { try column.append(id) }
        for value in values { try numeric.append(value) }
        try self.label.append(label)
        if let probability { try self.probability.append(probability) }
        if label == 1 { positives += 1 }
    }

    /// The AUC of the known click probability on this split.
    package func setBayesAUC(_ value: Double) { bayes = value }

    private func closeGroup() throws {
        if groupIsOpen { try offsets.append(Int64(label.count)) }
        groupIsOpen = false
    }

    /// Writes the split's file from its columns.
    func finish() throws -> DatasetInfo.SplitInfo {
        try closeGroup()
        let (groups, samples, events) = (key.count, label.count, behavior.first?.count ?? 0)
        let all =
            user + context + behavior + item
            + [key, begin, end, offsets, time, behaviorTime, label, numeric, probability]
        // What not every row was given is left out.
        let needed = [time.name: groups, behaviorTime.name: events, probability.name: samples]
        let columns = all.filter { column in
            column === numeric
                ? !schema.numeric.isEmpty : needed[column.name].map { $0 > 0 && $0 == column.count } ?? true
        }
        let writer = try SafetensorsWriter(path: path, columns.map(\.declaration))
        for column in columns { try column.copy(to: writer) }
        try writer.finish()
        for column in all { column.removeFile() }
        return .init(
            parts: 1, groups: groups, samples: samples, positives: positives, behaviors: events, bayesAUC: bayes)
    }
}
