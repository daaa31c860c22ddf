/// Reusable bytes aligned to a cache line, for frames that are written here and sent without a copy.
@safe
package final class Buffer {
    /// Room, in bytes.
    package private(set) var capacity: Int
    /// Bytes in use.
    package var count = 0 {
        didSet { precondition(count >= 0 && count <= capacity, "a buffer holds no more than its capacity") }
    }
    private var base: UnsafeMutableRawPointer

    /// An empty buffer with room for `bytes`.
    package init(bytes: Int) {
        capacity = max(bytes, 64)
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe base.deallocate() }

    /// Makes room, and keeps nothing of what was there.
    package func reserve(_ bytes: Int) {
        guard bytes > capacity else { return }
        unsafe base.deallocate()
        capacity = max(bytes, capacity + capacity / 2)
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
    }

    /// The bytes in use.
    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// The bytes in use, to be written.
    package var mutable: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    }

    /// The buffer as `count` elements, uninitialized; what was there is gone.
    package func array<T: BitwiseCopyable>(of type: T.Type, count elements: Int) -> UnsafeMutableBufferPointer<T> {
        let bytes = elements * MemoryLayout<T>.stride
        count = 0
        reserve(bytes)
        count = bytes
        return unsafe UnsafeMutableBufferPointer(
            start: base.bindMemory(to: T.self, capacity: elements), count: elements)
    }
}

/// Buffers that come back by themselves: one is free as soon as nobody else refers to it.
///
/// A sent frame retains its buffer until libzmq has written it out, and releases it on a thread of libzmq; that the
/// last reference is gone is seen here by the count alone, so no list is shared between threads.
package final class BufferPool {
    /// Buffers kept; more in flight at once are allocated and forgotten.
    private let limit: Int
    private var buffers: [Buffer] = []
    private var next = 0

    /// A pool that keeps at most `limit` buffers.
    package init(limit: Int = 64) { self.limit = limit }

    /// A buffer that nobody uses, with room for `bytes` and a count of 0.
    package func take(bytes: Int) -> Buffer {
        for _ in buffers.indices {
            next = next + 1 < buffers.count ? next + 1 : 0
            guard isKnownUniquelyReferenced(&buffers[next]) else { continue }
            let buffer = buffers[next]
            buffer.count = 0
            buffer.reserve(bytes)
            return buffer
        }
        let buffer = Buffer(bytes: bytes)
        if buffers.count < limit { buffers.append(buffer) }
        return buffer
    }

    /// Buffers kept, in use or not.
    package var kept: Int { buffers.count }
}
