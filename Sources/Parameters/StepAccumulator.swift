package import Tensors

/// The barrier and the sum of one global step on one shard.
///
/// A step is complete when the contributions held cover all its micro-batches, whoever sent them. Sums are taken
/// strictly along the tree over micro-batches, left + right, so that neither the order of arrival nor the way in which
/// the work was cut changes a bit. Rows come in the order of their first occurrence along the tree.
/// Memory is reused from step to step. Belongs to the shard's thread.
package final class StepAccumulator {
    /// What became of a contribution.
    package enum Outcome: Sendable, Equatable {
        /// It counts.
        case accepted
        /// All its micro-batches were covered before: a retry or a duplicate, ignored.
        case alreadyCovered
        /// Not a node of the step's tree: ignored.
        case outside
    }

    /// The gradient sums under one node.
    private final class Sums {
        var samples = 0
        let tables: [RowSums]
        let dense: DenseVector

        init(widths: [Int], denseCount: Int) {
            tables = widths.map(RowSums.init(width:))
            dense = DenseVector(count: denseCount)
        }
    }

    /// The step that is being summed up; 0 before the first.
    package private(set) var step = 0
    /// How many micro-batches it has.
    package private(set) var microBatches = 0
    private let widths: [Int]
    private let denseCount: Int
    private var root = Subtree(level: 0, index: 0)
    private var held: [(node: Subtree, sums: Sums)] = []
    private var spare: [Sums] = []
    private let index = MergeIndex()

    /// An accumulator for tables of these widths and a dense slice of `denseCount` floats.
    package init(widths: [Int], denseCount: Int) {
        self.widths = widths
        self.denseCount = denseCount
        held.reserveCapacity(64)
        spare.reserveCapacity(64)
    }

    /// Begins a step, and forgets the one before: its result is dead.
    package func begin(step: Int, microBatches: Int) {
        precondition(microBatches >= 1, "a step has at least one micro-batch")
        self.step = step
        self.microBatches = microBatches
        root = Subtree.root(of: microBatches)
        for entry in held { spare.append(entry.sums) }
        held.removeAll(keepingCapacity: true)
    }

    /// Whether every micro-batch is covered: the result is there.
    package var isComplete: Bool { held.count == 1 && held[0].node == root }

    /// The nodes that are held, left to right: what is still missing can be read from it.
    package var nodes: [Subtree] { held.map(\.node).sorted() }

    /// Whether a contribution of this node would complete the step by itself while nothing else is held.
    ///
    /// Then the caller may apply it straight from the message, without `add` and without a copy, and go on to the
    /// next step with `begin`.
    package func isRootAlone(_ node: Subtree) -> Bool { held.isEmpty && normalized(node) == root }

    /// Adds the gradient sums of one subtree; everything is copied, nothing that is passed in is kept.
    ///
    /// A contribution that contains earlier ones replaces them.
    ///
    /// - Parameters:
    ///   - samples: samples of the subtree.
    ///   - tables: one view a table, in the order of the widths.
    ///   - dense: `denseCount` sums.
    package func add(node: Subtree, samples: Int, tables: [RowGradients], dense: UnsafePointer<Float>) -> Outcome {
        guard var node = normalized(node) else { return .outside }
        if held.contains(where: { $0.node.contains(node) }) { return .alreadyCovered }
        spare += held.filter { node.contains($0.node) }.map(\.sums)
        held.removeAll { node.contains($0.node) }
        // The frequent case of a right child whose sibling waits: added from the message without a copy.
        var sums: Sums
        if !node.isLeft, let left = take(node.sibling) {
            sums = left
            merge(samples, dense, into: sums) { tables[$0] }
            node = normalizedParent(of: node)
        } else {
            sums = spare.popLast() ?? Sums(widths: widths, denseCount: denseCount)
            sums.samples = samples
            for table in widths.indices { sums.tables[table].copy(tables[table]) }
            sums.dense.base.update(from: dense, count: denseCount)
        }
        while node != root, let other = take(node.sibling) {
            let (left, right) = node.isLeft ? (sums, other) : (other, sums)
            merge(right.samples, right.dense.base, into: left) { right.tables[$0].view }
            spare.append(right)
            sums = left
            node = normalizedParent(of: node)
        }
        held.append((node, sums))
        return .accepted
    }

    /// Samples of the whole step; only when complete.
    package var samples: Int { result.samples }

    /// The sums of one table over the whole step; only when complete, valid until `begin`.
    package func rows(table: Int) -> RowGradients { result.tables[table].view }

    /// The dense sums over the whole step; only when complete, valid until `begin`.
    package var dense: UnsafePointer<Float> { UnsafePointer(result.dense.base) }

    private var result: Sums {
        precondition(isComplete, "step \(step) is not complete")
        return held[0].sums
    }

    /// Adds what the right sibling has.
    private func merge(
        _ samples: Int, _ dense: UnsafePointer<Float>, into left: Sums, rows: (_ table: Int) -> RowGradients
    ) {
        left.samples += samples
        for table in widths.indices { left.tables[table].add(rows(table), index) }
        let sum = left.dense.base
        for i in 0..<denseCount { sum[i] += dense[i] }
    }

    /// Takes out a node that is held.
    private func take(_ node: Subtree) -> Sums? {
        guard let place = held.firstIndex(where: { $0.node == node }) else { return nil }
        return held.remove(at: place).sums
    }

    private func normalizedParent(of node: Subtree) -> Subtree { normalized(node.parent) ?? root }

    /// The highest node that covers the same micro-batches; nil for one that is not of the tree.
    private func normalized(_ node: Subtree) -> Subtree? {
        guard node.level <= root.level, node.index << node.level < microBatches else { return nil }
        var node = node
        while node != root, node.sibling.covers(of: microBatches).isEmpty { node = node.parent }
        return node
    }
}

extension Subtree {
    /// Whether another node lies under this one, or is this one.
    fileprivate func contains(_ other: Subtree) -> Bool {
        other.level <= level && other.index >> (level - other.level) == index
    }
}
