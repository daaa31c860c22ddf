/// What tables, fields, columns and splits may be called.
///
/// Names travel in control messages, which take texts of 4,096 bytes without control characters (`Wire`), and stand in
/// files, reports and on terminals.
package enum Names {
    /// UTF-8 bytes of a name: where every one is escaped, a message still takes it.
    private static let longest = 1024

    /// What is wrong with a name, or nil.
    package static func problem(_ name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > longest { return "has \(name.utf8.count) bytes, expected at most \(longest)" }
        let isControl = name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return isControl ? "has a control character" : nil
    }
}

/// A text of others as a message shows it: in quotes, on one line, cut to what a person reads.
package func shown(_ text: String, limit: Int = 80) -> String { "'\(clipped(text, limit: limit))'" }

/// A text of others on one line, cut to what a person reads; without quotes.
package func clipped(_ text: String, limit: Int = 80) -> String {
    let scalars = text.unicodeScalars.prefix(limit).map {
        $0.properties.generalCategory == .control ? "\\u{\(String($0.value, radix: 16))}" : String($0)
    }
    return scalars.joined() + (text.unicodeScalars.dropFirst(limit).isEmpty ? "" : "…")
}
