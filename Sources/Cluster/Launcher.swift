package import Foundation
package import Job
package import Processes
package import Scheduler
import Telemetry
package import Transport
import Wire

/// Runs a job as processes: the scheduler here, every server and worker a child of this process with its own log, or
/// reached through one.
///
/// A child that dies ends the job and is named with the last lines of its log; children end when this process is gone,
/// however it ended (`Orphan`, `Lifeline`).
package enum Launcher {
    /// Runs a job to its end.
    ///
    /// - Parameters:
    ///   - site: where processes are started.
    ///   - resume: a checkpoint to start from.
    ///   - resetsOptimizer: whether its weights alone are taken.
    ///   - started: given the scheduler, so that a signal can end the job.
    package static func run(
        _ job: Job, in run: RunDirectory, monitor: Monitor, on site: any LaunchSite, resume: String? = nil,
        resetsOptimizer: Bool = false, started: (SchedulerNode) -> Void = { _ in }
    ) throws {
        monitor.showsNodes = true
        let cluster = job.config.cluster
        let members =
            (0..<cluster.servers).map { Member(role: .server, rank: $0) }
            + (0..<cluster.workers).map { Member(role: .worker, rank: $0) }
        defer { site.close() }
        var meeting = MeetingPoint(scheduler: "\(site.endpoint)", run: run.path)
        var options = try SchedulerSetup.options(
            job, checkpoints: meeting.checkpoints, resume: resume.map { URL(filePath: $0).path },
            resetsOptimizer: resetsOptimizer)
        options.name = meeting.job
        // Logins that are made one after the other take their time, and each has its own deadline.
        options.startTimeout += Crew.timeToStart(members, on: site)
        let security = try site.security(run)
        let scheduler = try SchedulerSetup.node(
            job, options, on: meeting.scheduler, in: security.context, allowed: security.allowed, monitor: monitor)
        meeting.scheduler = scheduler.endpoint
        if site is RemoteHosts {
            monitor.say("scheduler listens on \(scheduler.endpoint) (\(security.words(for: site.endpoint)))")
        }
        started(scheduler)
        let crew = Crew(site, meeting, logs: run.logs, inbox: scheduler.inbox)
        crew.start(members)
        scheduler.run()
        crew.end(hasFailed: monitor.failure != nil)
    }
}

/// Where a launcher starts the processes of a job: this machine, or others.
package protocol LaunchSite: Sendable {
    /// Where the scheduler is to listen.
    var endpoint: Endpoint { get }

    /// Takes away what it made for the processes, after the last has ended.
    func close()
    /// How the scheduler is protected.
    func security(_ run: RunDirectory) throws -> SchedulerSecurity
    /// How a server or worker is started, and what it is given to read; nil when it reads nothing.
    func command(for member: Member, _ meeting: MeetingPoint) -> (setup: Child.Setup, given: Data?)
    /// What the end of a process means.
    func evidence(of end: Child.End, _ member: Member, log: String) -> Evidence
}

/// What processes are told so that they find their job.
package struct MeetingPoint: Sendable {
    /// The scheduler's endpoint.
    package var scheduler: String
    /// The job's name.
    package var job: String
    /// The whole path of the directory of checkpoints.
    package var checkpoints: String

    /// Of a run; a process elsewhere, or in another directory, needs the whole path.
    package init(scheduler: String, run directory: String) {
        let path = URL(filePath: directory).path
        self.scheduler = scheduler
        job = (path as NSString).lastPathComponent
        checkpoints = path + "/checkpoints"
    }
}
