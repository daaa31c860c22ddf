/// A value of JSON or of a Python literal: Amazon's `meta_*.json` are Python dictionaries, its reviews JSON.
indirect enum Literal: Equatable {
    case text(String)
    case number(Double)
    case list([Literal])
    case object([String: Literal])
    case none

    /// The value of a key of an object.
    subscript(key: String) -> Literal? {
        if case .object(let values) = self { return values[key] }
        return nil
    }

    /// The text, if it is one.
    var text: String? {
        if case .text(let value) = self { return value }
        return nil
    }

    /// The number, if it is one.
    var number: Double? {
        if case .number(let value) = self { return value }
        return nil
    }

    /// The elements, if it is a list.
    var list: [Literal]? {
        if case .list(let values) = self { return values }
        return nil
    }

    /// Reads a whole line; nil when it is no value, or when something follows it.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var parser = LiteralParser(bytes: bytes)
        guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
        self = value
    }
}

private struct LiteralParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool {
        mutating get {
            skipBlanks()
            return index == bytes.count
        }
    }

    private mutating func skipBlanks() {
        while index < bytes.count, bytes[index] <= 32 { index += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard index < bytes.count, bytes[index] == character.asciiValue else { return false }
        index += 1
        return true
    }

    mutating func value(depth: Int) -> Literal? {
        skipBlanks()
        guard index < bytes.count, depth < 64 else { return nil }
        switch bytes[index] {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return list(depth, "]")
        case UInt8(ascii: "("): return list(depth, ")")
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return string().map(Literal.text)
        case UInt8(ascii: "u"):
            // Python 2's u'…'.
            guard index + 1 < bytes.count, bytes[index + 1] == 34 || bytes[index + 1] == 39 else { return nil }
            index += 1
            return string().map(Literal.text)
        default: return word()
        }
    }

    /// Reads elements up to an end, a comma between them and perhaps behind the last; whether they are whole.
    private mutating func elements(_ end: Character, _ element: (inout Self) -> Bool) -> Bool {
        index += 1
        while !take(end) {
            guard element(&self) else { return false }
            if !take(",") { return take(end) }
        }
        return true
    }

    private mutating func object(_ depth: Int) -> Literal? {
        var values: [String: Literal] = [:]
        let isWhole = elements("}") { parser in
            guard case .text(let key)? = parser.value(depth: depth + 1), parser.take(":"),
                let item = parser.value(depth: depth + 1)
            else { return false }
            values[key] = item
            return true
        }
        return isWhole ? .object(values) : nil
    }

    private mutating func list(_ depth: Int, _ end: Character) -> Literal? {
        var values: [Literal] = []
        let isWhole = elements(end) { parser in
            guard let item = parser.value(depth: depth + 1) else { return false }
            values.append(item)
            return true
        }
        return isWhole ? .list(values) : nil
    }

    private mutating func string() -> String? {
        let quote = bytes[index]
        index += 1
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == quote { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard index < bytes.count else { return nil }
            let escaped = bytes[index]
            index += 1
            switch escaped {
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "u"), UInt8(ascii: "x"):
                let digits = escaped == UInt8(ascii: "u") ? 4 : 2
                guard index + digits <= bytes.count,
                    let code = UInt32(String(decoding: bytes[index..<index + digits], as: UTF8.self), radix: 16)
                else { return nil }
                index += digits
                text += Array(String(Unicode.Scalar(code).map(Character.init) ?? "\u{fffd}").utf8)
            default: text.append(escaped)
            }
        }
        return nil
    }

    private mutating func word() -> Literal? {
        let start = index
        while index < bytes.count, !",]}): ".utf8.contains(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        switch text {
        case "None", "null", "True", "true", "False", "false", "NaN", "nan": return Literal.none
        default: return Double(text).map(Literal.number)
        }
    }
}
