import Display
import Foundation
import Scheduler
import Telemetry
import Wire

/// A run that says it goes on although nobody answers for it any more.
enum Abandonment {
    /// A scheduler leaves its status every ten seconds: one that did not for so long is gone, or as good as gone.
    static let patience = 30.0

    /// The status as the scheduler would have closed it, had it come to that; nil while it may still be at work.
    ///
    /// - Parameters:
    ///   - status: its last one.
    ///   - patience: seconds without news after which it is given up even if its process cannot be looked at.
    static func closed(_ status: ClusterStatus, at now: Double, patience: Double = patience) -> ClusterStatus? {
        guard !status.isOver else { return nil }
        let scheduler = status.nodes.first { $0.role == "scheduler" }
        let host = scheduler?.host ?? ""
        let pid = scheduler?.pid ?? 0
        let process = ProcessState.of(pid: pid, host: host)
        let silence = max(0, now - status.time)
        guard process == .gone || silence > patience else { return nil }
        let (how, cause) = FailureDiagnosis.silence(process, pid: pid, host: host, seconds: Int(bounded: silence))
        let news = "no news since \(Quantity.clock(status.time)) (\(Int(bounded: silence)) s): the scheduler "
        // A process that exists, or may, has only fallen silent.
        let what = news + (process == .gone ? how : "is gone or cannot be reached; it \(how)")
        var closed = status
        closed.failure = FailureReport(
            time: status.time, cause: cause, first: "scheduler", host: host, pid: pid, what: what,
            remedy: FailureDiagnosis.remedy(cause, what: what, pid: pid), step: status.job.step)
        closed.job.state = .failed
        closed.job.reason = what
        closed.job.ended = status.time
        for index in closed.nodes.indices where closed.nodes[index].state != .done {
            closed.nodes[index].state = .lost
            closed.nodes[index].silentSeconds += silence
            closed.nodes[index].activity = ""
        }
        closed.events.append(
            EventStatus(time: status.time, kind: .lost, text: "the scheduler was last heard of", step: status.job.step))
        derive(&closed)
        return closed
    }

    /// What follows from the last reports after the end: means over training instead of the last seconds' rates.
    private static func derive(_ status: inout ClusterStatus) {
        var windows: [Member: ReportWindow] = [:]
        func count(_ role: Role) -> Int { status.nodes.count { $0.member?.role == role } }
        for node in status.nodes {
            guard let member = node.member else { continue }
            var report = NodeReport()
            report.time = status.time
            report.process = node.process
            report.warnings = node.warnings
            if member.role == .server {
                report.shards = status.shards.filter { $0.server == node.rank }.map(\.report)
            } else {
                report.worker = status.workers.first { $0.rank == node.rank }?.report
            }
            guard !report.shards.isEmpty || report.worker != nil else { continue }
            windows[member, default: ReportWindow()].add(report)
        }
        let servers = count(.server)
        let shape = (servers, servers > 0 ? status.shards.count / servers : 0, count(.worker))
        StatusDerivation(windows: windows, shape: shape, trainingStarted: status.job.trainingStarted)
            .fill(&status, waits: [])
    }
}
