import Models
import Tensors

/// The gradient sums of one subtree of micro-batches: what is pushed, and what two children become when they meet.
final class Contribution {
    /// Row gradients of one table; a row that is not listed is absent, not zero.
    struct Table {
        /// Rows of the step's plan.
        let rows = Column<Int32>()
        /// Samples of the subtree that contain each id.
        let counts = Column<UInt32>()
        /// [rows × width].
        let gradients = Column<Float>()
        let width: Int

        init(width: Int) { self.width = width }

        /// The gradients as a matrix.
        var matrix: Matrix { Matrix(base: gradients.base, rows: rows.count, columns: width) }
    }

    /// Samples of the subtree.
    var samples = 0
    /// Sums of their losses.
    var losses = Losses(clicks: 0)
    /// Sums of the dense gradients; at statistic slots, of samples × statistic.
    let dense: DenseVector
    /// By table index.
    let tables: [Table]

    init(denseCount: Int, widths: [Int]) {
        dense = DenseVector(count: denseCount)
        tables = widths.map(Table.init(width:))
    }

    /// Whether all its sums are finite.
    var isFinite: Bool {
        areFinite(dense.base, count: dense.count)
            && tables.allSatisfy { areFinite($0.gradients.base, count: $0.gradients.count) }
    }

    /// Adds the right sibling: sum = left + right, element by element, in this order.
    ///
    /// - Parameter slots: a table's scratch, one element a row of the plan, all −1 on entry and on return.
    func add(_ right: Contribution, slots: [Column<Int32>]) {
        samples += right.samples
        losses += right.losses
        let (a, b) = (dense.base, right.dense.base)
        for i in 0..<dense.count { a[i] += b[i] }
        for index in tables.indices { tables[index].add(right.tables[index], slots: slots[index]) }
    }
}

extension Losses {
    static func += (sum: inout Losses, losses: Losses) {
        sum.clicks += losses.clicks
        sum.auxiliary += losses.auxiliary
    }
}

extension Contribution.Table {
    fileprivate func add(_ right: Self, slots: Column<Int32>) {
        let leftCount = rows.count
        let slot = slots.base
        for i in 0..<leftCount { slot[Int(rows[i])] = Int32(i) }
        var total = leftCount
        for j in 0..<right.rows.count where slot[Int(right.rows[j])] < 0 { total += 1 }
        gradients.resize(total * width)
        for j in 0..<right.rows.count {
            let row = right.rows[j]
            let source = right.gradients.base + j * width
            let found = slot[Int(row)]
            if found >= 0 {
                let target = gradients.base + Int(found) * width
                for c in 0..<width { target[c] += source[c] }
                counts[Int(found)] += right.counts[j]
            } else {
                (gradients.base + rows.count * width).update(from: source, count: width)
                rows.append(row)
                counts.append(right.counts[j])
            }
        }
        for i in 0..<leftCount { slot[Int(rows[i])] = -1 }
    }
}
