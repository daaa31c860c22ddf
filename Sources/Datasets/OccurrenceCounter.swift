import Tensors

/// Counts in how many samples of a split each id occurs: the n of mini-batch-aware regularization (DIN, equation 5).
final class OccurrenceCounter {
    private let tables: [String]
    private var ids: [[UInt64]] = []
    private var counts: [[UInt32]] = []

    /// Walks the whole split, histories cut to their newest `historyLimit` behaviors as in training.
    init(_ split: Split, schema: Schema, historyLimit: Int) {
        tables = schema.tables
        let builder = MicroBatchBuilder(schema: schema, historyLimit: historyLimit)
        let batch = MicroBatch(schema: schema)
        let order = DataOrder(split, seed: 0, epoch: nil)
        let indexes = tables.map { _ in IdIndex() }
        ids = tables.map { _ in [] }
        counts = tables.map { _ in [] }
        for start in stride(from: 0, to: order.count, by: 1024) {
            builder.fill(batch, from: split, order: order, positions: start..<min(start + 1024, order.count))
            for (table, found) in batch.tables.enumerated() {
                for place in 0..<found.ids.count {
                    let (number, isNew) = indexes[table].number(of: found.ids[place])
                    if isNew {
                        ids[table].append(found.ids[place])
                        counts[table].append(found.counts[place])
                    } else {
                        counts[table][Int(number)] += found.counts[place]
                    }
                }
            }
        }
    }

    /// Distinct ids by table.
    var distinct: [String: Int] { Dictionary(uniqueKeysWithValues: zip(tables, ids.map(\.count))) }

    /// Writes `<table>.ids` ascending and `<table>.counts`.
    func write(path: String) throws {
        var declarations: [SafetensorsWriter.Declaration] = []
        for (table, ids) in zip(tables, ids) { declarations.append(.init(table + ".ids", .uint64, [ids.count])) }
        for (table, ids) in zip(tables, ids) { declarations.append(.init(table + ".counts", .uint32, [ids.count])) }
        let writer = try SafetensorsWriter(path: path, declarations)
        let orders = ids.map { ids in ids.indices.sorted { ids[$0] < ids[$1] } }
        for (ids, order) in zip(ids, orders) { try writer.write(order.map { ids[$0] }) }
        for (counts, order) in zip(counts, orders) { try writer.write(order.map { counts[$0] }) }
        try writer.finish()
    }
}
