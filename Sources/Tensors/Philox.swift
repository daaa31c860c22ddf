/// Philox4x32-10: random numbers as a pure function of a key and a counter (Salmon et al., SC 2011).
///
/// What it returns depends on nothing but its arguments: not on who asks first, nor on where a row lives.
@frozen
public enum Philox {
    /// Four random 32-bit words for (key, counter).
    @inlinable
    public static func words(key: UInt64, _ high: UInt64, _ low: UInt64) -> SIMD4<UInt32> {
        var k0 = UInt32(truncatingIfNeeded: key)
        var k1 = UInt32(truncatingIfNeeded: key >> 32)
        var c0 = UInt32(truncatingIfNeeded: low)
        var c1 = UInt32(truncatingIfNeeded: low >> 32)
        var c2 = UInt32(truncatingIfNeeded: high)
        var c3 = UInt32(truncatingIfNeeded: high >> 32)
        for _ in 0..<10 {
            let a = UInt64(c0) &* 0xd251_1f53
            let b = UInt64(c2) &* 0xcd9e_8d57
            let n0 = UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0
            let n2 = UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1
            c1 = UInt32(truncatingIfNeeded: b)
            c3 = UInt32(truncatingIfNeeded: a)
            c0 = n0
            c2 = n2
            k0 &+= 0x9e37_79b9
            k1 &+= 0xbb67_ae85
        }
        return SIMD4(c0, c1, c2, c3)
    }

    /// A random 64-bit word for (key, counter).
    @inlinable
    public static func word(key: UInt64, _ high: UInt64, _ low: UInt64) -> UInt64 {
        let w = words(key: key, high, low)
        return UInt64(w[0]) | UInt64(w[1]) << 32
    }

    /// An integer in [0, bound), bias below 2⁻³² for bounds under 2³².
    @inlinable
    public static func below(_ bound: UInt64, key: UInt64, _ high: UInt64, _ low: UInt64) -> UInt64 {
        word(key: key, high, low).multipliedFullWidth(by: bound).high
    }

    /// A float in [0, 1): the top 24 bits of a word.
    @inlinable
    public static func unit(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }
}
