/// HTML or SVG: literal text is taken as it stands, every value that is put into it is escaped.
package struct Markup: ExpressibleByStringInterpolation, Sendable, Equatable {
    /// Builds the text.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
        package mutating func appendInterpolation(_ value: String) { text += Markup.escape(value) }
        package mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// A place in a picture, to a tenth of its unit.
        package mutating func appendInterpolation(_ place: Double) { text += Quantity.fixed(place, 1) }
        package mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.text } }
    }

    /// What is sent or written.
    package let text: String

    /// Markup of this program.
    package init(stringLiteral value: String) { text = value }

    /// Markup of this program with values, which are escaped.
    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Whether there is nothing.
    package var isEmpty: Bool { text.isEmpty }

    /// An attribute; nothing where its value is empty.
    package static func attribute(_ name: Markup, _ value: String) -> Markup {
        value.isEmpty ? "" : " \(name)=\"\(value)\""
    }

    /// Text for content and for attributes in double quotes, of HTML and of XML.
    ///
    /// Control characters and marks that reverse the direction of writing are replaced: a host's name could otherwise
    /// change how its neighbors read.
    package static func escape(_ text: String) -> String {
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
                "\u{2066}"..."\u{2069}", "\u{fffe}"..."\u{ffff}":
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
