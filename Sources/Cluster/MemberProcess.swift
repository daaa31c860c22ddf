import Foundation
import Processes
import Scheduler
import Synchronization

/// A server or worker that a launcher has started, or the ssh client that reaches it, with a log in the run's directory.
final class MemberProcess: Sendable {
    let member: Member
    let log: String
    let child: Child
    /// Our end of what it reads: no other child has it, and so it ends with the launcher.
    private let input: Mutex<FileHandle?>

    /// Starts a process.
    ///
    /// - Parameters:
    ///   - given: what it is given to read, before its standard input ends with the launcher; nil when it reads nothing.
    ///   - failed: called from another thread when it ends in another way than with 0.
    init(
        _ member: Member, _ setup: Child.Setup, given: Data?, log: String,
        failed: @escaping @Sendable (Child.End) -> Void
    ) throws {
        self.member = member
        self.log = log
        let pipe = given.map { _ in Pipe() }
        input = Mutex(pipe?.fileHandleForWriting)
        child = Child(setup)
        child.standardInput = pipe?.fileHandleForReading ?? .nullDevice
        child.log = log
        child.leadsGroup = false
        child.limit = nil
        try child.run { if $0.isKilled || $0.status > 0 { failed($0) } }
        try? pipe?.fileHandleForReading.close()
        // Who ends at once reads nothing: its end says why.
        if let data = given, !data.isEmpty { try? pipe?.fileHandleForWriting.write(contentsOf: data) }
    }

    /// What it is called.
    var name: String { "\(member.role)-\(member.rank)" }

    /// Ends its standard input.
    func letGo() {
        input.withLock {
            try? $0?.close()
            $0 = nil
        }
    }
}
