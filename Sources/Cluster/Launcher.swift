import Foundation
package import Job
package import Scheduler
import Telemetry
import Transport
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
