/// xxHash64: the fixed 64-bit hash of raw id strings, key lists and file contents.
///
/// Source: the algorithm description of xxHash (Y. Collet); the test holds its published values.
public struct XXHash64: Sendable {
    @usableFromInline static let p1: UInt64 = 0x9e37_79b1_85eb_ca87
    @usableFromInline static let p2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    @usableFromInline static let p3: UInt64 = 0x1656_67b1_9e37_79f9
    @usableFromInline static let p4: UInt64 = 0x85eb_ca77_c2b2_ae63
    @usableFromInline static let p5: UInt64 = 0x27d4_eb2f_1656_67c5

    /// The hash of all bytes at once.
    public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        guard let base = bytes.baseAddress else { return finish(seed &+ p5, UnsafeRawPointer(bitPattern: 8)!, 0, 0, 0) }
        let count = bytes.count
        var offset = 0
        var h: UInt64
        if count >= 32 {
            var a = seed &+ p1 &+ p2
            var b = seed &+ p2
            var c = seed
            var d = seed &- p1
            while offset + 32 <= count {
                a = round(a, word(base, offset))
                b = round(b, word(base, offset + 8))
                c = round(c, word(base, offset + 16))
                d = round(d, word(base, offset + 24))
                offset += 32
            }
            h = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
            for lane in [a, b, c, d] { h = (h ^ round(0, lane)) &* p1 &+ p4 }
        } else {
            h = seed &+ p5
        }
        return finish(h, base, offset, count, count)
    }

    /// The hash of a string's UTF-8 bytes.
    public static func hash(_ text: String, seed: UInt64 = 0) -> UInt64 {
        var copy = text
        return copy.withUTF8 { hash(UnsafeRawBufferPointer($0), seed: seed) }
    }

    /// The tail of fewer than 32 bytes, and the avalanche.
    private static func finish(
        _ start: UInt64, _ base: UnsafeRawPointer, _ from: Int, _ end: Int, _ count: Int
    ) -> UInt64 {
        var h = start &+ UInt64(count)
        var offset = from
        while offset + 8 <= end {
            h = rotate(h ^ round(0, word(base, offset)), 27) &* p1 &+ p4
            offset += 8
        }
        if offset + 4 <= end {
            let value = UInt64(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            h = rotate(h ^ (value &* p1), 23) &* p2 &+ p3
            offset += 4
        }
        while offset < end {
            let value = UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
            h = rotate(h ^ (value &* p5), 11) &* p1
            offset += 1
        }
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
