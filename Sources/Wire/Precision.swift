/// How row values and row gradients travel.
package enum Precision: Sendable, Equatable {
    case float32
    /// The upper half of a float32, rounded to the nearest, ties to even: half the bytes, 8 significant bits.
    case bfloat16

    /// Bytes of one value.
    package var byteCount: Int { self == .float32 ? 4 : 2 }

    /// The precision that a header names.
    package init(_ flags: MessageFlags) { self = flags.contains(.bfloat16) ? .bfloat16 : .float32 }

    /// The bits to set in a header.
    package var flags: MessageFlags { self == .bfloat16 ? .bfloat16 : [] }
}

/// The nearest bfloat16, ties to even; a NaN stays a (quiet) NaN with its sign and upper payload.
@inlinable
public func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16
    let quiet = (bits >> 16) | 0x40
    // Without the choice a NaN whose upper bits are all set would be rounded up to zero.
    return UInt16(truncatingIfNeeded: bits & 0x7fff_ffff > 0x7f80_0000 ? quiet : rounded)
}

/// The float32 of a bfloat16, exactly.
@inlinable
public func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// Narrows every value; both have the same length.
package func narrowToBFloat16(_ values: UnsafeBufferPointer<Float>, _ result: UnsafeMutableBufferPointer<UInt16>) {
    precondition(values.count == result.count, "one bfloat16 a float")
    for i in values.indices { unsafe result[i] = bfloat16(values[i]) }
}

/// Widens every value; `bytes` may start anywhere and hold two bytes a float.
package func widenFromBFloat16(_ bytes: UnsafeRawBufferPointer, _ result: UnsafeMutableBufferPointer<Float>) {
    precondition(bytes.count == result.count * 2, "two bytes a float")
    for i in result.indices {
        unsafe result[i] = float(bfloat16: bytes.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
    }
}
