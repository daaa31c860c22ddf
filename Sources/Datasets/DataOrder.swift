import Tensors

/// The order in which an epoch visits the samples: groups shuffled by a seed, candidates of a group together.
///
/// A function of (seed, epoch, split) only, so that every worker computes the same order and nobody has to send it.
package final class DataOrder: @unchecked Sendable {
    // Unchecked: written in `init` only.
    /// The epoch that it is of; nil for the natural order.
    package let epoch: Int?
    private let groups: [UInt32]?
    private let firstPosition: [UInt32]

    /// The order of an epoch; with epoch nil the natural order (evaluation).
    ///
    /// Fisher–Yates over groups, drawn from Philox with key `seed` and counter (epoch, index).
    package init(_ split: Split, seed: UInt64, epoch: Int?) {
        self.epoch = epoch
        let count = split.groupCount
        var order: [UInt32]?
        if let epoch {
            var shuffled = [UInt32](0..<UInt32(count))
            for index in stride(from: count - 1, to: 0, by: -1) {
                let other = Int(Philox.below(UInt64(index + 1), key: seed, UInt64(epoch) &+ 1, UInt64(index)))
                shuffled.swapAt(index, other)
            }
            order = shuffled
        }
        groups = order
        var firsts = [UInt32](repeating: 0, count: count + 1)
        for index in 0..<count {
            let group = order.map { Int($0[index]) } ?? index
            firsts[index + 1] = firsts[index] + UInt32(split.candidateCount(of: group))
        }
        firstPosition = firsts
    }

    /// How many positions there are.
    package var count: Int { Int(firstPosition[firstPosition.count - 1]) }

    /// The place in this order of the group that holds a position, and the candidate within the group.
    func place(of position: Int) -> (index: Int, candidate: Int) {
        let index = firstPosition.count(upTo: UInt32(position)) - 1
        return (index, position - Int(firstPosition[index]))
    }

    /// The group at a place of this order.
    @inline(__always)
    func group(at index: Int) -> Int { groups.map { Int($0[index]) } ?? index }
}
