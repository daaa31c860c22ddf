import FoundationEssentials
import Glibc

/// Lines for a person, which must not end the process when nobody can take them: a full disk, a closed pipe.
///
/// Whatever a node or a file says in them cannot steer the terminal.
package enum StandardError {
    /// Writes a line; a text of several stays several.
    ///
    /// - Parameter over: whether it replaces what `progress` left open.
    package static func line(_ text: String, over: Bool = false) {
        write((over ? clear : "") + text.harmless(keepsLines: true) + "\n")
    }

    /// Writes over the terminal's line and leaves it open.
    package static func progress(_ text: String) { write(clear + text.harmless) }

    private static let clear = "\r\u{1b}[K"

    private static func write(_ text: String) {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            left = left.dropFirst(count)
        }
    }
}
