package import Foundation
import Processes
import Synchronization

/// A server or worker that a launcher has started, or the ssh client that reaches it, with a log in the run's directory.
package final class MemberProcess: Sendable {
    /// How one is started.
    package struct Command: Sendable {
        /// The executable.
        package var program: String
        /// What follows it.
        package var arguments: [String]
        /// By what its environment differs from that of this process; nil for what it does not get.
        package var environment: [String: String?] = [:]
        /// What it is given to read, before its standard input ends with the launcher; nil when it reads nothing.
        package var input: Data?

        /// A program with its arguments.
        package init(_ program: String, _ arguments: [String]) {
            self.program = program
            self.arguments = arguments
        }
    }

    /// How one ended.
    package struct End: Sendable {
        /// Its code, or the signal that killed it.
        package let status: Int
        /// Whether it was a signal.
        package let isKilled: Bool
        /// Its number.
        package let pid: Int
        /// Where it wrote.
        package let log: String
        /// How often the kernel's out-of-memory killer struck meanwhile.
        package let outOfMemoryKills: Int
    }

    /// What it is called.
    let name: String
    let log: String
    private let child = Child()
    /// Our end of what it reads: no other child has it, and so it ends with the launcher.
    private let input: Mutex<FileHandle?>

    /// Starts a process.
    ///
    /// - Parameter failed: called from another thread when it ends in another way than with 0.
    init(
        _ name: String, _ command: Command, log: String, failed: @escaping @Sendable (End) -> Void
    ) throws {
        self.name = name
        self.log = log
        let pipe = command.input.map { _ in Pipe() }
        input = Mutex(pipe?.fileHandleForWriting)
        var environment = ProcessInfo.processInfo.environment
        for (name, value) in command.environment { environment[name] = value }
        child.executableURL = URL(filePath: command.program)
        child.arguments = command.arguments
        child.environment = environment
        child.standardInput = pipe?.fileHandleForReading ?? .nullDevice
        child.log = log
        child.leadsGroup = false
        // One of ours does not hear what reaches the whole group, from its first moment: see `Orphan.watch`.
        if command.environment.keys.contains(Orphan.variable) { child.heldSignals = Orphan.ignored }
        child.limit = nil
        let kills = OutOfMemoryKills()
        try child.run { end in
            let isKilled = end.reason == .uncaughtSignal
            guard isKilled || end.status > 0 else { return }
            failed(
                End(
                    status: Int(end.status), isKilled: isKilled, pid: Int(end.pid), log: log,
                    outOfMemoryKills: kills.since))
        }
        try? pipe?.fileHandleForReading.close()
        // Who ends at once reads nothing: its end says why.
        if let data = command.input, !data.isEmpty { try? pipe?.fileHandleForWriting.write(contentsOf: data) }
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { child.isRunning }

    /// Ends its standard input.
    func letGo() {
        input.withLock {
            try? $0?.close()
            $0 = nil
        }
    }

    /// Kills it, if it has not ended.
    func kill() { child.kill() }

    /// Waits until it has ended and that has been told.
    func join() { child.waitUntilExit() }
}
