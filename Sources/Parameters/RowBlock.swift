/// A few rows on their way through an update: small enough to stay in the first-level cache from first to last pass.
final class RowBlock {
    /// Rows a block.
    static let capacity = 4; static let ahead = 16

    /// The rows' weights.
    let rows: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
    /// Their scaled gradients, [capacity × width].
    let gradients: UnsafeMutablePointer<Float>
    /// λ/n of each.
    let strengths: UnsafeMutablePointer<Float>
    /// Rows in use.
    var count = 0

    /// A block for rows of `width` weights.
    init(width: Int) {
        rows = .allocate(capacity: RowBlock.capacity)
        gradients = .allocate(capacity: RowBlock.capacity * width)
        strengths = .allocate(capacity: RowBlock.capacity)
    }

    deinit {
        rows.deallocate()
        gradients.deallocate()
        strengths.deallocate()
    }
}
