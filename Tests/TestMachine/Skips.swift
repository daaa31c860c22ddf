import Foundation

/// Tests that did not run because this machine lacks something: each is noted with its reason in a file that `make test`
/// prints at its end, and that CI takes for a failure.
package enum Skips {
    /// The file, a line for each; MYRIAD_SKIPPED names another.
    static let file =
        ProcessInfo.processInfo.environment["MYRIAD_SKIPPED"]
        ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: ".build/skipped.txt").path

    /// Whether tests run; if not, they are noted.
    ///
    /// - Parameters:
    ///   - reason: what is missing; nil when nothing is.
    package static func runs(_ tests: String, unless reason: String?) -> Bool {
        guard let reason else { return true }
        note(tests, reason)
        return false
    }

    /// Notes what did not run, at once and wholly: several test processes write.
    package static func note(_ tests: String, _ reason: String, in file: String = file) {
        let words = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        let line = "SKIPPED: \(tests): \(words)\n"
        FileHandle.standardError.write(Data(line.utf8))
        let descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = line.withCString { write(descriptor, $0, strlen($0)) }
    }
}
