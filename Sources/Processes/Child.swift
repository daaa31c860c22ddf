package import Foundation
import Synchronization

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
    }

    /// What ended one.
    package enum Reason: Sendable {
        /// Itself, with a code.
        case exit
        /// A signal.
        case uncaughtSignal
    }

    /// How one ended.
    package struct End: Sendable {
        /// Its number.
        package let pid: pid_t
        /// Its code, or the number of the signal that killed it; -1 when the kernel does not tell.
        package let status: Int32
        /// What ended it.
        package let reason: Reason
    }

    /// Why one could not be started.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let setup = Mutex(Setup())
    private let life = Life()

    /// A process that is yet to be set up and run.
    package init() {}

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
    package func run(ended: @escaping @Sendable (End) -> Void = { _ in }) throws(Failure) {
        try life.start(setup.withLock { $0 }, ended)
    }

    /// Its number, also after its end; 0 before its start.
    package var processIdentifier: pid_t { life.pid }

    /// Whether it has been started and has not ended.
    package var isRunning: Bool { life.isRunning }

    /// Its code, or the number of the signal that killed it; -1 before its end.
    package var terminationStatus: Int32 { life.end?.status ?? -1 }

    /// What ended it; nil before its end.
    package var terminationReason: Reason? { life.end?.reason }

    /// Waits for its end.
    package func waitUntilExit() { life.wait() }

    /// Asks it to end.
    package func terminate() { life.send(SIGTERM) }

    /// Does what Ctrl-C does.
    package func interrupt() { life.send(SIGINT) }

    /// Ends it at once.
    package func kill() { life.send(SIGKILL) }
}
