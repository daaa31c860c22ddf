/// What the text of any control message is held to before it is decoded, whatever its fields are.
///
/// Numbers lie within ±2^53, whole ones are not negative, and all whole ones of a message together stay below 2^53: no
/// count, index or time made of them can overflow, nor can their sum over a thousand nodes. What has to be larger, or
/// may be no number, travels as text (`AsText`). Texts are short and hold no control characters.
enum TextBounds {
    /// The largest sum of a message's whole numbers.
    static let largest = 0x1p53
    /// Levels of lists and objects.
    static let deepest = 16
    /// Bytes of a text that is no prose.
    static let longest = 4096
    /// What people read or the scheduler passes on as it is: longer, and over several lines.
    private static let prose: Set<String> = [
        "config", "directory", "message", "reason", "refusal", "resumePath", "text",
    ]

    /// What is out of bounds, or nil; whether it is JSON at all shows when it is decoded.
    static func fault(in bytes: UnsafeRawBufferPointer) -> String? {
        var (place, depth, sum) = (0, 0, 0.0)
        var key = ""
        while place < bytes.count {
            switch unsafe bytes[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth > deepest { return "more than \(deepest) levels" }
                place += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                place += 1
            case UInt8(ascii: "\""):
                let text = unsafe text(in: bytes, from: place + 1)
                place = text.range.upperBound + 1
                if unsafe isKey(bytes, before: place) {
                    guard text.range.count <= longest, !text.hasLines, !text.hasControls else {
                        return "a key is too long or has a control character"
                    }
                    key = unsafe String(decoding: bytes[text.range], as: UTF8.self)
                } else if text.hasControls || !prose.contains(key) && (text.hasLines || text.range.count > longest) {
                    return "'\(key.prefix(40))' is too long or has a control character"
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let start = place
                repeat { place += 1 } while unsafe place < bytes.count && isOfNumber(bytes[place])
                let token = unsafe String(decoding: bytes[start..<place], as: UTF8.self)
                guard let value = Double(token), abs(value) <= largest else {
                    return "'\(key.prefix(40))' is \(token.prefix(40)), beyond 2^53"
                }
                guard value == value.rounded() else { continue }
                if value < 0 { return "'\(key.prefix(40))' is \(token.prefix(40)), below 0" }
                sum += value
                if sum > largest { return "its numbers add up to more than 2^53" }
            default: place += 1
            }
        }
        return nil
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool { "0123456789.-+eE".utf8.contains(byte) }

    /// The bytes of a text up to its closing quote, and whether it has breaks of lines or other control characters.
    private static func text(
        in bytes: UnsafeRawBufferPointer, from start: Int
    ) -> (range: Range<Int>, hasLines: Bool, hasControls: Bool) {
        var (place, hasLines, hasControls) = (start, false, false)
        while place < bytes.count {
            let byte = unsafe bytes[place]
            let next = unsafe place + 1 < bytes.count ? bytes[place + 1] : 0
            switch byte {
            case UInt8(ascii: "\""): return (start..<place, hasLines, hasControls)
            case UInt8(ascii: "\\"):
                switch next {
                case UInt8(ascii: "n"), UInt8(ascii: "t"): hasLines = true
                case UInt8(ascii: "r"), UInt8(ascii: "b"), UInt8(ascii: "f"): hasControls = true
                case UInt8(ascii: "u"):
                    let code = unsafe UInt32(
                        String(
                            decoding: bytes[min(place + 2, bytes.count)..<min(place + 6, bytes.count)], as: UTF8.self),
                        radix: 16)
                    if code.flatMap(Unicode.Scalar.init).map({ $0.properties.generalCategory == .control }) == true {
                        hasControls = true
                    }
                default: break
                }
                place += 1
            case ..<0x20, 0x7f: hasControls = true
            case 0xc2 where (0x80..<0xa0).contains(next): hasControls = true
            default: break
            }
            place += 1
        }
        return (start..<bytes.count, hasLines, hasControls)
    }

    private static func isKey(_ bytes: UnsafeRawBufferPointer, before start: Int) -> Bool {
        var place = start
        while place < bytes.count, unsafe [0x20, 0x09, 0x0a, 0x0d].contains(bytes[place]) { place += 1 }
        return unsafe place < bytes.count && bytes[place] == UInt8(ascii: ":")
    }
}
