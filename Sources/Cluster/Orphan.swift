import Foundation
import Telemetry

/// Ends a child process whose launcher is gone.
package enum Orphan {
    /// The environment variable that names the launcher's process.
    package static let variable = "MYRIAD_LAUNCHER"

    /// What the launcher alone decides about: it reaches the whole group.
    static let ignored = [SIGINT, SIGHUP]

    /// Whether this process was launched.
    package static var isWatching: Bool {
        ProcessInfo.processInfo.environment[variable].flatMap { Int32($0) } != nil
    }

    /// Watches the launcher from a thread of its own; does nothing in a process that was not launched.
    package static func watch() {
        guard let text = ProcessInfo.processInfo.environment[variable], let launcher = Int32(text) else { return }
        // Ctrl-C and the end of a terminal reach the whole group; the launcher alone decides what they mean.
        var held = sigset_t()
        sigemptyset(&held)
        for number in ignored {
            signal(number, SIG_IGN)
            sigaddset(&held, number)
        }
        pthread_sigmask(SIG_UNBLOCK, &held, nil)
        Want.thread("orphan") {
            while getppid() == launcher { Thread.sleep(forTimeInterval: 0.25) }
            StandardError.line("the launcher (process \(launcher)) is gone")
            PrivateDirectory.sweep()
            exit(ExitCodes.orphaned.rawValue)
        }
    }
}
