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

    /// Writes a text as it is, to standard error, which never waits for whoever reads it, or to another file.
    package static func write(_ text: String, to descriptor: Int32 = STDERR_FILENO) {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || (errno == EAGAIN && descriptor != STDERR_FILENO) { continue }
            guard count > 0 else { return }
            left = left.dropFirst(count)
        }
    }
}
