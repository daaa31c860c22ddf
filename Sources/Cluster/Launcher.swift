import Foundation
package import Job
package import Scheduler
import Synchronization
import Telemetry
import Transport
import Wire

/// Runs a job as processes: the scheduler here, every server and worker a child of this process with its own log, or
/// reached through one.
///
/// A child that dies ends the job and is named with the last lines of its log; children end when this process is gone,
/// however it ended (`Orphan`, `Lifeline`).
package final class Launcher {
    private let job: Job
    private let run: RunDirectory
    private let monitor: Monitor
    private let site: any LaunchSite
    private var children: [(member: Member, process: ChildProcess)] = []

    /// How many processes of one machine may be beginning at once: an ssh server turns more away (`MaxStartups`).
    private static let beginners = 8

    /// - Parameter site: where processes are started.
    package init(_ job: Job, run: RunDirectory, monitor: Monitor, on site: any LaunchSite) {
        self.job = job
        self.run = run
        self.monitor = monitor
        self.site = site
    }

    /// Runs the job to its end.
    package func run(resume: String?, started: (SchedulerNode) -> Void = { _ in }) throws {
        monitor.showsNodes = true
        let cluster = job.config.cluster
        try site.open()
        defer { site.close() }
        var meeting = MeetingPoint(scheduler: "\(site.endpoint)", run: run.path)
        var options = try SchedulerSetup.options(
            job, checkpoints: meeting.checkpoints, resume: resume.map { URL(filePath: $0).path })
        options.name = meeting.job
        let security = try site.security(run)
        let scheduler = try SchedulerSetup.node(
            job, options, on: meeting.scheduler, in: security.context, allowed: security.allowed, monitor: monitor)
        meeting.scheduler = scheduler.endpoint
        if site.patience != nil {
            monitor.say("scheduler listens on \(scheduler.endpoint) (\(security.words(for: site.endpoint)))")
        }
        started(scheduler)
        let members =
            (0..<cluster.servers).map { Member(role: .server, rank: $0) }
            + (0..<cluster.workers).map { Member(role: .worker, rank: $0) }
        for member in members { try start(member, meeting, scheduler.inbox) }
        scheduler.run()
        end(hasFailed: monitor.failure != nil)
    }

    private func start(_ member: Member, _ meeting: MeetingPoint, _ inbox: Inbox<SchedulerNode.Command>) throws {
        waitForTurn(on: site.host(of: member))
        let name = "\(member.role)-\(member.rank)"
        let site = site
        let child = try ChildProcess(name, site.command(for: member, meeting), log: "\(run.logs)/\(name).log") {
            inbox.post(.saw(site.evidence(of: $0, member)))
        }
        children.append((member, child))
        guard let patience = site.patience else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + patience / .seconds(1)) {
            guard child.isRunning, !site.hasBegun(log: child.log) else { return }
            inbox.post(.saw(site.evidence(ofMissing: member, log: child.log)))
            child.kill()
        }
    }

    /// Waits until few enough processes are beginning on a machine.
    private func waitForTurn(on host: String) {
        let deadline = ContinuousClock.now + (site.patience ?? .zero)
        while .now < deadline {
            let beginning = children.filter {
                site.host(of: $0.member) == host && $0.process.isRunning && !site.hasBegun(log: $0.process.log)
            }
            guard beginning.count >= Self.beginners else { return }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Waits for the children to leave by themselves, then makes them; after a failure some cannot.
    private func end(hasFailed: Bool) {
        wait(.seconds(hasFailed ? 3 : 10))
        for (_, child) in children { child.letGo() }
        if site.patience != nil {
            wait(.seconds(2))
            let late = children.filter(\.process.isRunning)
            let site = site
            DispatchQueue.concurrentPerform(iterations: late.count) {
                site.kill(late[$0].member, log: late[$0].process.log)
            }
        }
        for (_, child) in children { child.kill() }
        for (_, child) in children { child.join() }
    }

    private func wait(_ patience: Duration) {
        let deadline = ContinuousClock.now + patience
        var waits = WaitClock(who: "launcher")
        while .now < deadline {
            let late = children.map(\.process).filter(\.isRunning).map(\.name)
            guard !late.isEmpty else { break }
            waits.begin("children", "\(late.joined(separator: ", ")) to end")
            for line in waits.lines() { StandardError.line(line) }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}

/// Ends a child process whose launcher is gone.
package enum Orphan {
    /// The environment variable that names the launcher's process.
    package static let variable = "MYRIAD_LAUNCHER"

    /// Whether this process was launched.
    package static var isWatching: Bool {
        ProcessInfo.processInfo.environment[variable].flatMap { Int32($0) } != nil
    }

    /// Watches the launcher from a thread of its own; does nothing in a process that was not launched.
    package static func watch() {
        guard let text = ProcessInfo.processInfo.environment[variable], let launcher = Int32(text) else { return }
        // Ctrl-C reaches the whole group; the launcher alone decides what it means.
        signal(SIGINT, SIG_IGN)
        let thread = Thread {
            while getppid() == launcher { Thread.sleep(forTimeInterval: 0.25) }
            StandardError.line("the launcher (process \(launcher)) is gone")
            exit(3)
        }
        thread.start()
    }
}
