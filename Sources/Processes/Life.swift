import Foundation
import Synchronization
import Telemetry

/// What becomes of a process, from its start to its end.
///
/// A thread of its own waits for the end and takes the status at once: nobody who looks sees a dead process for long.
final class Life: Sendable {
    private enum State {
        case new
        case running(pid_t)
        case ended(Child.End)
    }

    private let state = Mutex(State.new)
    private let group = DispatchGroup()

    /// Ends those that live too long; of its own, as others may hold every thread that is shared.
    private static let patrol = DispatchQueue(label: "children that live too long")

    /// Begins with a process, and ends it if it outlives its limit: whoever waits for it, or for what it writes, then fails
    /// and does not hang.
    func start(_ setup: Child.Setup, _ ended: @escaping @Sendable (Child.End) -> Void) throws(Child.Failure) {
        let pid = try state.withLock { state throws(Child.Failure) in
            guard case .new = state else { throw Child.Failure(description: "a child is started only once") }
            let pid = try Spawn.start(setup)
            state = .running(pid)
            group.enter()
            return pid
        }
        Want.thread("wait") { [self] in
            ended(reap(pid))
            group.leave()
        }
        guard let limit = setup.limit else { return }
        let name = ([setup.executableURL?.path ?? ""] + setup.arguments).joined(separator: " ")
        let leadsGroup = setup.leadsGroup
        // It holds no handle of the setup: those close with the process's owner.
        Self.patrol.asyncAfter(deadline: .now() + limit / .seconds(1)) { [weak self] in
            guard let self, isRunning else { return }
            let words = "\(name) (process \(pid)) has not ended after \(limit) and is killed\n"
            FileHandle.standardError.write(Data(words.utf8))
            // The crash handler of our own programs says where they stand, if it is switched on.
            send(SIGABRT)
            Self.patrol.asyncAfter(deadline: .now() + 10) { self.send(SIGKILL, toGroup: leadsGroup) }
        }
    }

    /// Waits for the end of the process and takes its status.
    private func reap(_ pid: pid_t) -> Child.End {
        var info = siginfo_t()
        // The number stays this process's own until its status is taken: no signal meets another one meanwhile.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            var status: Int32 = 0
            var taken = waitpid(pid, &status, 0)
            while taken < 0, errno == EINTR { taken = waitpid(pid, &status, 0) }
            let signal = status & 0x7f
            let code = taken == pid ? status >> 8 & 0xff : -1
            let end =
                signal == 0
                ? Child.End(pid: pid, status: code, reason: .exit)
                : Child.End(pid: pid, status: signal, reason: .uncaughtSignal)
            state = .ended(end)
            return end
        }
    }

    /// Its number; 0 before its start.
    var pid: pid_t {
        state.withLock { state in
            switch state {
            case .new: 0
            case .running(let pid): pid
            case .ended(let end): end.pid
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
    var end: Child.End? {
        state.withLock { state in
            if case .ended(let end) = state { end } else { nil }
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
