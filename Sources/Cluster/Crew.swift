import Foundation
import Scheduler
import Synchronization
import Telemetry
import Transport
import Wire

/// The servers and workers that a launcher starts, from a thread of its own: the scheduler answers the first while the last
/// are still logging in, and whoever ends the job meanwhile is heard.
final class Crew: Sendable {
    private struct State {
        var children: [(member: Member, process: MemberProcess)] = []
        var isOver = false
    }

    /// How many processes of one machine may be beginning at once: an ssh server turns more away (`MaxStartups`).
    static let beginners = 8

    private let site: any LaunchSite
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
        self.meeting = meeting
        self.logs = logs
        self.inbox = inbox
    }

    private static func members(servers: Int, workers: Int) -> [Member] {
        (0..<servers).map { Member(role: .server, rank: $0) } + (0..<workers).map { Member(role: .worker, rank: $0) }
    }

    /// How long the last may wait for its turn to begin.
    static func timeToStart(servers: Int, workers: Int, on site: any LaunchSite) -> Duration {
        guard let patience = site.patience else { return .zero }
        let hosts = Dictionary(grouping: members(servers: servers, workers: workers), by: site.host)
        let most = hosts.values.map(\.count).max() ?? 0
        return patience * ((most + beginners - 1) / beginners)
    }

    /// Begins to start them, and returns.
    func start(servers: Int, workers: Int) {
        starting.enter()
        Want.thread("crew") { [self] in
            for member in Self.members(servers: servers, workers: workers) {
                waitForTurn(on: site.host(of: member))
                guard !isOver else { break }
                do { try start(member) } catch {
                    inbox.post(.saw(Evidence(.died, of: member, what: "\(member): \(error)", at: .now)))
                    break
                }
            }
            starting.leave()
        }
    }

    private func start(_ member: Member) throws {
        let name = "\(member.role)-\(member.rank)"
        let (site, inbox, standstill) = (site, inbox, standstill)
        let child = try MemberProcess(name, site.command(for: member, meeting), log: "\(logs)/\(name).log") {
            if $0.status == Int(ExitCodes.unavailable.rawValue), let sign = standstill.evidence() {
                inbox.post(.saw(sign))
            }
            inbox.post(.saw(site.evidence(of: $0, member)))
        }
        state.withLock { $0.children.append((member, child)) }
        guard let patience = site.patience else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + patience / .seconds(1)) {
            guard child.isRunning, !site.hasBegun(log: child.log) else { return }
            inbox.post(.saw(site.evidence(ofMissing: member, log: child.log)))
            child.kill()
        }
    }

    private var children: [(member: Member, process: MemberProcess)] { state.withLock { $0.children } }
    private var isOver: Bool { state.withLock { $0.isOver } }

    /// Waits until few enough processes are beginning on a machine, or nobody is to begin any more.
    private func waitForTurn(on host: String) {
        guard site.patience != nil else { return }
        while !isOver {
            let beginning = children.filter {
                site.host(of: $0.member) == host && $0.process.isRunning && !site.hasBegun(log: $0.process.log)
            }
            guard beginning.count >= Self.beginners else { return }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Waits for them to leave by themselves, then makes them; after a failure some cannot.
    func end(hasFailed: Bool) {
        state.withLock { $0.isOver = true }
        starting.wait()
        let children = children
        wait(.seconds(hasFailed ? 3 : 10), for: children.filter { site.hasBegun(log: $0.process.log) })
        for (_, child) in children { child.letGo() }
        if site.patience != nil {
            wait(.seconds(2), for: children)
            let late = children.filter(\.process.isRunning)
            let site = site
            DispatchQueue.concurrentPerform(iterations: late.count) {
                site.kill(late[$0].member, log: late[$0].process.log)
            }
        }
        for (_, child) in children { child.kill() }
        for (_, child) in children { child.join() }
    }

    private func wait(_ patience: Duration, for children: [(member: Member, process: MemberProcess)]) {
        let deadline = ContinuousClock.now + patience
        var waits = WaitClock(who: "launcher")
        while .now < deadline {
            let late = children.map(\.process).filter(\.isRunning).map(\.name)
            guard !late.isEmpty else { break }
            waits.note("children", "\(late.joined(separator: ", ")) to end")
            for line in waits.lines() { StandardError.line(line) }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}
