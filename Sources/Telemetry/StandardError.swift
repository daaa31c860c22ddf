import FoundationEssentials
import Glibc

/// Lines for a person, which must not end the process when nobody can take them: a full disk, a closed pipe.
package enum StandardError {
    /// Writes text as it is.
    package static func write(_ text: String) {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            left = left.dropFirst(count)
        }
    }

    /// Writes a line.
    package static func line(_ text: String) { write(text + "\n") }
}
