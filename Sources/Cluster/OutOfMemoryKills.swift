import Foundation

/// How often the kernel's out-of-memory killer has struck on this machine since a moment.
package struct OutOfMemoryKills: Sendable {
    private let before: Int

    /// From now on.
    package init() { before = Self.count }

    /// Since then.
    package var since: Int { Self.count - before }

    /// Since the machine was started (`oom_kill` of `/proc/vmstat`).
    private static var count: Int {
        guard let text = try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
    }
}
