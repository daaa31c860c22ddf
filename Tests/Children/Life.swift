import Foundation
import Synchronization

/// What becomes of a process, from its start to its end.
///
/// A thread of its own waits for the end and takes the status at once: nobody who looks sees a dead process for long.
final class Life: Sendable {
    /// How it ended.
    struct End: Sendable {
        let status: Int32
        let reason: Child.Reason
    }

    private enum State {
        case new
        case running(pid_t)
        case ended(pid_t, End)
    }

    private let state = Mutex(State.new)
    private let group = DispatchGroup()

    /// Ends those that live too long; of its own, as tests may hold every thread that others share.
    private static let patrol = DispatchQueue(label: "children that live too long")

    /// Begins with a process that `spawn` makes, and ends it with its group if it outlives the limit: whoever waits for it,
    /// or for what it writes, then fails and does not hang.
    func start(
        _ name: String, atMost limit: Duration, _ spawn: () throws(Spawn.Failure) -> pid_t
    ) throws(Spawn.Failure) {
        let pid = try state.withLock { state throws(Spawn.Failure) in
            guard case .new = state else { throw Spawn.Failure(description: "a child is started only once") }
            let pid = try spawn()
            state = .running(pid)
            group.enter()
            return pid
        }
        let thread = Thread { [self] in
            reap(pid)
            group.leave()
        }
        thread.start()
        Self.patrol.asyncAfter(deadline: .now() + limit / .seconds(1)) { [weak self] in
            guard let self, isRunning else { return }
            let words = "\(name) (process \(pid)) has not ended after \(limit) and is killed\n"
            FileHandle.standardError.write(Data(words.utf8))
            // The crash handler of our own programs says where they stand, if it is switched on.
            send(SIGABRT)
            Self.patrol.asyncAfter(deadline: .now() + 10) { self.send(SIGKILL, toGroup: true) }
        }
    }

    /// Waits for the end of the process and takes its status.
    private func reap(_ pid: pid_t) {
        var info = siginfo_t()
        // The number stays this process's own until its status is taken: no signal meets another one meanwhile.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { state in
            var status: Int32 = 0
            var taken = waitpid(pid, &status, 0)
            while taken < 0, errno == EINTR { taken = waitpid(pid, &status, 0) }
            let signal = status & 0x7f
            let code = taken == pid ? status >> 8 & 0xff : -1
            state = .ended(
                pid,
                signal == 0 ? End(status: code, reason: .exit) : End(status: signal, reason: .uncaughtSignal))
        }
    }

    /// Its number; 0 before its start.
    var pid: pid_t {
        state.withLock { state in
            switch state {
            case .new: 0
            case .running(let pid), .ended(let pid, _): pid
            }
        }
    }

    /// Whether it lives.
    var isRunning: Bool {
        state.withLock { state in
            if case .running = state { true } else { false }
        }
    }

    /// How it ended; nil before its end.
    var end: End? {
        state.withLock { state in
            if case .ended(_, let end) = state { end } else { nil }
        }
    }

    /// Sends a signal to the process, or to its group, if it lives, and never to another one.
    func send(_ signal: Int32, toGroup: Bool = false) {
        state.withLock { state in
            if case .running(let pid) = state { _ = kill(toGroup ? -pid : pid, signal) }
        }
    }

    /// Waits for its end.
    func wait() { group.wait() }
}
