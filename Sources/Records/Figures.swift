import Foundation

/// Numbers as people read them.
enum Figures {
    private static let prefixes = ["", " k", " M", " G", " T", " P", " E"]
    private static let multiples = [" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"]

    /// So many digits behind the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "∞" : "−∞" }
        return String(format: "%.\(digits)f", value)
    }

    /// Four digits behind the point, as metrics have them; a dash for none.
    static func metric(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "–" }

    /// All digits, in groups of three.
    static func whole(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            // U+202F: narrow, and no line breaks there.
            if place > 0, (digits.count - place).isMultiple(of: 3) { text += "\u{202F}" }
            text.append(digit)
        }
        return value < 0 ? "−" + text : text
    }

    /// Three digits and a prefix: 1.23 M.
    static func short(_ value: Double) -> String { scaled(value, by: 1000, prefixes) }

    /// 1.23 GiB.
    static func bytes(_ value: Double) -> String { scaled(value, by: 1024, multiples) }

    /// 1.23 GiB.
    static func bytes(_ value: Int) -> String { bytes(Double(value)) }

    private static func scaled(_ value: Double, by base: Double, _ units: [String]) -> String {
        guard value.isFinite else { return fixed(value, 0) }
        var rest = value
        var unit = 0
        while abs(rest) >= base * 0.9995, unit < units.count - 1 {
            rest /= base
            unit += 1
        }
        let digits = unit == 0 && rest == rest.rounded() ? 0 : abs(rest) < 10 ? 2 : abs(rest) < 100 ? 1 : 0
        return fixed(rest, digits) + units[unit]
    }

    /// 91 %; below one percent a digit more.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        return fixed(100 * share, share > 0 && share < 0.0095 ? 1 : 0) + " %"
    }

    /// 1.2 ms; 3 min 20 s; a dash for none.
    static func seconds(_ value: Double) -> String {
        switch value {
        case ..<0: "–"
        case 0: "0 s"
        case ..<1e-3: significant(value * 1e6) + " µs"
        case ..<1: significant(value * 1e3) + " ms"
        case ..<100: significant(value) + " s"
        case ..<7200: "\(Int(value) / 60) min \(Int(value) % 60) s"
        case ..<1e9: "\(Int(value) / 3600) h \(Int(value) / 60 % 60) min"
        default: "–"
        }
    }

    private static func significant(_ value: Double) -> String { fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0) }

    /// Date and time of day in UTC; a dash for none.
    static func date(_ time: Double) -> String {
        guard time > 0, time < 1e11 else { return "–" }
        let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space)
        return Date(timeIntervalSince1970: time.rounded()).formatted(style).replacingOccurrences(of: "Z", with: " UTC")
    }
}
