import Tensors
import Testing

@testable import Parameters

@Test("pull of an absent row shows its initial value and does not store it")
func pullStoresNothing() throws {
    let table = try makeTable()
    let first = try table.weights([5, 6, 7])
    #expect(table.rowCount == 0)
    #expect(table.bytes.payload == 0)
    #expect(bits(try table.weights([7])) == bits(Array(first[6..<9])))
    try table.push([6], [0, 0, 0])
    #expect(table.rowCount == 1)
    #expect(bits(try table.weights([5, 6, 7])) == bits(first), "the first push starts from what was shown")
}

@Test("a row does not depend on who creates it: order, shards and partitions")
func rowsAreIndependentOfTheCluster() throws {
    var random = RandomSource(11)
    let ids = random.ids(500)
    let gradients = random.floats(500 * 3)
    let whole = try makeTable(optimizer: .init(kind: .adagrad))
    try whole.push(ids, gradients)
    let order = ids.indices.shuffled(using: &random)
    let shards = try (0..<3).map { shard in
        try makeTable(
            optimizer: .init(kind: .adagrad), partitions: (0..<16).filter { $0 % 3 == shard })
    }
    for shard in shards {
        let mine = order.filter { shard.owns(ids[$0]) }
        try shard.push(mine.map { ids[$0] }, mine.flatMap { gradients[$0 * 3..<$0 * 3 + 3] })
    }
    #expect(shards.map(\.rowCount).reduce(0, +) == 500)
    let rows = PartitionRows()
    let expected = PartitionRows()
    for partition in 0..<16 {
        try whole.export(partition: partition, into: expected)
        try shards[partition % 3].export(partition: partition, into: rows)
        #expect(Array(rows.ids.buffer) == Array(expected.ids.buffer))
        #expect(bits(Array(rows.weights.buffer)) == bits(Array(expected.weights.buffer)))
        #expect(bits(Array(rows.slots.buffer)) == bits(Array(expected.slots.buffer)))
    }
}

@Test("untouched rows keep every bit over 100 steps", arguments: OptimizerOptions.Kind.allCases)
func untouchedRowsKeepTheirBits(kind: OptimizerOptions.Kind) throws {
    var random = RandomSource(5)
    let table = try makeTable(
        optimizer: .init(kind: kind), regularization: .init(kind: .mba, lambda: 0.1, counts: .running))
    let resting = random.ids(200)
    let moving = (1...400).map(UInt64.init)
    try table.push(resting, random.floats(600))
    try table.push(moving, random.floats(1200), step: 2)
    let ids = Set(resting.map { UInt32(truncatingIfNeeded: $0) })
    let before = table.contents().filter { ids.contains($0[0]) }
    for step in 3...102 {
        let touched = moving.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
        try table.push(touched, random.floats(touched.count * 3), scale: 0.1, step: step)
    }
    #expect(before.count == 200)
    #expect(table.contents().filter { ids.contains($0[0]) } == before)
}

@Test("foreign ids and padding are refused and nothing changes")
func foreignIdsAreRefused() throws {
    let table = try makeTable(partitions: [0, 1, 2, 3, 4, 5, 6])
    let foreign = try #require((1...1000).map(UInt64.init).first { !table.owns($0) })
    let own = try #require((1...1000).map(UInt64.init).first { table.owns($0) })
    let partition = table.partition(of: foreign)
    #expect(partition == Tensors.partition(of: rowHash(table: 0, id: foreign), bits: 4))
    #expect(throws: ParametersError.foreignId(foreign, table: "item", partition: partition)) {
        try table.push([own, foreign], [1, 1, 1, 1, 1, 1])
    }
    #expect(throws: ParametersError.paddingId(table: "item", position: 1)) { try table.weights([own, 0]) }
    #expect(throws: ParametersError.paddingId(table: "item", position: 0)) {
        try table.push([0, own], [1, 1, 1, 1, 1, 1])
    }
    #expect(table.rowCount == 0)
    #expect(ParametersError.foreignId(7, table: "item", partition: 3).description.contains("partition 3"))
}

@Test("at the limit new rows are refused, counted and served their initial value")
func limitRefusesRows() throws {
    var random = RandomSource(2)
    let table = try makeTable(limit: 160)
    let ids = random.ids(1000)
    let gradients = [Float](repeating: 1, count: 3000)
    let initial = try table.weights(ids)
    let applied = try table.push(ids, gradients)
    #expect(table.rowCount <= 160)
    #expect(table.rowCount >= 150, "every partition holds its tenth")
    #expect(applied.inserted == table.rowCount)
    #expect(applied.refused == 1000 - table.rowCount)
    #expect(table.refusedCount == applied.refused)
    let after = try table.weights(ids)
    let changed = ids.indices.filter { after[$0 * 3] != initial[$0 * 3] }
    #expect(changed.count == table.rowCount)
    let again = try table.push(ids, gradients, step: 2)
    #expect(again.inserted == 0)
    #expect(table.refusedCount == 2 * applied.refused)
    let later = try table.weights(ids)
    for row in changed { #expect(later[row * 3] < after[row * 3], "stored rows go on learning") }
}

@Test("which rows a limit refuses does not depend on the number of shards")
func limitBelongsToTheJob() throws {
    var random = RandomSource(4)
    let ids = random.ids(300)
    let whole = try makeTable(limit: 64)
    try whole.push(ids, [Float](repeating: 1, count: 900))
    var stored = 0
    for shard in 0..<2 {
        let part = try makeTable(limit: 64, partitions: (0..<16).filter { $0 % 2 == shard })
        let mine = ids.filter(part.owns)
        try part.push(mine, [Float](repeating: 1, count: mine.count * 3))
        stored += part.rowCount
        for partition in part.owned { #expect(part.rowCount(of: partition) == whole.rowCount(of: partition)) }
        #expect(bits(try part.weights(mine)) == bits(try whole.weights(mine)))
    }
    #expect(stored == whole.rowCount)
}

@Test("a limit is held to the row, below the number of partitions too", arguments: [1, 3, 15, 16, 17, 50, 1000])
func limitIsExact(limit: Int) throws {
    var random = RandomSource(6)
    let table = try makeTable(limit: limit)
    let ids = random.ids(10_000)
    try table.push(ids, [Float](repeating: 1, count: 30_000))
    #expect(table.rowCount == limit)
    #expect(table.options.limit(ofPartition: 0, of: 1) == limit)
}

@Test("an id that a message names twice is stored once")
func doubledIdsAreSafe() throws {
    let table = try makeTable(width: 1, optimizer: .init(kind: .sgd, rate: 1), initial: .zero)
    try table.push([8, 9, 8], [-1, -10, -2])
    #expect(table.rowCount == 2)
    #expect(try table.weights([8, 9]) == [3, 10])
}

@Test(
    "pulls and pushes larger and smaller than a block agree with one row at a time",
    arguments: [1, 16, 31, 32, 33, 500])
func blocksAgreeWithSingleRows(count: Int) throws {
    var random = RandomSource(UInt64(count))
    let ids = random.ids(count)
    let gradients = random.floats(count * 18)
    let options = RegularizationOptions(counts: .running)
    let together = try makeTable(width: 18, optimizer: .init(kind: .adam), regularization: options)
    let apart = try makeTable(width: 18, optimizer: .init(kind: .adam), regularization: options)
    for step in 1...3 {
        try together.push(ids, gradients, step: step)
        for i in ids.indices { try apart.push([ids[i]], Array(gradients[i * 18..<i * 18 + 18]), step: step) }
    }
    #expect(together.contents() == apart.contents())
    #expect(bits(try together.weights(ids)) == bits(try ids.flatMap { try apart.weights([$0]) }))
}

@Test("tables of one job hash and start their rows differently")
func tablesDiffer() throws {
    let (a, b) = (try makeTable(index: 0), try makeTable(index: 1))
    #expect((1...100).contains { a.partition(of: $0) != b.partition(of: $0) })
    #expect(try a.weights([1]) != b.weights([1]))
}

@Test("200,000 rows cost at most 26 bytes each beyond weights and optimizer state")
func rowsAreCompact() throws {
    let table = try makeTable(width: 18, optimizer: .init(kind: .adagrad), bits: 8)
    var ids = [UInt64](repeating: 0, count: 10_000)
    let gradients = [Float](repeating: 0.5, count: 180_000)
    for step in 1...20 {
        for i in ids.indices { ids[i] = UInt64(step * 10_000 + i) }
        try table.push(ids, gradients, step: step)
    }
    let bytes = table.bytes
    #expect(table.rowCount == 200_000)
    #expect(bytes.payload == 200_000 * 144)
    #expect(bytes.header == 200_000 * 8)
    #expect(bytes.header + bytes.index <= 26 * 200_000)
}
