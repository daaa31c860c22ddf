import Foundation
import Telemetry

/// Numbers as people read them: three or four digits and a unit.
enum Quantity {
    /// 999,999 in full, then 1.23 M.
    static func count(_ value: Int) -> String {
        value.magnitude < 1_000_000
            ? grouped(value) : scaled(Double(value), by: 1000, units: ["", " k", " M", " G", " T", " P"])
    }

    /// 1,234,567.
    static func grouped(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = value < 0 ? "−" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// 231 MiB.
    static func bytes(_ value: Double) -> String {
        scaled(value, by: 1024, units: [" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
    }
    static func bytes(_ value: Int) -> String { bytes(Double(value)) }

    /// 18.4 k, a second.
    static func rate(_ value: Double) -> String {
        !value.isFinite
            ? "–" : value < 10_000 ? plain(value) : scaled(value, by: 1000, units: ["", " k", " M", " G", " T"])
    }

    /// 0.21 ms.
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "–" }
        if value == 0 { return "0" }
        if value < 0.001 { return "\(three(value * 1e6)) µs" }
        if value < 1 { return "\(three(value * 1e3)) ms" }
        if value < 100 { return "\(three(value)) s" }
        return span(value)
    }

    /// 0:42, 12:05, 3:07:00, 2 d 3:07.
    static func span(_ value: Double) -> String {
        let total = max(0, whole(value))
        let (days, hours, minutes) = (total / 86400, total / 3600 % 24, total / 60 % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if days > 0 { return "\(days) d \(hours):\(two(minutes)) h" }
        if hours > 0 { return "\(hours):\(two(minutes)):\(two(total % 60))" }
        return "\(minutes):\(two(total % 60))"
    }

    /// 15 s, then 12:05.
    static func age(_ value: Double) -> String { value < 100 ? "\(max(0, whole(value))) s" : span(value) }

    /// 91 %; one digit behind the point below ten.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        let value = share * 100
        return value == 0 || value >= 9.95 ? "\(whole(value)) %" : "\(fixed(value, 1)) %"
    }

    /// A loss or an AUC.
    static func metric(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        return fixed(value, 4)
    }

    /// 1.00 to 9.99.
    static func ratio(_ value: Double) -> String { value > 0 && value.isFinite ? fixed(value, 2) : "–" }

    /// A clock's time of a moment, where the server is.
    static func clock(_ time: Double) -> String {
        guard time > 0, time < 1e11 else { return "–" }
        var moment = time_t(time)
        var parts = tm()
        localtime_r(&moment, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    /// Digits behind the point.
    static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// The nearest whole number, whatever the value.
    static func whole(_ value: Double) -> Int {
        Int(bounded: value.rounded())
    }

    private static func plain(_ value: Double) -> String {
        value < 100 && value != value.rounded() ? fixed(value, 1) : grouped(whole(value))
    }

    private static func three(_ value: Double) -> String {
        value < 9.995 ? fixed(value, 2) : value < 99.95 ? fixed(value, 1) : fixed(value, 0)
    }

    private static func scaled(_ value: Double, by base: Double, units: [String]) -> String {
        guard value.isFinite else { return "–" }
        var value = value
        var unit = 0
        // 999.6 would be written as 1000.
        while abs(value) >= base - 0.5, unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return (unit == 0 ? fixed(value, 0) : three(value)) + units[unit]
    }
}
