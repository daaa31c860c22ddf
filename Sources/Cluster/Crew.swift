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
            waits.begin("children", "\(late.joined(separator: ", ")) to end")
            for line in waits.lines() { StandardError.line(line) }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}
