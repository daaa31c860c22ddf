/// What one check found.
struct Finding: Codable, Sendable, Equatable {
    /// How bad it is.
    enum Verdict: String, Codable, Sendable, CaseIterable {
        case pass = "PASS"
        case warn = "WARN"
        case fail = "FAIL"
    }

    /// Something that may be wrong: whether it is, how bad that is, what to add to what was found, and what to do.
    typealias Trouble = (applies: Bool, verdict: Verdict, words: String, remedy: String)

    /// What was checked, in a word or two.
    var check: String
    /// How bad it is.
    var verdict: Verdict
    /// What was found.
    var found: String
    /// What to do; empty where there is nothing to do.
    var remedy: String

    init(_ check: String, _ verdict: Verdict, _ found: String, remedy: String = "") {
        self.check = check
        self.verdict = verdict
        self.found = found
        self.remedy = verdict == .pass ? "" : remedy
    }

    /// What was found, with the first trouble that applies.
    init(_ check: String, _ found: String, _ troubles: Trouble...) {
        let trouble = troubles.first(where: \.applies)
        self.init(
            check, trouble?.verdict ?? .pass, found + (trouble?.words ?? ""), remedy: trouble?.remedy ?? "")
    }

    /// The finding as a person reads it.
    var lines: [String] {
        let name = check.padding(to: 12)
        return ["\(verdict.rawValue)  \(name) \(found)"]
            + (remedy.isEmpty ? [] : ["      \("".padding(to: 12)) → \(remedy)"])
    }
}

extension String {
    /// The text with spaces behind it, at least `count` characters.
    func padding(to count: Int) -> String { self + String(repeating: " ", count: max(0, count - self.count)) }
}

/// Bytes as people read them.
func size(_ bytes: Int) -> String {
    if bytes >= 10 << 30 { return "\(bytes >> 30) GiB" }
    if bytes >= 10 << 20 { return "\(bytes >> 20) MiB" }
    return bytes >= 10 << 10 ? "\(bytes >> 10) KiB" : "\(bytes) bytes"
}
