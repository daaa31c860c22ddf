/// An approximate AUC over predictions counted in bins by label: what a progress line shows.
package struct RunningAUC: Sendable {
    private var negatives: [Double] = []
    private var positives: [Double] = []
    /// Share of the old counts that an addition keeps.
    private let memory: Double

    /// Nothing counted; older counts fade by `memory` with every addition.
    package init(memory: Double = 0.9) { self.memory = memory }

    /// Adds counts by bin, lowest predictions first.
    package mutating func add(negatives new: [UInt32], positives hits: [UInt32]) {
        guard new.count == hits.count else { return }
        if negatives.count != new.count {
            negatives = [Double](repeating: 0, count: new.count)
            positives = negatives
        }
        for bin in new.indices {
            negatives[bin] = negatives[bin] * memory + Double(new[bin])
            positives[bin] = positives[bin] * memory + Double(hits[bin])
        }
    }

    /// The AUC, ties within a bin counted half; `nil` with one class only.
    package var value: Double? {
        var below = 0.0
        var pairs = 0.0
        for bin in negatives.indices {
            pairs += positives[bin] * (below + negatives[bin] / 2)
            below += negatives[bin]
        }
        let total = positives.reduce(0, +) * below
        return total > 0 ? pairs / total : nil
    }
}
