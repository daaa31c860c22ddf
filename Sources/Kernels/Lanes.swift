import Tensors

/// Up to 16 floats; lanes beyond `count` are zero.
@inline(__always)
func load(_ pointer: UnsafePointer<Float>, _ count: Int) -> Vector {
    if count == 16 { return UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self) }
    var vector = Vector.zero
    for lane in 0..<count { vector[lane] = pointer[lane] }
    return vector
}

/// Stores the first `count` lanes.
@inline(__always)
func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count == 16 {
        UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
        return
    }
    for lane in 0..<count { pointer[lane] = vector[lane] }
}

/// Sixteen columns or fewer, of which the first `seen` belong to the block before as well.
struct ColumnBlock {
    let first: Int
    let count: Int
    let seen: Int

    /// Σ of the lanes that no block before has seen.
    @inline(__always)
    func sum(_ vector: Vector) -> Float {
        var rest = vector
        for lane in 0..<seen { rest[lane] = 0 }
        return rest.sum()
    }
}

/// Calls `body` for blocks of 16 columns; the last block overlaps the one before, so that it is whole.
///
/// What `body` computes for a column must not depend on its block, and its outputs must not be its inputs.
@inline(__always)
func columnBlocks(_ columns: Int, _ body: (ColumnBlock) -> Void) {
    guard columns >= 16 else {
        if columns > 0 { body(ColumnBlock(first: 0, count: columns, seen: 0)) }
        return
    }
    var first = 0
    while first + 16 <= columns {
        body(ColumnBlock(first: first, count: 16, seen: 0))
        first += 16
    }
    if first < columns { body(ColumnBlock(first: columns - 16, count: 16, seen: first - (columns - 16))) }
}

extension Matrix {
    /// A block of one row.
    @inline(__always)
    func load(_ row: Int, _ block: ColumnBlock) -> Vector { Kernels.load(self[row] + block.first, block.count) }

    /// Sets a block of one row.
    @inline(__always)
    func store(_ vector: Vector, _ row: Int, _ block: ColumnBlock) {
        Kernels.store(vector, self[row] + block.first, block.count)
    }

    /// Adds to a block of the first row, each column once.
    @inline(__always)
    func add(_ vector: Vector, _ block: ColumnBlock) {
        for lane in block.seen..<block.count { base[block.first + lane] += vector[lane] }
    }
}

/// Σ over rows of `value(row)`, lanes apart: 64 rows at a time, then their sums, so that rounding errors stay small.
@inline(__always)
func sumOverRows(_ rows: Int, _ value: (Int) -> Vector) -> Vector {
    var total = Vector.zero
    var row = 0
    while row < rows {
        let end = min(row + 64, rows)
        var sum = Vector.zero
        while row < end {
            sum += value(row)
            row += 1
        }
        total += sum
    }
    return total
}
