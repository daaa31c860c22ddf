import Foundation
import Synchronization

/// Ends a process that gets no more memory, after it has said so.
package enum OutOfMemory {
    private static let listener = Mutex<(@Sendable (String) -> Void)?>(nil)

    /// Who is told before the end; another thread has three seconds to pass it on.
    package static func tell(_ listener: @escaping @Sendable (String) -> Void) {
        Self.listener.withLock { $0 = listener }
    }

    /// Says what memory was wanted for, and ends the process with code 70.
    package static func end(_ bytes: Int, for what: String) -> Never {
        let text = "no memory for \(bytes) bytes of \(what)"
        let line = Array("error: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        if let listener = listener.withLock({ $0 }) {
            listener(text)
            sleep(3)
        }
        _exit(70)
    }
}
