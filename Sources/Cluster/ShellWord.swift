/// Words as a shell of the Bourne family reads them.
package enum ShellWord {
    private static let plain = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%".unicodeScalars)

    /// A text as one word, in quotes if it needs them.
    package static func quote(_ text: String) -> String {
        if !text.isEmpty, text.unicodeScalars.allSatisfy(plain.contains) { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// Texts as the words of a command.
    package static func line(_ words: [String]) -> String { words.map(quote).joined(separator: " ") }
}
