/// What was typed, key by key: several may arrive at once, from a fast hand or a key that is held down.
enum Keys {
    private static let escape: UInt8 = 27

    /// One key each: a character's first byte, or a whole escape sequence.
    static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        var rest = bytes[...]
        while let first = rest.first {
            let length = first == escape ? sequence(rest) : 1
            keys.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return keys
    }

    /// How long the escape sequence is that begins here; 1 for the key Esc alone.
    private static func sequence(_ bytes: ArraySlice<UInt8>) -> Int {
        let rest = bytes.dropFirst()
        switch rest.first {
        case UInt8(ascii: "O"): return min(3, bytes.count)
        case UInt8(ascii: "["):
            // Parameters, then one letter or `~`.
            let parameters = rest.dropFirst().prefix { $0 < 0x40 }.count
            return min(3 + parameters, bytes.count)
        default: return 1
        }
    }
}
