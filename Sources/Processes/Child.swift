package import Foundation
import Synchronization
package import Telemetry

/// A process that this one starts: the only way in which the program and its tests do.
///
/// Not Foundation's: that one learns of an end from a descriptor which children forked at the same moment inherit, and
/// which ssh closes at its start, and then takes a dead process for a running one, or waits for one while others end.
/// This one asks the kernel. It is set up and used like Foundation's; when the last reference to it goes, it is killed, so
/// that nothing is left behind.
@dynamicMemberLookup
package final class Child: Sendable {
    /// How one is started.
    package struct Setup: Sendable {
        /// The program's file.
        package var executableURL: URL?
        /// What follows its name.
        package var arguments: [String] = []
        /// All its variables; nil for those of this process.
        package var environment: [String: String]?
        /// Where it starts; nil for the directory of this process.
        package var currentDirectoryURL: URL?
        /// What it reads; nil for what this process reads.
        package var standardInput: FileHandle?
        /// Where its output goes; nil for where that of this process goes.
        package var standardOutput: FileHandle?
        /// Where its errors go; nil for where those of this process go.
        package var standardError: FileHandle?
        /// A file, begun anew, that takes output and errors in place of the two before.
        package var log: String?
        /// Whether it leads a process group of its own, which Ctrl-C does not reach; else it belongs to that of this process.
        package var leadsGroup = true
        /// Signals that it does not hear before it lets go of them itself.
        package var heldSignals: [Int32] = []
        /// How long it may live before it is killed, with the group that it leads; nil for as long as it likes.
        package var limit: Duration? = .seconds(2400)

        /// A program of which the rest is as usual.
        package init(_ program: String? = nil, _ arguments: [String] = []) {
            executableURL = program.map { URL(filePath: $0) }
            self.arguments = arguments
        }
    }

    /// How one ended.
    package struct End: Sendable {
        /// Its number.
        package let pid: pid_t
        /// Its code, or the number of the signal that killed it; -1 when the kernel does not tell.
        package let status: Int32
        /// Whether a signal ended it.
        package let isKilled: Bool
    }

    private let setup: Mutex<Setup>
    private let life = Life()

    /// A process that is yet to be run.
    package init(_ setup: Setup = Setup()) { self.setup = Mutex(setup) }

    deinit {
        kill()
        waitUntilExit()
    }

    /// How it is started.
    package subscript<Value: Sendable>(dynamicMember path: WritableKeyPath<Setup, Value>) -> Value {
        get { setup.withLock { $0 }[keyPath: path] }
        set { setup.withLock { $0[keyPath: path] = newValue } }
    }

    /// Starts it, once; says why if it cannot.
    ///
    /// - Parameter ended: called at its end from another thread, before anybody who waits for that goes on.
    package func run(ended: @escaping @Sendable (End) -> Void = { _ in }) throws(Complaint) {
        try life.start(setup.withLock { $0 }, ended)
    }

    /// Its number, also after its end; 0 before its start.
    package var processIdentifier: pid_t { life.pid }

    /// Whether it has been started and has not ended.
    package var isRunning: Bool { life.isRunning }

    /// Its code, or the number of the signal that killed it; -1 before its end.
    package var terminationStatus: Int32 { life.end?.status ?? -1 }

    /// How it ended; nil before its end.
    package var end: End? { life.end }

    /// Waits for its end.
    package func waitUntilExit() { life.wait() }

    /// Asks it to end.
    package func terminate() { life.send(SIGTERM) }

    /// Does what Ctrl-C does.
    package func interrupt() { life.send(SIGINT) }

    /// Ends it at once.
    package func kill() { life.send(SIGKILL) }
}

/// What becomes of a process, from its start to its end.
///
/// A thread of its own waits for the end and takes the status at once: nobody who looks sees a dead process for long.
final class Life: Sendable {
    /// Its number, 0 before its start, and how it ended.
    private let state = Mutex((pid: pid_t(0), end: Child.End?.none))
    private let group = DispatchGroup()

    /// Ends those that live too long; of its own, as others may hold every thread that is shared.
    private static let patrol = DispatchQueue(label: "children that live too long")

    /// Begins with a process, and ends it if it outlives its limit: whoever waits for it, or for what it writes, then fails
    /// and does not hang.
    func start(_ setup: Child.Setup, _ ended: @escaping @Sendable (Child.End) -> Void) throws(Complaint) {
        let pid = try state.withLock { state throws(Complaint) in
            guard state.pid == 0 else { throw Complaint("a child is started only once") }
            state.pid = try Spawn.start(setup)
            group.enter()
            return state.pid
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
            let end = Child.End(pid: pid, status: signal == 0 ? code : signal, isKilled: signal != 0)
            state.end = end
            return end
        }
    }

    /// Its number; 0 before its start.
    var pid: pid_t { state.withLock { $0.pid } }

    /// Whether it lives.
    var isRunning: Bool { state.withLock { $0.pid > 0 && $0.end == nil } }

    /// How it ended; nil before its end.
    var end: Child.End? { state.withLock { $0.end } }

    /// Sends a signal to the process, or to its group, if it lives, and never to another one.
    func send(_ signal: Int32, toGroup: Bool = false) {
        state.withLock { state in
            if state.pid > 0, state.end == nil { _ = kill(toGroup ? -state.pid : state.pid, signal) }
        }
    }

    /// Waits for its end.
    func wait() { group.wait() }
}
