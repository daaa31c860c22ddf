/// HTML: literal text is taken as it stands, every value that is put into it is escaped.
struct Markup: ExpressibleByStringInterpolation, Sendable, Equatable {
    /// Builds the text.
    struct StringInterpolation: StringInterpolationProtocol {
        var source = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            source.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { source += literal }
        mutating func appendInterpolation(_ markup: Markup) { source += markup.source }
        mutating func appendInterpolation(_ text: String) { source += Markup.escaped(text) }
        mutating func appendInterpolation(_ number: Int) { source += String(number) }
        mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { source += part.source } }
    }

    /// What is sent.
    var source: String

    init(stringLiteral value: String) { source = value }
    init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

    /// Text for content and for attributes in double quotes.
    ///
    /// Control characters and marks that reverse the direction of writing are replaced: a host's name could otherwise
    /// change how its neighbors read.
    static func escaped(_ text: String) -> String {
        if text.utf8.allSatisfy({ plain[Int($0)] }) { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            case "\u{0}"..<"\u{20}", "\u{7f}"..<"\u{a0}", "\u{200e}"..."\u{200f}", "\u{2028}"..."\u{202e}",
                "\u{2066}"..."\u{2069}":
                escaped += "\u{fffd}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// ASCII that needs no escape.
    private static let plain: [Bool] = (0..<256).map { byte in
        (32..<127).contains(byte) && !"&<>\"'".utf8.contains(UInt8(byte))
    }
}
