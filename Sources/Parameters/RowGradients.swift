import Tensors

/// A view of the gradient sums of one table: what a push carries and what a step sums up to.
///
/// Owns nothing. The pointers must be aligned for their types: frames of a socket are not, unless copied.
package struct RowGradients {
    /// Distinct ids, none of them 0; a row that is not listed is absent, not zero.
    package let ids: UnsafePointer<UInt64>
    /// Samples that contain each id.
    package let counts: UnsafePointer<UInt32>
    /// [count × width].
    package let gradients: UnsafePointer<Float>
    /// How many rows.
    package let count: Int

    /// A view of memory that the caller keeps alive.
    package init(
        ids: UnsafePointer<UInt64>, counts: UnsafePointer<UInt32>, gradients: UnsafePointer<Float>, count: Int
    ) {
        self.ids = ids
        self.counts = counts
        self.gradients = gradients
        self.count = count
    }
}

/// The owner of the gradient sums of one table under one subtree; keeps its memory when it is used again.
final class RowSums {
    private let ids = Column<UInt64>()
    private let counts = Column<UInt32>()
    private let gradients = Column<Float>()
    private let width: Int

    init(width: Int) { self.width = width }

    /// The sums; valid until the next change.
    var view: RowGradients {
        RowGradients(ids: ids.base, counts: counts.base, gradients: gradients.base, count: ids.count)
    }

    /// Becomes a copy of a push.
    func copy(_ push: RowGradients) {
        ids.resize(push.count)
        counts.resize(push.count)
        gradients.resize(push.count * width)
        ids.base.update(from: push.ids, count: push.count)
        counts.base.update(from: push.counts, count: push.count)
        gradients.base.update(from: push.gradients, count: push.count * width)
    }

    /// Adds the right sibling: sum = left + right for rows of both, then the rows of the right alone in their order.
    func add(_ right: RowGradients, _ index: MergeIndex) {
        let most = ids.count + right.count
        index.begin(capacity: most)
        index.number(ids.base, from: 0, count: ids.count, among: ids.base)
        var total = ids.count
        ids.resize(most)
        counts.resize(most)
        gradients.resize(most * width)
        let (ids, counts, gradients, width) = (ids.base, counts.base, gradients.base, width)
        for j in 0..<right.count {
            let id = right.ids[j]
            let found = index.number(id, next: total, among: ids)
            let source = right.gradients + j &* width
            let target = gradients + found &* width
            if found < total {
                counts[found] = counts[found] &+ right.counts[j]
                for c in 0..<width { target[c] += source[c] }
            } else {
                ids[total] = id
                counts[total] = right.counts[j]
                target.update(from: source, count: width)
                total &+= 1
            }
        }
        self.ids.resize(total)
        self.counts.resize(total)
        self.gradients.resize(total * width)
    }
}
