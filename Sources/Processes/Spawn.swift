import CShims
import Foundation
import Telemetry

/// How a program is started: with three descriptors, and no ignored signals, nor blocked ones unless told.
enum Spawn {
    /// Starts a program and returns the number of its process.
    static func start(_ setup: Child.Setup) throws(Complaint) -> pid_t {
        guard let program = setup.executableURL?.path else {
            throw Complaint("a child without a program")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var copies: [Int32] = []
        defer { for copy in copies { close(copy) } }
        let handles = [setup.standardInput, setup.standardOutput, setup.standardError]
        for case (let target, let handle?) in zip(Int32(0)..., handles) {
            if handle === FileHandle.nullDevice {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
                continue
            }
            // A copy above the three: setting one of them must not replace the source of the next.
            let copy = fcntl(handle.fileDescriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
            guard copy >= 0 else { throw failure(program, "descriptor \(target)", errno) }
            copies.append(copy)
            posix_spawn_file_actions_adddup2(&actions, copy, target)
        }
        if let log = setup.log {
            let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, flags, 0o644)
            posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        }
        // Closed in the child, not listed here: other threads open descriptors meanwhile.
        posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)
        if let directory = setup.currentDirectoryURL?.path {
            posix_spawn_file_actions_addchdir_np(&actions, directory)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, held) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&held)
        for number in setup.heldSignals { sigaddset(&held, number) }
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &held)
        // What this process ignores or blocks is for the child itself to decide.
        var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        // A group of its own: a script that signals its group must not meet this process.
        if setup.leadsGroup { flags |= POSIX_SPAWN_SETPGROUP }
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let variables = (setup.environment ?? ProcessInfo.processInfo.environment).map { "\($0)=\($1)" }
        let texts = [[program] + setup.arguments, variables].map { $0.map { strdup($0) } + [nil] }
        defer { for text in texts.joined() { free(text) } }
        var pid: pid_t = 0
        let problem = posix_spawn(&pid, program, &actions, &attributes, texts[0], texts[1])
        guard problem == 0 else { throw failure(program, setup.currentDirectoryURL?.path, problem) }
        return pid
    }

    private static func failure(_ program: String, _ place: String?, _ number: Int32) -> Complaint {
        let place = place.map { " (\($0))" } ?? ""
        return Complaint("\(program)\(place): cannot be started: \(String(cString: strerror(number)))")
    }
}
