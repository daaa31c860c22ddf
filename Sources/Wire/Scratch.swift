/// Room for frames that cannot be read where they lie: at an odd address.
///
/// One a reading thread. What a view shows lives here or in its message, and is gone with the next view that is made
/// with the same scratch.
package final class Scratch {
    private var buffers: [Buffer] = []

    /// No room yet; it grows to the longest frame seen.
    package init() {}

    /// The payload as elements at their natural alignment: where it lies if it is aligned, else copied to `slot`.
    ///
    /// The length must be a whole number of elements.
    func aligned<T: BitwiseCopyable>(_ payload: Payload, slot: Int) -> UnsafeBufferPointer<T> {
        let count = payload.count / MemoryLayout<T>.stride
        guard count > 0, let base = unsafe payload.bytes.baseAddress else {
            return unsafe UnsafeBufferPointer(start: nil, count: 0)
        }
        if UInt(bitPattern: base) % UInt(MemoryLayout<T>.alignment) == 0 {
            return unsafe UnsafeBufferPointer(start: base.assumingMemoryBound(to: T.self), count: count)
        }
        let copy = unsafe buffer(slot).array(of: T.self, count: count)
        unsafe UnsafeMutableRawBufferPointer(copy).copyMemory(from: payload.bytes)
        return UnsafeBufferPointer(copy)
    }

    private func buffer(_ slot: Int) -> Buffer {
        while buffers.count <= slot { buffers.append(Buffer(bytes: 0)) }
        return buffers[slot]
    }
}
