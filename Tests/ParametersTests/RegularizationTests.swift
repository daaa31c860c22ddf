import Foundation
import Tensors
import Testing

@testable import Parameters

/// golden value: F(s, [3])ᵢ = sin(s + 0.37·i).
private func golden(_ s: Double) -> [Float] { (0..<3).map { Float(sin(s + 0.37 * Double($0))) } }

/// Makes a table start from given weights.
private func seeded(_ table: Table, _ id: UInt64, _ weights: [Float], count: UInt32) throws {
    let rows = PartitionRows()
    rows.ids.append(id)
    for w in weights { rows.weights.append(w) }
    rows.slots.fill(table.layout.slots, with: 0)
    rows.counts.append(count)
    rows.steps.append(0)
    try table.restore(partition: table.partition(of: id), from: rows)
}

@Test("MBA with SGD gives the golden values of the equation")
func goldenStep() throws {
    let table = try makeTable(regularization: .init(lambda: 0.01))
    try seeded(table, 77, golden(1), count: 4)
    let applied = try table.push([77], golden(2).map { $0 * 8 }, scale: 0.125)
    #expect(agree(try table.weights([77]), [0.750330874, 0.909935311, 0.946384271], 1e-7))
    let norm = golden(1).reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(applied.regularization - 0.5 * 0.01 / 4 * norm) < 1e-8)
}

@Test(
    "with no loss gradient a row shrinks by (1 − ηλ/n)ⁿ in an epoch, about exp(−ηλ) for every n", arguments: [1, 4, 50])
func shrinkagePerEpoch(n: Int) throws {
    let table = try makeTable(optimizer: .init(kind: .sgd, rate: 0.1), regularization: .init(lambda: 0.05))
    try seeded(table, 3, [1, -2, 0.5], count: UInt32(n))
    for step in 1...n { try table.push([3], [0, 0, 0], step: step) }
    let factor = pow(1 - 0.1 * 0.05 / Double(n), Double(n))
    #expect(agree(try table.weights([3]), [factor, -2 * factor, 0.5 * factor], 1e-6))
    #expect(abs(factor - exp(-0.1 * 0.05)) < 0.005 * 0.005)
}

@Test("coupled and decoupled agree for SGD up to η², differ for Adam, and decoupled shrinks exactly")
func coupledAndDecoupled() throws {
    func run(_ kind: OptimizerOptions.Kind, _ mode: RegularizationOptions.Mode, _ gradient: [Float]) throws -> [Float] {
        let table = try makeTable(
            optimizer: .init(kind: kind, rate: 0.01), regularization: .init(mode: mode, lambda: 0.5))
        try seeded(table, 3, [1, -2, 0.5], count: 2)
        try table.push([3], gradient)
        return try table.weights([3])
    }
    let gradient: [Float] = [0.3, -0.1, 0.2]
    let (a, b) = (try run(.sgd, .coupled, gradient), try run(.sgd, .decoupled, gradient))
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 0.01 * 0.01 })
    let (c, d) = (try run(.adam, .coupled, [1e-6, 1e-6, 1e-6]), try run(.adam, .decoupled, [1e-6, 1e-6, 1e-6]))
    #expect(zip(c, d).contains { abs($0 - $1) > 1e-3 })
    let factor: Float = 1 - 0.01 * (0.5 / 2)
    for kind in [OptimizerOptions.Kind.sgd, .momentum, .adagrad, .adagradRowwise, .adam] {
        #expect(bits(try run(kind, .decoupled, [0, 0, 0])) == bits([factor, -2 * factor, 0.5 * factor]), "\(kind)")
    }
}

@Test("decoupled regularization never pushes a weight through zero")
func shrinkStopsAtZero() throws {
    let table = try makeTable(
        optimizer: .init(kind: .sgd, rate: 1), regularization: .init(mode: .decoupled, lambda: 50))
    try seeded(table, 3, [1, -2, 0.5], count: 1)
    try table.push([3], [0, 0, 0])
    #expect(try table.weights([3]).allSatisfy { $0 == 0 })
}

@Test("SGD with decay made good when a row is touched equals dense L2")
func lazyDecayOracle() throws {
    var random = RandomSource(8)
    let ids = random.ids(10)
    let dense = try makeTable(
        optimizer: .init(kind: .sgd, rate: 0.1), regularization: .init(kind: .l2, mode: .decoupled, lambda: 0.02))
    try dense.push(ids, [Float](repeating: 0, count: 30))
    var lazy = try dense.weights(ids).map(Double.init)
    var last = [Int](repeating: 1, count: 10)
    let rate = Double(Float(0.1))
    let factor = Double(1 - Float(0.1) * Float(0.02))
    for step in 2...60 {
        let touched = ids.indices.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
        let gradients = random.floats(touched.count * 3)
        try dense.push(touched.map { ids[$0] }, gradients, step: step)
        for (i, row) in touched.enumerated() {
            for c in 0..<3 {
                let settled = lazy[row * 3 + c] * pow(factor, Double(step - 1 - last[row]))
                lazy[row * 3 + c] = (settled - rate * Double(gradients[i * 3 + c])) * factor
            }
            last[row] = step
        }
    }
    for row in ids.indices {
        for c in 0..<3 { lazy[row * 3 + c] *= pow(factor, Double(60 - last[row])) }
    }
    let worst = zip(try dense.weights(ids), lazy).map { abs(Double($0) - $1) }.max() ?? 1
    #expect(worst <= 1e-6)
}

@Test("dense L2 reaches untouched rows through the optimizer when coupled, also in a step without rows")
func denseSweep() throws {
    let table = try makeTable(
        width: 1, optimizer: .init(kind: .adam, rate: 0.01),
        regularization: .init(kind: .l2, mode: .coupled, lambda: 1e-4), bits: 0)
    for id in 1...100 as ClosedRange<UInt64> { try seeded(table, id, [1], count: 0) }
    let rows = PartitionRows()
    for id in 1...100 as ClosedRange<UInt64> {
        rows.ids.append(id)
        rows.weights.append(1)
        rows.counts.append(0)
        rows.steps.append(0)
    }
    rows.slots.fill(200, with: 0)
    try table.restore(partition: 0, from: rows)
    let applied = try table.push([], [])
    #expect(abs(applied.regularization - 0.5 * 1e-4 * 100) < 1e-7)
    let weights = try table.weights(Array(1...100))
    #expect(weights.allSatisfy { abs($0 - 0.99) < 1e-4 }, "Adam turns any pure decay into its rate")
}

@Test("l2_touched ignores counts, none ignores everything")
func otherKinds() throws {
    func run(_ kind: RegularizationOptions.Kind) throws -> [Float] {
        let table = try makeTable(
            optimizer: .init(kind: .sgd, rate: 0.5), regularization: .init(kind: kind, lambda: 0.5))
        try seeded(table, 3, [1, 2, 4], count: 8)
        try table.push([3], [0, 0, 0])
        return try table.weights([3])
    }
    #expect(try run(.none) == [1, 2, 4])
    #expect(try run(.l2Touched) == [0.75, 1.5, 3])
    #expect(try run(.mba) == [1 - 0.03125, 2 - 0.0625, 4 - 0.125])
}

@Test("running counts include the step, freeze when told, and never overflow")
func runningCounts() throws {
    let table = try makeTable(regularization: .init(lambda: 0.01, counts: .running, freezeAfter: 2))
    func count() -> UInt32 { table.contents()[0][5] }
    try table.push([3], [0, 0, 0], counts: [3], step: 1)
    #expect(count() == 3)
    try table.push([3], [0, 0, 0], counts: [2], step: 2)
    #expect(count() == 5)
    try table.push([3], [0, 0, 0], counts: [2], step: 3)
    #expect(count() == 5)
    let endless = try makeTable(regularization: .init(counts: .running))
    try endless.push([3], [0, 0, 0], counts: [.max])
    try endless.push([3], [0, 0, 0], counts: [5], step: 2)
    #expect(endless.contents()[0][5] == .max)
}

@Test("prepared counts reach rows stored before and after, cost no row, and survive a restore")
func preparedCounts() throws {
    let table = try makeTable(regularization: .init(lambda: 0.01))
    try table.push([1], [0, 0, 0], counts: [9])
    #expect(table.contents().map { $0[5] } == [0], "samples of a step do not count")
    let ids: [UInt64] = [1, 2, 3]
    try table.setPreparedCounts(ids: ids, counts: [10, 20, 30], count: 3)
    #expect(table.rowCount == 1)
    #expect(bits(try table.weights([2])) == bits(try makeTable().weights([2])), "pending is not stored")
    try table.push([2, 4], [0, 0, 0, 0, 0, 0])
    var counts: [UInt32: UInt32] = [:]
    for row in table.contents() { counts[row[0]] = row[5] }
    #expect(counts == [1: 10, 2: 20, 4: 0])
    for partition in table.owned { try table.restore(partition: partition, from: PartitionRows()) }
    #expect(table.rowCount == 0)
    try table.push([1, 2, 3], [Float](repeating: 0, count: 9))
    for row in table.contents() { #expect(row[5] == row[0] * 10) }
    #expect(throws: ParametersError.self) { try table.setPreparedCounts(ids: [0], counts: [1], count: 1) }
}

@Test("regularization acts once a step however the step was cut")
func oncePerStep() throws {
    var random = RandomSource(21)
    let options = RegularizationOptions(lambda: 1, counts: .running)
    let parts = (0..<4).map { _ in (ids: random.ids(30, below: 60), gradients: random.floats(90)) }
    func run(_ nodes: [Subtree]) throws -> [[UInt32]] {
        let table = try makeTable(optimizer: .init(kind: .adagrad), regularization: options)
        let accumulator = StepAccumulator(widths: [3], denseCount: 0)
        for step in 1...3 {
            accumulator.begin(step: step, microBatches: 4)
            for node in nodes { push(node, parts, to: accumulator) }
            #expect(accumulator.isComplete)
            let rows = accumulator.rows(table: 0)
            try table.apply(
                ids: rows.ids, count: rows.count, gradients: rows.gradients, counts: rows.counts, scale: 0.25,
                step: step)
        }
        return table.contents()
    }
    let reference = try run([Subtree(level: 2, index: 0)])
    let byHalves = try run([Subtree(level: 1, index: 1), Subtree(level: 1, index: 0)])
    let byOnes = try run([3, 1, 0, 2].map { Subtree(level: 0, index: $0) })
    #expect(byHalves == reference)
    #expect(byOnes == reference)
}

/// Pushes the sum of a node's parts, taken along the tree by another accumulator.
private func push(_ node: Subtree, _ parts: [(ids: [UInt64], gradients: [Float])], to accumulator: StepAccumulator) {
    let covered = Array(node.covers(of: parts.count))
    let inner = StepAccumulator(widths: [3], denseCount: 0)
    inner.begin(step: 1, microBatches: covered.count)
    for (i, part) in covered.enumerated() {
        let counts = [UInt32](repeating: 1, count: 30)
        inner.add(Subtree(level: 0, index: i), ids: parts[part].ids, counts: counts, gradients: parts[part].gradients)
    }
    let rows = inner.rows(table: 0)
    _ = accumulator.add(node: node, samples: covered.count, tables: [rows], dense: rows.gradients)
}

extension StepAccumulator {
    /// Adds rows of one table and no dense gradients.
    fileprivate func add(_ node: Subtree, ids: [UInt64], counts: [UInt32], gradients: [Float]) {
        ids.withUnsafeBufferPointer { ids in
            counts.withUnsafeBufferPointer { counts in
                gradients.withUnsafeBufferPointer { gradients in
                    guard let i = ids.baseAddress, let c = counts.baseAddress, let g = gradients.baseAddress else {
                        return
                    }
                    let view = RowGradients(ids: i, counts: c, gradients: g, count: ids.count)
                    _ = add(node: node, samples: 1, tables: [view], dense: g)
                }
            }
        }
    }
}

@Test("a row that no sample of the step contains, drawn as a negative, is moved by its gradient and not regularized")
func drawnRows() throws {
    for counts in [RegularizationOptions.Counts.prepared, .running] {
        let table = try makeTable(regularization: .init(lambda: 0.5, counts: counts))
        try seeded(table, 3, [1, -2, 0.5], count: 4)
        let applied = try table.push([3], [0.25, 0, 0], counts: [0])
        #expect(bits(try table.weights([3])) == bits([1 - 0.1 * 0.25, -2, 0.5]))
        #expect(applied.regularization == 0)
        // In a sample it is.
        try table.push([3], [0, 0, 0], counts: [1], step: 2)
        #expect(try table.weights([3])[1] > -2)
    }
}
