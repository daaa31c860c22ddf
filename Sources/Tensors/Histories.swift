/// The behavior sequences of a micro-batch, ragged: each sample points to a history, each position to a behavior.
///
/// A view of the micro-batch's columns. A *pair* is (sample, position of its history); pairs are numbered sample by
/// sample, positions from oldest to newest.
public struct Histories: @unchecked Sendable {
    /// Samples, n.
    public let samples: Int
    /// Distinct histories, H.
    public let count: Int
    /// [n]: the history of each sample.
    public let of: UnsafePointer<Int32>
    /// [H + 1]: where each history begins in `behavior`.
    public let offsets: UnsafePointer<Int32>
    /// Position → row of the distinct behaviors.
    public let behavior: UnsafePointer<Int32>
    /// Pairs of all samples.
    public let pairs: Int

    /// A view of columns that the caller keeps alive.
    public init(
        samples: Int, count: Int, of: UnsafePointer<Int32>, offsets: UnsafePointer<Int32>,
        behavior: UnsafePointer<Int32>
    ) {
        self.samples = samples
        self.count = count
        self.of = of
        self.offsets = offsets
        self.behavior = behavior
        var pairs = 0
        for sample in 0..<samples {
            let history = Int(of[sample])
            pairs += Int(offsets[history + 1] - offsets[history])
        }
        self.pairs = pairs
    }

    /// The positions of a history.
    @inlinable
    public func positions(of history: Int) -> Range<Int> { Int(offsets[history])..<Int(offsets[history + 1]) }

    /// The positions of a sample's history.
    @inlinable
    public func positions(ofSample sample: Int) -> Range<Int> { positions(of: Int(of[sample])) }
}
