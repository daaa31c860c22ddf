import Foundation
import Telemetry

/// Numbers as people read them, the same text on the terminal, on the page and in the report.
///
/// They have three digits and a prefix of powers of 1000, whole numbers stand in full below 100,000, times are in UTC.
package enum Quantity {
    /// What stands where there is no number.
    package static let none = "-"

    /// "9,512", "1.24 M".
    package static func count(_ value: Int) -> String {
        value.magnitude < 100_000 ? exact(value) : scaled(Double(value), unit: "")
    }

    /// "+25", "-3".
    package static func signed(_ value: Int) -> String { (value >= 0 ? "+" : "") + count(value) }

    /// Every digit: "1,240,312".
    package static func exact(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// Something a second: "0.52", "46.1", "18,412", "1.24 M".
    package static func rate(_ value: Double) -> String {
        guard value.isFinite else { return none }
        if value == 0 { return "0" }
        if value.magnitude < 99.95 { return significant(value) }
        return value.magnitude < 99_999.5 ? exact(Int(bounded: value.rounded())) : scaled(value, unit: "")
    }

    /// A count where the value is whole, else like a rate: what an axis is labeled with.
    package static func number(_ value: Double) -> String {
        Int(exactly: value).map(count) ?? rate(value)
    }

    /// "512 B", "231 MB": powers of 1000.
    package static func bytes(_ value: Int) -> String {
        value.magnitude < 1000 ? "\(value) B" : scaled(Double(value), unit: "B")
    }

    /// Bytes that were measured or divided.
    package static func bytes(_ value: Double) -> String { value.isFinite ? bytes(Int(bounded: value)) : none }

    /// Megabytes a second, without the unit: the column's title has it.
    package static func megabytes(_ bytesPerSecond: Double) -> String {
        guard bytesPerSecond.isFinite else { return none }
        let value = bytesPerSecond / 1e6
        if value == 0 { return "0" }
        return value < 0.01 ? "<0.01" : value < 99.95 ? significant(value) : exact(Int(bounded: value.rounded()))
    }

    /// A share between 0 and 1: "71 %".
    package static func percent(_ share: Double) -> String {
        guard share.isFinite else { return none }
        let value = share * 100
        if value == 0 { return "0 %" }
        if value < 0.1 { return "<0.1 %" }
        return value < 9.95 ? fixed(value, 1) + " %" : fixed(value, 0) + " %"
    }

    /// Milliseconds without the unit: "0.21", "12.4", "1,204".
    package static func milliseconds(_ seconds: Double) -> String {
        guard seconds.isFinite else { return none }
        let value = seconds * 1e3
        if value == 0 { return "0" }
        if value < 0.0995 { return fixed(value, 3) }
        return value < 9.995
            ? fixed(value, 2) : value < 99.95 ? fixed(value, 1) : exact(Int(bounded: value.rounded()))
    }

    /// "42 ms", "0.4 s", "12 s", "2 min 10 s", "3 h 5 min", "2 d 3 h".
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds.magnitude < 1e12 else { return none }
        guard seconds >= 0.0005 else { return "0 s" }
        if seconds < 0.0995 { return fixed(seconds * 1e3, 0) + " ms" }
        if seconds < 9.95 { return fixed(seconds, 1) + " s" }
        let whole = Int(bounded: seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min\(whole % 60 > 0 ? " \(whole % 60) s" : "")" }
        if whole < 86400 { return "\(whole / 3600) h\(whole / 60 % 60 > 0 ? " \(whole / 60 % 60) min" : "")" }
        return "\(whole / 86400) d\(whole / 3600 % 24 > 0 ? " \(whole / 3600 % 24) h" : "")"
    }

    /// Like a duration, whole and one unit only, for columns: "12 s", "3 min".
    package static func age(_ seconds: Double) -> String {
        if seconds < 60 { return "\(Int(bounded: max(0, seconds))) s" }
        return duration(seconds).split(separator: " ").prefix(2).joined(separator: " ")
    }

    /// A loss or an AUC: four digits behind the point.
    package static func metric(_ value: Double?) -> String {
        guard let value else { return none }
        return value.isFinite ? fixed(value, 4) : "\(value)"
    }

    /// A ratio: two digits behind the point.
    package static func ratio(_ value: Double) -> String { value.isFinite ? fixed(value, 2) : none }

    /// "16:40:12" in UTC, which its title or its neighbor says.
    package static func clock(_ time: Double) -> String { stamp(time, "%H:%M:%S") }

    /// "2026-11-25 16:40:12 UTC".
    package static func date(_ time: Double) -> String { stamp(time, "%Y-%m-%d %H:%M:%S UTC") }

    /// So many digits behind the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    private static func stamp(_ time: Double, _ format: String) -> String {
        guard time.isFinite, time > 0, time < 1e11 else { return none }
        var seconds = time_t(time)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var bytes = [CChar](repeating: 0, count: 64)
        let length = strftime(&bytes, bytes.count, format, &parts)
        return String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func scaled(_ value: Double, unit: String) -> String {
        var value = value
        var prefix = 0
        // 999.5 would be rounded to four digits.
        while value.magnitude >= 999.5, prefix < prefixes.count - 1 {
            value /= 1000
            prefix += 1
        }
        return "\(significant(value)) \(prefixes[prefix])\(unit)"
    }

    private static let prefixes = ["", "k", "M", "G", "T", "P"]

    /// Three digits.
    private static func significant(_ value: Double) -> String {
        let size = value.magnitude
        return fixed(value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
    }
}
