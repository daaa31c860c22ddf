import Tensors
import Testing

@testable import Parameters

/// The gradient sums of one subtree, owned by the test.
private struct Part: Equatable {
    var samples = 1
    var ids: [[UInt64]]
    var counts: [[UInt32]]
    var gradients: [[Float]]
    var dense: [Float]

    static let widths = [2, 5]

    /// A micro-batch that touches some of 40 ids a table.
    static func random(_ random: inout RandomSource) -> Part {
        let ids = (0..<2).map { _ in random.ids(Int.random(in: 0...20, using: &random), below: 40) }
        return Part(
            samples: Int.random(in: 1...9, using: &random), ids: ids,
            counts: ids.map { $0.map { _ in UInt32.random(in: 1...5, using: &random) } },
            gradients: zip(ids, widths).map { random.floats($0.count * $1) }, dense: random.floats(11))
    }

    /// left + right, written the slow way.
    static func + (left: Part, right: Part) -> Part {
        var sum = left
        sum.samples += right.samples
        for i in sum.dense.indices { sum.dense[i] += right.dense[i] }
        for (table, width) in widths.enumerated() {
            for (j, id) in right.ids[table].enumerated() {
                let source = right.gradients[table][j * width..<(j + 1) * width]
                if let i = left.ids[table].firstIndex(of: id) {
                    sum.counts[table][i] += right.counts[table][j]
                    for (c, x) in source.enumerated() { sum.gradients[table][i * width + c] += x }
                } else {
                    sum.ids[table].append(id)
                    sum.counts[table].append(right.counts[table][j])
                    sum.gradients[table] += source
                }
            }
        }
        return sum
    }

    /// The sum of a node along the tree.
    static func sum(_ node: Subtree, of parts: [Part]) -> Part {
        let covered = node.covers(of: parts.count)
        if node.level == 0 { return parts[covered.lowerBound] }
        let left = Subtree(level: node.level - 1, index: node.index * 2)
        let right = left.sibling
        let sum = sum(left, of: parts)
        return right.covers(of: parts.count).isEmpty ? sum : sum + Part.sum(right, of: parts)
    }
}

extension StepAccumulator {
    /// Adds a part; its memory is gone when this returns.
    fileprivate func add(_ node: Subtree, _ part: Part) -> Outcome {
        var views: [RowGradients] = []
        var owned: [() -> Void] = []
        for table in part.ids.indices {
            let count = part.ids[table].count
            let ids = UnsafeMutablePointer<UInt64>.allocate(capacity: count + 1)
            let counts = UnsafeMutablePointer<UInt32>.allocate(capacity: count + 1)
            let gradients = UnsafeMutablePointer<Float>.allocate(capacity: part.gradients[table].count + 1)
            for i in 0..<count { (ids[i], counts[i]) = (part.ids[table][i], part.counts[table][i]) }
            for i in part.gradients[table].indices { gradients[i] = part.gradients[table][i] }
            views.append(RowGradients(ids: ids, counts: counts, gradients: gradients, count: count))
            owned.append {
                for i in part.gradients[table].indices { gradients[i] = .nan }
                ids.deallocate()
                counts.deallocate()
                gradients.deallocate()
            }
        }
        defer { for free in owned { free() } }
        return add(node: node, samples: part.samples, tables: views, dense: part.dense)
    }

    /// The result as a part.
    fileprivate var sum: Part {
        var result = Part(samples: samples, ids: [], counts: [], gradients: [], dense: [])
        for (table, width) in Part.widths.enumerated() {
            let rows = rows(table: table)
            result.ids.append((0..<rows.count).map { rows.ids[$0] })
            result.counts.append((0..<rows.count).map { rows.counts[$0] })
            result.gradients.append((0..<rows.count * width).map { rows.gradients[$0] })
        }
        result.dense = (0..<11).map { dense[$0] }
        return result
    }
}

private func makeAccumulator() -> StepAccumulator { StepAccumulator(widths: Part.widths, denseCount: 11) }

@Test("any order of arrival and any split give the same bits", arguments: [1, 2, 3, 4, 5, 7, 8, 13, 16])
func orderDoesNotMatter(count: Int) {
    var random = RandomSource(UInt64(count))
    let parts = (0..<count).map { _ in Part.random(&random) }
    let reference = Part.sum(.root(of: count), of: parts)
    let accumulator = makeAccumulator()
    for step in 1...20 {
        accumulator.begin(step: step, microBatches: count)
        let workers = Int.random(in: 1...count, using: &random)
        var nodes = (0..<workers).flatMap {
            Subtree.maximal(in: Subtree.block($0, of: workers, over: count), of: count)
        }
        nodes.shuffle(using: &random)
        for node in nodes {
            #expect(!accumulator.isComplete)
            #expect(accumulator.add(node, Part.sum(node, of: parts)) == .accepted)
        }
        #expect(accumulator.isComplete)
        #expect(accumulator.sum == reference)
    }
}

@Test("retries, takeovers and overlapping splits give the same bits", arguments: [2, 3, 6, 8, 11])
func redundancyDoesNotMatter(count: Int) {
    var random = RandomSource(UInt64(count) + 100)
    let parts = (0..<count).map { _ in Part.random(&random) }
    let root = Subtree.root(of: count)
    var nodes: [Subtree] = []
    for level in 0...root.level {
        for index in 0..<(count + (1 << level) - 1) >> level { nodes.append(Subtree(level: level, index: index)) }
    }
    let reference = Part.sum(root, of: parts)
    let accumulator = makeAccumulator()
    for step in 1...50 {
        accumulator.begin(step: step, microBatches: count)
        var covered = Set<Int>()
        while !accumulator.isComplete {
            let node = nodes[Int.random(in: 0..<nodes.count, using: &random)]
            let range = node.covers(of: count)
            let outcome = accumulator.add(node, Part.sum(node, of: parts))
            #expect(outcome == (covered.isSuperset(of: range) ? .alreadyCovered : .accepted))
            covered.formUnion(range)
            #expect(accumulator.nodes.reduce(0) { $0 + $1.covers(of: count).count } == covered.count)
        }
        #expect(accumulator.sum == reference)
        #expect(accumulator.add(nodes[0], parts[0]) == .alreadyCovered)
    }
}

@Test("nodes that are not of the step's tree are ignored")
func foreignNodes() {
    var random = RandomSource(1)
    let part = Part.random(&random)
    let accumulator = makeAccumulator()
    accumulator.begin(step: 1, microBatches: 5)
    for node in [Subtree(level: 0, index: 5), Subtree(level: 2, index: 2), Subtree(level: 4, index: 0)] {
        #expect(accumulator.add(node, part) == .outside)
    }
    #expect(accumulator.add(Subtree(packed: .max), part) == .outside)
    #expect(accumulator.nodes.isEmpty)
}

@Test("the whole step from one worker needs no copy, whatever its node is called")
func rootAlone() {
    var random = RandomSource(1)
    let accumulator = makeAccumulator()
    accumulator.begin(step: 1, microBatches: 5)
    #expect(accumulator.isRootAlone(Subtree(level: 3, index: 0)))
    #expect(!accumulator.isRootAlone(Subtree(level: 2, index: 0)))
    #expect(!accumulator.isRootAlone(Subtree(level: 4, index: 0)))
    #expect(accumulator.add(Subtree(level: 0, index: 4), Part.random(&random)) == .accepted)
    #expect(!accumulator.isRootAlone(Subtree(level: 3, index: 0)))
    #expect(accumulator.nodes == [Subtree(level: 2, index: 1)], "the last of five covers its sibling's nothing")
    accumulator.begin(step: 2, microBatches: 1)
    #expect(accumulator.step == 2)
    #expect(accumulator.isRootAlone(Subtree(level: 0, index: 0)))
}

@Test("a row that is missing on one side is absent, not zero: its negative zero survives")
func absentIsNotZero() {
    let left = Part(
        ids: [[7], []], counts: [[1], []], gradients: [[-0.0, -0.0], []], dense: Array(repeating: 0, count: 11))
    let right = Part(
        ids: [[8], []], counts: [[2], []], gradients: [[-0.0, 1], []], dense: Array(repeating: 0, count: 11))
    let accumulator = makeAccumulator()
    accumulator.begin(step: 1, microBatches: 2)
    _ = accumulator.add(Subtree(level: 0, index: 1), right)
    _ = accumulator.add(Subtree(level: 0, index: 0), left)
    #expect(accumulator.sum.ids == [[7, 8], []])
    #expect(accumulator.sum.counts == [[1, 2], []])
    #expect(bits(accumulator.sum.gradients[0]) == bits([-0.0, -0.0, -0.0, 1]))
}

@Test("an id that one contribution names twice is summed, not lost")
func doubledIdsAreSummed() {
    let left = Part(
        ids: [[7], []], counts: [[1], []], gradients: [[1, 2], []], dense: Array(repeating: 0, count: 11))
    let right = Part(
        ids: [[8, 8], []], counts: [[1, 1], []], gradients: [[3, 4, 5, 6], []], dense: Array(repeating: 0, count: 11))
    let accumulator = makeAccumulator()
    accumulator.begin(step: 1, microBatches: 2)
    _ = accumulator.add(Subtree(level: 0, index: 0), left)
    _ = accumulator.add(Subtree(level: 0, index: 1), right)
    #expect(accumulator.sum.ids == [[7, 8], []])
    #expect(accumulator.sum.gradients[0] == [1, 2, 8, 10])
}

@Test("25,000 rows on each side merge to the sums of a dictionary")
func largeMerge() {
    var random = RandomSource(77)
    let parts = (0..<2).map { _ in
        let ids = random.ids(25_000, below: 60_000)
        return Part(
            ids: [ids, []], counts: [ids.map { UInt32(truncatingIfNeeded: $0) & 7 }, []],
            gradients: [random.floats(50_000), []], dense: random.floats(11))
    }
    var sums: [UInt64: [Float]] = [:]
    for part in parts {
        for (i, id) in part.ids[0].enumerated() {
            let row = part.gradients[0][2 * i..<2 * i + 2]
            sums[id] = sums[id].map { zip($0, row).map(+) } ?? Array(row)
        }
    }
    let accumulator = makeAccumulator()
    accumulator.begin(step: 1, microBatches: 2)
    _ = accumulator.add(Subtree(level: 0, index: 1), parts[1])
    _ = accumulator.add(Subtree(level: 0, index: 0), parts[0])
    let sum = accumulator.sum
    #expect(sum.ids[0].count == sums.count)
    #expect(Array(sum.ids[0].prefix(25_000)) == parts[0].ids[0])
    var wrong = 0
    for (i, id) in sum.ids[0].enumerated() where Array(sum.gradients[0][2 * i..<2 * i + 2]) != sums[id] { wrong += 1 }
    #expect(wrong == 0)
}
