/// A row-major view of floats: `rows` × `columns`, `stride` floats from one row to the next.
///
/// Owns nothing: the memory belongs to an `Arena`, a `DenseVector` or a table and must outlive the view.
@frozen
public struct Matrix: BitwiseCopyable, @unchecked Sendable {
    /// The first element.
    public let base: UnsafeMutablePointer<Float>
    /// How many rows.
    public let rows: Int
    /// How many columns.
    public let columns: Int
    /// Floats between the starts of two rows; at least `columns`.
    public let stride: Int

    /// A view of memory that the caller keeps alive; `stride` is `columns` unless given.
    @inlinable
    public init(base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    /// How many elements the view covers.
    @inlinable
    public var count: Int { rows * columns }

    /// The start of one row.
    @inlinable
    public subscript(row: Int) -> UnsafeMutablePointer<Float> { base + row * stride }

    /// One element.
    @inlinable
    public subscript(row: Int, column: Int) -> Float {
        get { base[row * stride + column] }
        nonmutating set { base[row * stride + column] = newValue }
    }

    /// A band of whole rows.
    @inlinable
    public func rows(_ range: Range<Int>) -> Matrix {
        Matrix(base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// A block of columns of every row.
    @inlinable
    public func columns(_ range: Range<Int>) -> Matrix {
        Matrix(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }
}
