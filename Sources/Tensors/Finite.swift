/// Whether no float is infinite or NaN.
///
/// Such a float has all bits of its exponent set, and one more overflows into the sign: the loop has no branch, and the
/// compiler makes vectors of it.
@inlinable
public func areFinite(_ floats: UnsafePointer<Float>, count: Int) -> Bool {
    let words = UnsafeRawPointer(floats).assumingMemoryBound(to: UInt32.self)
    var marks: UInt32 = 0
    for index in 0..<count { marks |= (words[index] & 0x7f80_0000) &+ 0x0080_0000 }
    return marks & 0x8000_0000 == 0
}
