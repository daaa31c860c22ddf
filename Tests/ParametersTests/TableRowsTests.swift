import Tensors
import Testing

@testable import Parameters

/// A table that has seen a few random steps.
private func trained(_ kind: OptimizerOptions.Kind, counts: RegularizationOptions.Counts = .running) throws -> Table {
    var random = RandomSource(31)
    let table = try makeTable(optimizer: .init(kind: kind), regularization: .init(counts: counts))
    let ids = random.ids(300)
    for step in 1...5 {
        let touched = ids.filter { _ in Bool.random(using: &random) }.shuffled(using: &random)
        try table.push(touched, random.floats(touched.count * 3), step: step)
    }
    return table
}

private func copy(_ source: Table, to targets: [Table]) throws {
    let rows = PartitionRows()
    for partition in source.owned {
        try source.export(partition: partition, into: rows)
        for target in targets where target.owned.contains(partition) {
            try target.restore(partition: partition, from: rows)
        }
    }
}

@Test(
    "rows go out and in bit for bit, onto any number of shards", arguments: OptimizerOptions.Kind.allCases, [1, 2, 5])
func rowsRoundTrip(kind: OptimizerOptions.Kind, shards: Int) throws {
    let source = try trained(kind)
    let targets = try (0..<shards).map { shard in
        try makeTable(
            optimizer: .init(kind: kind), regularization: .init(counts: .running),
            partitions: (0..<16).filter { $0 % shards == shard })
    }
    try copy(source, to: targets)
    #expect(targets.map(\.rowCount).reduce(0, +) == source.rowCount)
    #expect(Set(targets.flatMap { $0.contents() }) == Set(source.contents()))
    var random = RandomSource(1)
    let ids = random.ids(300)
    let gradients = random.floats(900)
    try source.push(ids, gradients, step: 6)
    for target in targets {
        let mine = ids.indices.filter { target.owns(ids[$0]) }
        try target.push(mine.map { ids[$0] }, mine.flatMap { gradients[$0 * 3..<$0 * 3 + 3] }, step: 6)
    }
    #expect(Set(targets.flatMap { $0.contents() }) == Set(source.contents()), "and training goes on alike")
}

@Test("an export is in ascending order of id, whatever the order of insertion")
func exportsAreSorted() throws {
    let table = try makeTable(bits: 0)
    try table.push([5, UInt64.max, 1, 3], [Float](repeating: 0, count: 12))
    let rows = PartitionRows()
    try table.export(partition: 0, into: rows)
    #expect(Array(rows.ids.buffer) == [1, 3, 5, .max])
    #expect(bits(Array(rows.weights.buffer)) == bits(try table.weights([1, 3, 5, .max])))
    #expect(Array(rows.steps.buffer) == [1, 1, 1, 1])
}

@Test("a restore replaces what was there: a rollback forgets later rows and later updates")
func restoreReplaces() throws {
    let table = try trained(.adam)
    let kept = try makeTable(optimizer: .init(kind: .adam), regularization: .init(counts: .running))
    try copy(table, to: [kept])
    let state = table.contents()
    var random = RandomSource(99)
    try table.push(random.ids(500), random.floats(1500), step: 6)
    #expect(table.contents() != state)
    try copy(kept, to: [table])
    #expect(table.contents() == state)
    #expect(table.rowCount == kept.rowCount)
}

@Test("a snapshot that does not fit is refused with the reason, and nothing changes")
func faultySnapshots() throws {
    let table = try makeTable(optimizer: .init(kind: .adagrad), partitions: [0, 1, 2, 3])
    let id = try #require((1...1000).map(UInt64.init).first { table.partition(of: $0) == 2 })
    try table.push([id], [1, 1, 1])
    let state = table.contents()
    func rows(ids: [UInt64], weights: Int, slots: Int, counts: Int) -> PartitionRows {
        let rows = PartitionRows()
        for id in ids { rows.ids.append(id) }
        rows.weights.fill(weights, with: 1)
        rows.slots.fill(slots, with: 1)
        rows.counts.fill(counts, with: 1)
        rows.steps.fill(ids.count, with: 1)
        return rows
    }
    let elsewhere = try #require((1...1000).map(UInt64.init).first { table.partition(of: $0) == 3 })
    let faults: [(Int, PartitionRows, String)] = [
        (2, rows(ids: [id, id], weights: 6, slots: 6, counts: 2), "ascend"),
        (2, rows(ids: [0], weights: 3, slots: 3, counts: 1), "ascend"),
        (2, rows(ids: [elsewhere], weights: 3, slots: 3, counts: 1), "belongs elsewhere"),
        (2, rows(ids: [id], weights: 2, slots: 3, counts: 1), "2 weights"),
        (2, rows(ids: [id], weights: 3, slots: 6, counts: 1), "optimizer state"),
        (2, rows(ids: [id], weights: 3, slots: 3, counts: 2), "2 counts"),
        (9, rows(ids: [], weights: 0, slots: 0, counts: 0), "does not own"),
        (99, rows(ids: [], weights: 0, slots: 0, counts: 0), "does not own"),
    ]
    for (partition, rows, reason) in faults {
        let error = #expect(throws: ParametersError.self) { try table.restore(partition: partition, from: rows) }
        #expect(error?.description.contains(reason) == true)
        #expect(table.contents() == state)
    }
}

@Test("restored rows keep their counts, others their prepared ones")
func restoreKeepsPreparedCounts() throws {
    let table = try makeTable()
    try table.setPreparedCounts(ids: [1, 2], counts: [10, 20], count: 2)
    let source = try makeTable()
    try source.setPreparedCounts(ids: [1], counts: [11], count: 1)
    try source.push([1], [0, 0, 0])
    try copy(source, to: [table])
    try table.push([2], [0, 0, 0])
    #expect(Set(table.contents().map { [$0[0], $0[5]] }) == [[1, 11], [2, 20]])
}
