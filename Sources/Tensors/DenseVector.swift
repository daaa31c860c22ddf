/// The dense parameters, or their gradients: one block of floats behind one layout.
public final class DenseVector: @unchecked Sendable {
    /// The first float, aligned to 64 bytes.
    public let base: UnsafeMutablePointer<Float>
    /// How many floats.
    public let count: Int

    /// `count` zeros.
    public init(count: Int) {
        self.count = count
        let bytes = max(64, count * MemoryLayout<Float>.stride)
        base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(1, count))
        base.update(repeating: 0, count: count)
    }

    deinit { base.deallocate() }

    /// The matrix at a slot.
    @inlinable
    public subscript(slot: Slot) -> Matrix {
        Matrix(base: base + slot.offset, rows: slot.rows, columns: slot.columns)
    }

    /// Sets every float to zero.
    public func clear() { base.update(repeating: 0, count: count) }
}
