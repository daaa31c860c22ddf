/// The scores of a split as they come in, in any order and more than once, until all samples are covered.
package struct ScoreBook: Sendable {
    /// Why scores cannot be taken.
    package enum Fault: Error, CustomStringConvertible, Equatable {
        /// Samples that the split does not have.
        case outside(first: Int, count: Int, samples: Int)
        /// Logits that are not numbers.
        case notFinite(count: Int)

        package var description: String {
            switch self {
            case .outside(let first, let count, let samples):
                "samples \(first) to \(first + count) of a split of \(samples)"
            case .notFinite(let count):
                "\(count) logits are not finite: training has diverged, lower the learning rate"
            }
        }
    }

    private var logits: [Float]
    private var labels: [Float]
    private var keys: [UInt64]
    private var seen: [Bool]
    private var missing: Int

    /// A book for a split of so many samples.
    package init(sampleCount: Int) {
        logits = [Float](repeating: 0, count: sampleCount)
        labels = logits
        keys = [UInt64](repeating: 0, count: sampleCount)
        seen = [Bool](repeating: false, count: sampleCount)
        missing = sampleCount
    }

    /// Whether every sample has its score.
    package var isComplete: Bool { missing == 0 }

    /// Takes the scores of samples `first..<first + count`.
    package mutating func add(
        first: Int, logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Float>,
        keys: UnsafeBufferPointer<UInt64>
    ) throws(Fault) {
        let count = logits.count
        guard first >= 0, count == labels.count, count == keys.count, first <= self.logits.count - count else {
            throw .outside(first: first, count: count, samples: self.logits.count)
        }
        let bad = logits.count { !$0.isFinite }
        guard bad == 0 else { throw .notFinite(count: bad) }
        for index in 0..<count {
            self.logits[first + index] = logits[index]
            self.labels[first + index] = labels[index]
            self.keys[first + index] = keys[index]
            if !seen[first + index] {
                seen[first + index] = true
                missing -= 1
            }
        }
    }

    /// The metrics of a complete book.
    package func metrics() -> Metrics {
        precondition(isComplete, "\(missing) samples have no score")
        return Metrics(logits: logits, labels: labels, keys: keys)
    }
}
