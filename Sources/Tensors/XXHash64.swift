/// xxHash64: the fixed 64-bit hash of raw id strings, key lists and file contents, at once or piece by piece.
///
/// Source: the algorithm description of xxHash (Y. Collet); the test holds its published values.
public struct XXHash64: Sendable {
    @usableFromInline static let p1: UInt64 = 0x9e37_79b1_85eb_ca87
    @usableFromInline static let p2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    @usableFromInline static let p3: UInt64 = 0x1656_67b1_9e37_79f9
    @usableFromInline static let p4: UInt64 = 0x85eb_ca77_c2b2_ae63
    @usableFromInline static let p5: UInt64 = 0x27d4_eb2f_1656_67c5

    private var a, b, c, d: UInt64
    private let seed: UInt64
    private var striped = 0

    /// Nothing hashed yet.
    package init(seed: UInt64 = 0) {
        self.seed = seed
        a = seed &+ Self.p1 &+ Self.p2
        b = seed &+ Self.p2
        c = seed
        d = seed &- Self.p1
    }

    /// Adds bytes, a multiple of 32.
    package mutating func update(_ stripes: UnsafeRawBufferPointer) {
        precondition(stripes.count % 32 == 0, "stripes have 32 bytes")
        guard let base = stripes.baseAddress else { return }
        var (a, b, c, d) = (a, b, c, d)
        var offset = 0
        while offset < stripes.count {
            a = Self.round(a, Self.word(base, offset))
            b = Self.round(b, Self.word(base, offset + 8))
            c = Self.round(c, Self.word(base, offset + 16))
            d = Self.round(d, Self.word(base, offset + 24))
            offset += 32
        }
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
        striped += stripes.count
    }

    /// The hash of what was added and of the last bytes, however many.
    package func finish(_ last: UnsafeRawBufferPointer) -> UInt64 {
        var whole = self
        let stripes = last.count & ~31
        whole.update(UnsafeRawBufferPointer(rebasing: last[..<stripes]))
        var h = seed &+ Self.p5
        if whole.striped > 0 {
            h = Self.rotate(whole.a, 1) &+ Self.rotate(whole.b, 7) &+ Self.rotate(whole.c, 12)
            h = h &+ Self.rotate(whole.d, 18)
            for lane in [whole.a, whole.b, whole.c, whole.d] {
                h = (h ^ Self.round(0, lane)) &* Self.p1 &+ Self.p4
            }
        }
        return Self.avalanche(h &+ UInt64(striped + last.count), UnsafeRawBufferPointer(rebasing: last[stripes...]))
    }

    /// The hash of all bytes at once.
    public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        XXHash64(seed: seed).finish(bytes)
    }

    /// The hash of a string's UTF-8 bytes.
    public static func hash(_ text: String, seed: UInt64 = 0) -> UInt64 {
        var copy = text
        return copy.withUTF8 { hash(UnsafeRawBufferPointer($0), seed: seed) }
    }

    /// The tail of fewer than 32 bytes, and the avalanche.
    private static func avalanche(_ start: UInt64, _ tail: UnsafeRawBufferPointer) -> UInt64 {
        var h = start
        var rest = tail[...]
        while rest.count >= 8, let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress {
            h = rotate(h ^ round(0, word(base, 0)), 27) &* p1 &+ p4
            rest = rest.dropFirst(8)
        }
        if rest.count >= 4, let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress {
            let value = UInt64(UInt32(littleEndian: base.loadUnaligned(as: UInt32.self)))
            h = rotate(h ^ (value &* p1), 23) &* p2 &+ p3
            rest = rest.dropFirst(4)
        }
        for byte in rest { h = rotate(h ^ (UInt64(byte) &* p5), 11) &* p1 }
        h = (h ^ (h >> 33)) &* p2
        h = (h ^ (h >> 29)) &* p3
        return h ^ (h >> 32)
    }

    private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotate(lane &+ input &* p2, 31) &* p1
    }

    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        (value << bits) | (value >> (64 - bits))
    }
}
