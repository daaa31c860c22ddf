import Tensors

#if _endian(big)
    #error("the wire carries little-endian arrays without conversion")
#endif

/// The first frame of every message: 64 bytes, little-endian.
///
/// ```
///  0 u32 magic 'MYRD'    4 u8 version    5 u8 kind    6 u8 flags (bits 0–3), zero (4–5), role (6–7)    7 u8 tables
///  8 u64 job            16 u32 incarnation           20 u32 epoch
/// 24 u16 rank           26 u16 micro-batches         28 u32 step
/// 32 u32 subtree        36 u32 samples               40 u32 rows             44 u32 dense
/// 48 u64 key list hash  56 u32 request               60 u32 checksum
/// ```
/// The checksum is the low half of XXHash64 over the 60 bytes before it, seeded with the digest of the frames behind
/// (`Message.digest`): a bit that flips anywhere in a message is seen.
package struct Header: Equatable, Sendable {
    /// Length of the frame.
    package static let byteCount = 64
    /// The protocol that this build speaks; another one is refused.
    package static let version: UInt8 = 2
    /// 'MYRD' as the four bytes stand on the wire.
    static let magic: UInt32 = 0x4452_594d

    /// What the message is.
    package var kind: MessageKind
    /// How its frames are to be read.
    package var flags: MessageFlags = []
    /// The sender's role.
    package var role: Role
    /// Tables that the message speaks of: the length of its frame of counts.
    package var tables: UInt8 = 0
    /// The job, drawn at its start: a message of another job is refused.
    package var job: UInt64
    /// Distinguishes a restarted sender from the one before.
    package var incarnation: UInt32
    /// Version of the map of members and shards; raised to fence off a process that is presumed dead.
    package var epoch: UInt32
    /// The sender's number within its role.
    package var rank: UInt16
    /// Micro-batches of the global batch (M); 0 where no step is meant.
    package var microBatches: UInt16 = 0
    /// Global step, from 0.
    package var step: UInt32 = 0
    /// The node of the reduction tree (`Subtree.packed`: level « 24 | index).
    package var subtree: UInt32 = 0
    /// Samples in the contribution.
    package var samples: UInt32 = 0
    /// Rows, all tables together.
    package var rows: UInt32 = 0
    /// Floats in the dense frame; in a pull or a probe, the floats that are asked for.
    package var dense: UInt32 = 0
    /// `Message.digest` of the pull, whose frames are counts and ids: a push refers to it so that ids are not sent twice.
    package var keyListHash: UInt64 = 0
    /// Chosen by who asks, repeated by who answers: matches replies and drops late ones.
    package var request: UInt32 = 0

    /// A header of a sender; the counts are set by the functions that make a message.
    package init(
        _ kind: MessageKind, role: Role, rank: UInt16, incarnation: UInt32, job: UInt64, epoch: UInt32,
        step: UInt32 = 0, request: UInt32 = 0
    ) {
        self.kind = kind
        self.role = role
        self.rank = rank
        self.incarnation = incarnation
        self.job = job
        self.epoch = epoch
        self.step = step
        self.request = request
    }
}

extension Header {
    /// Writes the 64 bytes at the start of `bytes`, which must have room for them.
    ///
    /// - Parameter digest: of the frames behind the header; 0 where there are none.
    package func encode(into bytes: UnsafeMutableRawBufferPointer, over digest: UInt64) {
        precondition(bytes.count >= Self.byteCount, "a header takes 64 bytes")
        func put<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, _ offset: Int) {
            unsafe bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
        put(Self.magic, 0)
        put(Self.version, 4)
        put(kind.rawValue, 5)
        put(flags.rawValue | role.rawValue << 6, 6)
        put(tables, 7)
        put(job, 8)
        put(incarnation, 16)
        put(epoch, 20)
        put(rank, 24)
        put(microBatches, 26)
        put(step, 28)
        put(subtree, 32)
        put(samples, 36)
        put(rows, 40)
        put(dense, 44)
        put(keyListHash, 48)
        put(request, 56)
        put(unsafe Self.checksum(UnsafeRawBufferPointer(bytes), digest), 60)
    }

    /// The 64 bytes.
    package func encode(over digest: UInt64 = 0) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        unsafe bytes.withUnsafeMutableBytes { unsafe encode(into: $0, over: digest) }
        return bytes
    }

    /// Reads a frame, which may start at any address.
    ///
    /// Refuses any other length, magic, version, checksum, kind or a set bit without a meaning.
    ///
    /// - Parameter digest: of the frames behind the header, asked for when there is reason to.
    package init(decoding bytes: UnsafeRawBufferPointer, over digest: () -> UInt64 = { 0 }) throws(WireError) {
        guard bytes.count == Self.byteCount else {
            throw WireError(
                "the first frame has \(bytes.count) bytes, a header has \(Self.byteCount); the sender is no Myriad process"
            )
        }
        func get<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> T {
            T(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        let magic: UInt32 = get(0)
        guard magic == Self.magic else {
            throw WireError(
                "the message starts with 0x\(String(magic, radix: 16)), not 'MYRD'; the sender is no Myriad process")
        }
        let version: UInt8 = get(4)
        guard version == Self.version else { throw WireError(version: version) }
        guard get(60) == (unsafe Self.checksum(bytes, digest())) else { throw .checksum }
        let code: UInt8 = get(5)
        guard let kind = MessageKind(rawValue: code) else {
            throw WireError("no message has number \(code); run the same release everywhere")
        }
        let marks: UInt8 = get(6)
        guard marks & 0x30 == 0, let role = Role(rawValue: marks >> 6) else { throw .flags(found: marks, kind: kind) }
        self.init(
            kind, role: role, rank: get(24), incarnation: get(16), job: get(8), epoch: get(20), step: get(28),
            request: get(56))
        flags = MessageFlags(rawValue: marks & 0x0f)
        tables = get(7)
        microBatches = get(26)
        subtree = get(32)
        samples = get(36)
        rows = get(40)
        dense = get(44)
        keyListHash = get(48)
    }

    /// Low half of XXHash64 over the first 60 bytes.
    private static func checksum(_ bytes: UnsafeRawBufferPointer, _ digest: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: unsafe XXHash64.hash(UnsafeRawBufferPointer(rebasing: bytes[..<60]), seed: digest))
    }

    /// The header of an answer to this message: same job, step, subtree and request, from another sender.
    package func reply(_ kind: MessageKind, from sender: Header) -> Header {
        var header = self
        header.kind = kind
        header.flags = []
        header.role = sender.role
        header.rank = sender.rank
        header.incarnation = sender.incarnation
        header.epoch = sender.epoch
        header.tables = 0
        header.rows = 0
        header.dense = 0
        return header
    }
}
