import Foundation
import Telemetry
import Tensors

/// Ends a process when its standard input ends: ssh tells it so when the launcher is gone, however that ended.
package enum Lifeline {
    /// Says which process this is, and watches its standard input from a thread of its own.
    ///
    /// The line is how the launcher knows that ssh got through and the program runs, and which process it is there.
    package static func watch() {
        StandardError.line(greeting(pid: Int(getpid()), host: ProcessInfo.processInfo.hostName))
        Want.thread("lifeline") {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
            }
            StandardError.line("the launcher is gone")
            // Not exit: what threads hold must not keep the process.
            _exit(ExitCodes.orphaned.rawValue)
        }
    }

    private static let middle = ", which lives as long as its standard input, on "

    static func greeting(pid: Int, host: String) -> String { "process \(pid)\(middle)\(host)" }

    /// The process of a log, if it has begun.
    static func process(inLog path: String) -> (pid: Int, host: String)? {
        guard let handle = Files.handle(path) else { return nil }
        defer { try? handle.close() }
        // What ssh and the login may say before it is short.
        guard let data = try? handle.read(upToCount: 65_536) else { return nil }
        return process(in: String(decoding: data, as: UTF8.self))
    }

    static func process(in text: String) -> (pid: Int, host: String)? {
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("process ") {
            guard let range = line.range(of: middle), let pid = Int(line[..<range.lowerBound].dropFirst(8)) else {
                continue
            }
            return (pid, String(line[range.upperBound...]))
        }
        return nil
    }
}

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
