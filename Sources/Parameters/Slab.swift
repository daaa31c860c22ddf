import Glibc
import Tensors

/// The rows of one partition of one table, end to end in one block; a row's number never changes.
///
/// The block grows with `realloc`: above 128 KiB the C library remaps pages and copies nothing, and the part that no
/// row uses yet is not resident.
struct Slab: ~Copyable {
    /// The first row; valid until the next `append`.
    private(set) var base: UnsafeMutablePointer<Float>
    /// Rows in use.
    private(set) var count = 0
    private(set) var capacity: Int
    /// Units of four bytes a row.
    let stride: Int

    /// An empty slab.
    init(stride: Int) {
        self.stride = stride
        capacity = 1
        base = Slab.allocate(nil, stride)
    }

    deinit { free(base) }

    /// Bytes held, in use or not.
    var bytes: Int { capacity * stride * MemoryLayout<Float>.stride }

    /// One row.
    @inline(__always)
    func row(_ number: UInt32) -> UnsafeMutablePointer<Float> {
        base + Int(truncatingIfNeeded: number) &* stride
    }

    /// Adds a row, not initialized, and returns its number.
    mutating func append() -> UInt32 {
        if count == capacity { reserve(count + max(4, count / 16)) }
        count += 1
        return UInt32(count - 1)
    }

    /// Makes room for `rows` rows in all.
    mutating func reserve(_ rows: Int) {
        guard rows > capacity else { return }
        base = Slab.allocate(base, rows * stride)
        capacity = rows
    }

    /// Forgets every row and keeps the memory.
    mutating func removeAll() { count = 0 }

    private static func allocate(_ old: UnsafeMutablePointer<Float>?, _ units: Int) -> UnsafeMutablePointer<Float> {
        let bytes = units * MemoryLayout<Float>.stride
        let block = realloc(old, bytes)
        guard let block else { OutOfMemory.end(bytes, for: "rows") }
        return block.bindMemory(to: Float.self, capacity: units)
    }
}
