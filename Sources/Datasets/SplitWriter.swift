import Tensors

/// Writes one split: behaviors first, then each impression with its candidates.
package final class SplitWriter {
    private let path: String
    private let schema: Schema
    private let key, user, context: [ColumnSpill<UInt64>]
    private let behavior, item: [ColumnSpill<UInt64>]
    private let begin, end, offsets, time, behaviorTime: ColumnSpill<Int64>
    private let label, numeric, probability: ColumnSpill<Float>
    private var positives = 0
    private var groupIsOpen = false
    private var bayes: Double?

    init(path: String, schema: Schema) throws {
        self.path = path
        self.schema = schema
        func spill<Element>(_ name: String, _ type: Element.Type) throws -> ColumnSpill<Element> {
            try ColumnSpill(path: "\(path).\(name).column")
        }
        key = [try spill("key", UInt64.self)]
        user = try schema.user.indices.map { try spill("user\($0)", UInt64.self) }
        context = try schema.context.indices.map { try spill("context\($0)", UInt64.self) }
        behavior = try schema.behavior.indices.map { try spill("behavior\($0)", UInt64.self) }
        item = try schema.item.indices.map { try spill("item\($0)", UInt64.self) }
        begin = try spill("begin", Int64.self)
        end = try spill("end", Int64.self)
        offsets = try spill("offsets", Int64.self)
        time = try spill("time", Int64.self)
        behaviorTime = try spill("behaviorTime", Int64.self)
        label = try spill("label", Float.self)
        numeric = try spill("numeric", Float.self)
        probability = try spill("probability", Float.self)
        try offsets.append(0)
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
        try self.key[0].append(key)
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
        let groups = key[0].count
        let samples = label.count
        let events = behavior.first?.count ?? 0
        let columns64 =
            named("user", schema.user, user) + named("context", schema.context, context)
            + named("behavior", schema.behavior, behavior) + named("item", schema.item, item) + [("key", key[0])]
        var signed = [("history.begin", begin), ("history.end", end), ("candidates.offsets", offsets)]
        if time.count == groups, groups > 0 { signed.append(("time", time)) }
        if behaviorTime.count == events, events > 0 { signed.append(("behavior.time", behaviorTime)) }
        var declarations = columns64.map { SafetensorsWriter.Declaration($0.0, .uint64, [$0.1.count]) }
        declarations += signed.map { .init($0.0, .int64, [$0.1.count]) }
        declarations.append(.init("label", .float32, [samples]))
        var floats = [label]
        if !schema.numeric.isEmpty {
            declarations.append(.init("numeric", .float32, [samples, schema.numeric.count]))
            floats.append(numeric)
        }
        if probability.count == samples, samples > 0 {
            declarations.append(.init("probability", .float32, [samples]))
            floats.append(probability)
        }
        let writer = try SafetensorsWriter(path: path, declarations)
        for column in columns64 { try column.1.copy(to: writer) }
        for column in signed { try column.1.copy(to: writer) }
        for column in floats { try column.copy(to: writer) }
        try writer.finish()
        for column in key + user + context + behavior + item { column.removeFile() }
        for column in [begin, end, offsets, time, behaviorTime] { column.removeFile() }
        for column in [label, numeric, probability] { column.removeFile() }
        return .init(
            parts: 1, groups: groups, samples: samples, positives: positives, behaviors: events, bayesAUC: bayes)
    }

    private func named(
        _ group: String, _ fields: [Schema.Field], _ columns: [ColumnSpill<UInt64>]
    ) -> [(String, ColumnSpill<UInt64>)] {
        zip(fields, columns).map { ("\(group).\($0.column)", $1) }
    }
}
