package import Foundation
import Synchronization
import Telemetry

/// A process of a job that a launcher has started, with a log in the run's directory.
///
/// Not Foundation's: that one notices an end by a descriptor which ssh closes at its start, and then waits for one child
/// while others end.
package final class ChildProcess: Sendable {
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

    private enum State {
        case running
        case ended
    }

    /// What it is called.
    let name: String
    let log: String
    private let pid: pid_t
    private let state = Mutex(State.running)
    private let input: Mutex<FileHandle?>
    private let end = DispatchGroup()

    /// Starts a process.
    ///
    /// - Parameter failed: called from another thread when it ends in another way than with 0.
    init(
        _ name: String, _ command: Command, log: String, failed: @escaping @Sendable (End) -> Void
    ) throws {
        self.name = name
        self.log = log
        let pipe = command.input == nil ? nil : Pipe()
        // No other child may hold this end, or it would not end with the launcher.
        if let pipe { _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC) }
        input = Mutex(pipe?.fileHandleForWriting)
        let kills = OutOfMemoryKills()
        do {
            pid = try Self.spawn(command, input: pipe?.fileHandleForReading.fileDescriptor, log: log)
        } catch {
            throw RunDirectory.Failure(
                description: "\(command.program): cannot be started: \(String(cString: strerror(error.number)))")
        }
        try? pipe?.fileHandleForReading.close()
        // Who ends at once reads nothing: its end says why.
        if let data = command.input, !data.isEmpty { try? pipe?.fileHandleForWriting.write(contentsOf: data) }
        end.enter()
        Want.thread("wait") { [self] in
            let status = wait()
            let isKilled = status & 0x7f != 0
            let code = isKilled ? status & 0x7f : status >> 8 & 0xff
            if isKilled || code != 0 {
                failed(
                    End(
                        status: Int(code), isKilled: isKilled, pid: Int(pid), log: log, outOfMemoryKills: kills.since))
            }
            end.leave()
        }
    }

    /// Waits for the end of the process and takes its status.
    private func wait() -> Int32 {
        var info = siginfo_t()
        // The number stays this process's own until it is taken: nobody kills another one meanwhile.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            state = .ended
            return status
        }
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { state.withLock { $0 == .running } }

    /// Ends its standard input.
    func letGo() {
        input.withLock {
            try? $0?.close()
            $0 = nil
        }
    }

    /// Kills it, if it has not ended.
    func kill() {
        state.withLock { if $0 == .running { _ = Foundation.kill(pid, SIGKILL) } }
    }

    /// Waits until it has ended and that has been told.
    func join() { end.wait() }

    // MARK: Starting

    private struct SpawnError: Error {
        let number: Int32
    }

    /// Starts a program that has nothing of this process but its directory and environment.
    private static func spawn(_ command: Command, input: Int32?, log: String) throws(SpawnError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap(Int32.init) where descriptor > STDERR_FILENO {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process ignores is for the child itself to decide.
        var (all, held) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&held)
        // A child of ours does not hear what reaches the whole group, from its first moment: it lets go of them when it
        // ignores them (`Orphan.watch`).
        if command.environment.keys.contains(Orphan.variable) {
            for number in Orphan.ignored { sigaddset(&held, number) }
        }
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &held)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var environment = ProcessInfo.processInfo.environment
        for (name, value) in command.environment { environment[name] = value }
        var pid: pid_t = 0
        let problem = withStrings([command.program] + command.arguments) { arguments in
            withStrings(environment.map { "\($0)=\($1)" }) { variables in
                posix_spawn(&pid, command.program, &actions, &attributes, arguments, variables)
            }
        }
        guard problem == 0 else { throw SpawnError(number: problem) }
        return pid
    }

    /// Calls with texts as C takes a list of them.
    private static func withStrings<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var list: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        return list.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { body(UnsafePointer($0)) } ?? body([nil])
        }
    }
}
