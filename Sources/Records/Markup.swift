/// HTML or SVG whose parts from outside are escaped: only literals of this program and other markup stand as they are.
package struct Markup: ExpressibleByStringInterpolation, Sendable {
    /// The text.
    package let text: String

    /// Markup of this program.
    package init(stringLiteral value: String) { text = value }

    /// Markup of this program with values, which are escaped.
    package init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// Parts after each other, a line each.
    init(_ parts: [Markup]) { text = parts.map(\.text).joined(separator: "\n") }

    /// Whether there is nothing.
    var isEmpty: Bool { text.isEmpty }

    /// Collects literals and values.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }
        package mutating func appendLiteral(_ literal: String) { text += literal }
        /// Anything of text is escaped.
        package mutating func appendInterpolation(_ value: String) { text += Markup.escape(value) }
        /// Text whose lines stay lines.
        package mutating func appendInterpolation(lines value: String) {
            text += value.split(separator: "\n", omittingEmptySubsequences: false).map { Markup.escape(String($0)) }
                .joined(separator: "\n")
        }
        package mutating func appendInterpolation(_ value: Int) { text += String(value) }
        /// A place in a picture, to a tenth of its unit.
        package mutating func appendInterpolation(_ value: Double) { text += Figures.fixed(value, 1) }
        package mutating func appendInterpolation(_ value: Markup) { text += value.text }
        package mutating func appendInterpolation(_ values: [Markup]) { text += Markup(values).text }
    }

    /// Text as XML takes it; characters that XML has no way to write become question marks.
    package static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result += " "
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value): result += "?"
            case _ where scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Colors that people of every color vision can tell apart.
package enum Palette {
    /// Okabe and Ito's; the pale yellow last.
    package static let colors = [
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
    ]

    /// The same on a dark ground: the blue lighter, black turned to white.
    static let dark = ["#3D9BDC", "#E8743B", "#1DB88C", "#D98CB8", "#E69F00", "#7CC7F2", "#E8E8E8", "#F0E442"]
}
