import Foundation
import Processes
import Scheduler
import Synchronization
import Telemetry
import Transport
import Wire

/// The servers and workers that a launcher starts, from a thread of its own: the scheduler answers the first while the last
/// are still logging in, and whoever ends the job meanwhile is heard.
final class Crew: Sendable {
    private struct State {
        var children: [MemberProcess] = []
        var isOver = false
    }

    /// How many processes of one machine may be beginning at once: an ssh server turns more away (`MaxStartups`).
    static let beginners = 8

    private let site: any LaunchSite
    /// Where a process begins after a login; nil where starting it tells at once whether it does.
    private let remote: RemoteHosts?
    private let meeting: MeetingPoint
    private let logs: String
    private let inbox: Inbox<SchedulerNode.Command>
    private let state = Mutex(State())
    private let starting = DispatchGroup()
    private let standstill = Standstill()

    /// Nobody is started yet.
    ///
    /// - Parameters:
    ///   - logs: the directory of their logs.
    ///   - inbox: where the scheduler is told how one ended.
    init(_ site: any LaunchSite, _ meeting: MeetingPoint, logs: String, inbox: Inbox<SchedulerNode.Command>) {
        self.site = site
        remote = site as? RemoteHosts
        self.meeting = meeting
        self.logs = logs
        self.inbox = inbox
    }

    /// How long the last may wait for its turn to begin.
    static func timeToStart(_ members: [Member], on site: any LaunchSite) -> Duration {
        guard let remote = site as? RemoteHosts else { return .zero }
        let most = Dictionary(grouping: members, by: remote.host).values.map(\.count).max() ?? 0
        return remote.wait * ((most + beginners - 1) / beginners)
    }

    /// Begins to start them, and returns.
    func start(_ members: [Member]) {
        starting.enter()
        Want.thread("crew") { [self] in
            for member in members {
                waitForTurn(member)
                guard !isOver else { break }
                do { try start(member) } catch {
                    inbox.post(.saw(Evidence(.died, of: member, what: "\(member): \(error)")))
                    break
                }
            }
            starting.leave()
        }
    }

    private func start(_ member: Member) throws {
        let (site, inbox, standstill) = (site, inbox, standstill)
        let log = "\(logs)/\(member.role)-\(member.rank).log"
        let (setup, given) = site.command(for: member, meeting)
        let process = try MemberProcess(member, setup, given: given, log: log) {
            if $0.status == ExitCodes.unavailable.rawValue, let sign = standstill.evidence() { inbox.post(.saw(sign)) }
            inbox.post(.saw(site.evidence(of: $0, member, log: log)))
        }
        state.withLock { $0.children.append(process) }
        guard let remote else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + remote.wait / .seconds(1)) {
            guard process.child.isRunning, !remote.hasBegun(log: log) else { return }
            inbox.post(.saw(remote.evidence(ofMissing: member, log: log)))
            process.child.kill()
        }
    }

    private var children: [MemberProcess] { state.withLock { $0.children } }
    private var isOver: Bool { state.withLock { $0.isOver } }

    /// Waits until few enough processes are beginning on a process's machine, or nobody is to begin any more.
    private func waitForTurn(_ member: Member) {
        guard let remote else { return }
        let host = remote.host(of: member)
        func isBeginning(_ process: MemberProcess) -> Bool {
            remote.host(of: process.member) == host && process.child.isRunning && !remote.hasBegun(log: process.log)
        }
        while !isOver, children.count(where: isBeginning) >= Self.beginners { Thread.sleep(forTimeInterval: 0.05) }
    }

    /// Waits for them to leave by themselves, then makes them; after a failure some cannot.
    func end(hasFailed: Bool) {
        state.withLock { $0.isOver = true }
        starting.wait()
        let children = children
        wait(.seconds(hasFailed ? 3 : 10), for: children.filter { remote?.hasBegun(log: $0.log) ?? true })
        for process in children { process.letGo() }
        if let remote {
            wait(.seconds(2), for: children)
            let late = children.filter(\.child.isRunning)
            DispatchQueue.concurrentPerform(iterations: late.count) { remote.kill(late[$0].member, log: late[$0].log) }
        }
        for process in children { process.child.kill() }
        for process in children { process.child.waitUntilExit() }
    }

    private func wait(_ patience: Duration, for children: [MemberProcess]) {
        let deadline = ContinuousClock.now + patience
        var waits = WaitClock(who: "launcher")
        while .now < deadline {
            let late = children.filter(\.child.isRunning).map(\.name)
            guard !late.isEmpty else { break }
            waits.note("children", "\(late.joined(separator: ", ")) to end")
            for line in waits.lines() { StandardError.line(line) }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}

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
