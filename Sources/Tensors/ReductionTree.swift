/// A node of the binary tree over micro-batches: it covers [index << level, (index + 1) << level) ∩ [0, M).
///
/// Sums are taken along this tree whatever the cluster: the order of additions belongs to the job.
@frozen
public struct Subtree: Hashable, Sendable, Comparable {
    /// Height above the micro-batches: 0 is one micro-batch.
    public let level: Int
    /// Position among the nodes of its level.
    public let index: Int

    /// A node.
    @inlinable
    public init(level: Int, index: Int) {
        self.level = level
        self.index = index
    }

    /// The micro-batches it covers among `count`.
    @inlinable
    public func covers(of count: Int) -> Range<Int> {
        let first = min(index << level, count)
        return first..<min((index + 1) << level, count)
    }

    /// The node above.
    @inlinable
    public var parent: Subtree { Subtree(level: level + 1, index: index >> 1) }

    /// The other child of its parent; it may cover nothing.
    @inlinable
    public var sibling: Subtree { Subtree(level: level, index: index ^ 1) }

    /// Whether it is the left child of its parent.
    @inlinable
    public var isLeft: Bool { index & 1 == 0 }

    /// As one word on the wire.
    @inlinable
    public var packed: UInt32 { UInt32(level) << 24 | UInt32(index) }

    /// From one word on the wire.
    @inlinable
    public init(packed: UInt32) { self.init(level: Int(packed >> 24), index: Int(packed & 0xff_ffff)) }

    /// By first micro-batch, larger nodes first.
    public static func < (a: Subtree, b: Subtree) -> Bool {
        let (x, y) = (a.index << a.level, b.index << b.level)
        return x != y ? x < y : a.level > b.level
    }

    /// The root of the tree over `count` micro-batches.
    public static func root(of count: Int) -> Subtree {
        var level = 0
        while 1 << level < count { level += 1 }
        return Subtree(level: level, index: 0)
    }

    /// The maximal nodes inside `range`, left to right: what a worker that owns `range` pushes.
    ///
    /// A node that reaches beyond `count` is maximal when all of it that exists is inside.
    public static func maximal(in range: Range<Int>, of count: Int) -> [Subtree] {
        var result: [Subtree] = []
        var first = range.lowerBound
        while first < range.upperBound {
            var node = Subtree(level: 0, index: first)
            while node.isLeft || first == 0, node.level < root(of: count).level {
                let above = node.parent
                let span = above.covers(of: count)
                guard span.lowerBound == first, span.upperBound <= range.upperBound else { break }
                node = above
            }
            result.append(node)
            first = node.covers(of: count).upperBound
        }
        return result
    }

    /// The contiguous block of micro-batches of one of `parts` workers.
    @inlinable
    public static func block(_ part: Int, of parts: Int, over count: Int) -> Range<Int> {
        part * count / parts..<(part + 1) * count / parts
    }
}
