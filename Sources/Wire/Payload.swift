/// Bytes of one frame and what keeps them alive.
///
/// Valid as long as `owner` is: hold the payload (or the message) while its pointers are in use. The address may be
/// odd: libzmq hands out frames at any byte.
///
/// `@unchecked Sendable`: whoever makes a payload writes its bytes no more, and the owner is only retained and released,
/// which is atomic.
@safe
package struct Payload: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    /// Keeps `bytes` allocated and unchanged; `nil` only when empty.
    package let owner: AnyObject?

    package static var empty: Payload { unsafe Payload(UnsafeRawBufferPointer(start: nil, count: 0), owner: nil) }

    /// Bytes that stay valid and unchanged as long as `owner` lives.
    package init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject?) {
        unsafe self.bytes = bytes
        self.owner = owner
    }

    /// All bytes of a buffer, which is not written again while the payload lives.
    package init(_ buffer: Buffer) { unsafe self.init(buffer.bytes, owner: buffer) }

    package init(copying bytes: [UInt8]) {
        let buffer = Buffer(bytes: bytes.count)
        buffer.count = bytes.count
        unsafe buffer.mutable.copyBytes(from: bytes)
        self.init(buffer)
    }

    /// A copy of the elements.
    package init<T: BitwiseCopyable>(copying elements: [T]) {
        let buffer = Buffer(bytes: 0)
        _ = unsafe buffer.array(of: T.self, count: elements.count).initialize(from: elements)
        self.init(buffer)
    }

    package var count: Int { unsafe bytes.count }
}
