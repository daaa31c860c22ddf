/// Room for frames that cannot be read where they lie: at an odd address, or in bfloat16.
///
/// One a reading thread. What a view shows lives here or in its message, and is gone with the next view that is made
/// with the same scratch.
package final class Scratch {
    private var buffers: [Buffer] = []
    /// Frames that had to be copied since the start.
    package private(set) var copies = 0

    /// No room yet; it grows to the longest frame seen.
    package init() {}

    /// The payload as elements at their natural alignment: where it lies if it is aligned, else copied to `slot`.
    ///
    /// The length must be a whole number of elements.
    func aligned<T: BitwiseCopyable>(_ payload: Payload, slot: Int, as type: T.Type) -> UnsafeBufferPointer<T> {
        let count = payload.count / MemoryLayout<T>.stride
        guard count > 0, let base = unsafe payload.bytes.baseAddress else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        if UInt(bitPattern: base) % UInt(MemoryLayout<T>.alignment) == 0 {
            return unsafe UnsafeBufferPointer(start: base.assumingMemoryBound(to: T.self), count: count)
        }
        copies += 1
        let copy = unsafe buffer(slot).array(of: T.self, count: count)
        unsafe UnsafeMutableRawBufferPointer(copy).copyMemory(from: payload.bytes)
        return UnsafeBufferPointer(copy)
    }

    /// The payload as floats, widened into `slot` if it is bfloat16.
    func floats(_ payload: Payload, slot: Int, from precision: Precision) -> UnsafeBufferPointer<Float> {
        switch precision {
        case .float32:
            return unsafe aligned(payload, slot: slot, as: Float.self)
        case .bfloat16:
            guard payload.count > 0 else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
            let wide = unsafe buffer(slot).array(of: Float.self, count: payload.count / 2)
            unsafe widenFromBFloat16(payload.bytes, wide)
            return UnsafeBufferPointer(wide)
        }
    }

    private func buffer(_ slot: Int) -> Buffer {
        while buffers.count <= slot { buffers.append(Buffer(bytes: 0)) }
        return buffers[slot]
    }
}
