/// A message in Protocol Buffers' wire format, written field by field.
struct ProtocolBuffer {
    /// What was written.
    private(set) var bytes: [UInt8] = []

    /// A whole number; one that is negative takes ten bytes, as `int64` does.
    mutating func add(_ field: Int, _ value: Int64) {
        add(key: field, kind: 0)
        add(variable: UInt64(bitPattern: value))
    }

    /// A `double`.
    mutating func add(_ field: Int, _ value: Double) {
        add(key: field, kind: 1)
        bytes += Self.littleEndian(value.bitPattern)
    }

    /// A `float`.
    mutating func add(_ field: Int, _ value: Float) {
        add(key: field, kind: 5)
        bytes += Self.littleEndian(value.bitPattern)
    }

    /// A `string`.
    mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

    /// A message.
    mutating func add(_ field: Int, _ body: (inout ProtocolBuffer) -> Void) {
        var inner = ProtocolBuffer()
        body(&inner)
        add(field, inner.bytes)
    }

    private mutating func add(_ field: Int, _ content: [UInt8]) {
        add(key: field, kind: 2)
        add(variable: UInt64(content.count))
        bytes += content
    }

    private mutating func add(key field: Int, kind: Int) { add(variable: UInt64(field << 3 | kind)) }

    private mutating func add(variable value: UInt64) {
        var rest = value
        while rest >= 128 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The bytes of a number, the lowest first.
    static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
