import Tensors

/// A message: its header and the frames behind it.
package struct Message: Sendable {
    /// The first frame.
    package var header: Header
    /// The frames after it.
    package var frames: [Payload] { didSet { known = nil } }
    /// The digest, once it was taken.
    private var known: UInt64?

    /// A message to be sent.
    package init(_ header: Header, _ frames: [Payload] = []) {
        self.header = header
        self.frames = frames
    }

    /// A message to be sent, whose digest goes into the header.
    init(_ frames: [Payload], _ header: (_ digest: UInt64) -> Header) {
        let digest = Self.digest(of: frames)
        self.init(header(digest), frames)
        known = digest
    }

    /// A received message, which is as it was sent; the views check what its frames say.
    package init(decoding frames: [Payload]) throws(WireError) {
        let (first, rest) = (frames.first ?? .empty, Array(frames.dropFirst()))
        var digest: UInt64 = 0
        // Nobody else may hold what the bytes lie in.
        header = try withExtendedLifetime(first) { () throws(WireError) in
            unsafe try Header(decoding: first.bytes) {
                digest = Self.digest(of: rest)
                return digest
            }
        }
        self.frames = rest
        known = digest
    }

    /// XXHash64 over one frame after the other, each seeded with the hash of those before; 0 without frames.
    package var digest: UInt64 { known ?? Self.digest(of: frames) }

    private static func digest(of frames: [Payload]) -> UInt64 {
        frames.reduce(0) { unsafe XXHash64.hash($1.bytes, seed: $0) }
    }

    /// All frames as they are sent, the encoded header first.
    package var encoded: [Payload] { [Payload(copying: header.encode(over: digest))] + frames }

    /// Bytes of all frames.
    package var byteCount: Int { frames.reduce(Header.byteCount) { $0 + $1.count } }
}

extension Message {
    /// Nothing unless the kind or the number of frames is another one, or a flag is set that the kind does not know.
    func expect(_ kind: MessageKind, frames count: Int, flags: MessageFlags = []) throws(WireError) {
        guard header.kind == kind else { throw .kind(found: header.kind, expected: "\(kind)") }
        guard frames.count == count else {
            throw WireError("\(kind) has \(frames.count) frames after its header, expected \(count)")
        }
        guard header.flags.isSubset(of: flags) else { throw .flags(found: header.flags.rawValue, kind: kind) }
    }

    /// Frame `index` after the header, if it has `count` elements of `stride` bytes.
    ///
    /// `count` is below 2^32 (a header's field) or already bounded by `Limits`, so the product cannot overflow.
    func frame(_ index: Int, _ name: String, _ count: Int, stride: Int, limits: Limits) throws(WireError) -> Payload {
        let expected = count * stride
        try check(header.kind, "bytes in frame '\(name)'", expected, limit: limits.frameBytes)
        let payload = frames[index]
        guard payload.count == expected else {
            throw WireError(
                "frame '\(name)' of \(header.kind) has \(payload.count) bytes, its header and the schema say \(expected)"
            )
        }
        return payload
    }

    /// The elements of such a frame, at their natural alignment; they live as the message and the scratch do.
    func elements<T: BitwiseCopyable>(
        _ index: Int, _ name: String, _ count: Int, limits: Limits, scratch: Scratch
    ) throws(WireError) -> UnsafeBufferPointer<T> {
        let payload = try frame(index, name, count, stride: MemoryLayout<T>.stride, limits: limits)
        return unsafe scratch.aligned(payload, slot: index)
    }

    /// Nothing unless the subtree reaches beyond the micro-batches, which must be there when `required`.
    func checkSubtree(required: Bool) throws(WireError) {
        let count = Int(header.microBatches)
        guard count > 0 else {
            guard required else { return }
            throw .limit(header.kind, what: "missing micro-batches", found: 1, limit: 0)
        }
        let level = Int(header.subtree >> 24)
        // 2^16 micro-batches need no level above 16; below, the shift stays within 40 bits.
        try check(header.kind, "levels in its subtree", level, limit: 16)
        let first = Int(header.subtree & 0xff_ffff) << level
        try check(header.kind, "micro-batches before its subtree", first, limit: count - 1)
    }
}
