/// A thread's scratch memory: bump allocation, given back all at once after a micro-batch.
///
/// Views into it die at the next `reset`. After the first few micro-batches it has grown to the largest one and
/// allocates nothing. In debug builds fresh memory is NaN, so that a stale or unwritten value shows in the first loss.
public final class Arena {
    private struct Block {
        let base: UnsafeMutableRawPointer
        let capacity: Int
    }

    private static let alignment = 64
    private var block: Block
    private var retired: [Block] = []
    private var retiredBytes = 0
    private var used = 0

    /// An arena with room for `bytes`.
    public init(bytes: Int = 1 << 20) { block = Arena.allocate(bytes) }

    deinit {
        block.base.deallocate()
        for old in retired { old.base.deallocate() }
    }

    /// The bytes held, used or not.
    public var capacity: Int { block.capacity + retiredBytes }

    /// A matrix of `rows` × `columns`, not initialized.
    public func matrix(rows: Int, columns: Int) -> Matrix {
        let count = rows * columns
        let base = raw(count * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: max(1, count))
        #if DEBUG
            base.update(repeating: .nan, count: count)
        #endif
        return Matrix(base: base, rows: rows, columns: columns)
    }

    /// A matrix of zeros.
    public func zeros(rows: Int, columns: Int) -> Matrix {
        let result = matrix(rows: rows, columns: columns)
        result.base.update(repeating: 0, count: rows * columns)
        return result
    }

    /// `count` 32-bit integers, not initialized.
    public func ints(_ count: Int) -> UnsafeMutablePointer<Int32> {
        raw(count * MemoryLayout<Int32>.stride).bindMemory(to: Int32.self, capacity: max(1, count))
    }

    /// `count` plain values, not initialized.
    public func array<Element: BitwiseCopyable>(of type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
        raw(count * MemoryLayout<Element>.stride).bindMemory(to: Element.self, capacity: max(1, count))
    }

    /// Runs `body` and gives back what it took: for work in tiles, whose memory then stays in the cache.
    ///
    /// Views that `body` made are dead afterwards.
    public func scratch(_ body: () -> Void) {
        let (base, kept) = (block.base, used)
        body()
        if block.base == base { used = kept }
    }

    /// Gives everything back; every view of this arena is dead.
    public func reset() {
        if !retired.isEmpty {
            let total = capacity
            block.base.deallocate()
            for old in retired { old.base.deallocate() }
            retired.removeAll()
            retiredBytes = 0
            block = Arena.allocate(total + total / 4)
        }
        used = 0
    }

    private func raw(_ bytes: Int) -> UnsafeMutableRawPointer {
        let rounded = (bytes + Arena.alignment - 1) / Arena.alignment * Arena.alignment
        if used + rounded > block.capacity {
            retired.append(block)
            retiredBytes += block.capacity
            block = Arena.allocate(max(rounded, capacity))
            used = 0
        }
        let result = block.base + used
        used += rounded
        return result
    }

    private static func allocate(_ bytes: Int) -> Block {
        let size = max(alignment, (bytes + alignment - 1) / alignment * alignment)
        return Block(base: .allocate(byteCount: size, alignment: alignment), capacity: size)
    }
}
