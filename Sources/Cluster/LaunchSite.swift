package import Foundation
package import Processes
package import Scheduler
package import Transport

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
