import FoundationEssentials
import Glibc

/// What the system says of a process.
package enum ProcessState: Sendable, Equatable {
    /// It is on another machine, or cannot be looked at.
    case unknown
    /// No such process.
    case gone
    /// The letter of `/proc/<pid>/stat`: R runs, S sleeps, D hangs in the kernel, T is stopped, Z is dead.
    case state(Character)

    /// The state of a process that says it is number `pid` of `host`.
    package static func of(pid: Int, host: String) -> ProcessState {
        guard let pid = pid_t(exactly: pid), pid > 0, host == ProcessInfo.processInfo.hostName else { return .unknown }
        // The name stands in parentheses and may hold any byte: the state follows the last of them.
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return kill(pid, 0) != 0 && errno == ESRCH ? .gone : .unknown }
        guard let letter = text[end...].dropFirst(2).first else { return .unknown }
        return letter == "Z" ? .gone : .state(letter)
    }
}
