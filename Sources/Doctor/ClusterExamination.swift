package import Cluster
import Foundation
import Telemetry
import Transport
import Wire

/// What a running cluster tells of itself, and how fast its shards are reached from here.
package struct ClusterExamination: Codable, Sendable, Equatable {
    /// A worker's traffic, as it reports it.
    package struct Traffic: Codable, Sendable, Equatable {
        package var worker: Int
        /// MB a second with all shards over the last seconds.
        package var megabytesPerSecond: Double
        /// Share of its waiting in which each shard was the last to answer.
        package var blockedBy: [Double]
    }

    /// What was found.
    package var findings: [Finding] = []
    /// From this process, one for every shard.
    package var probes: [ShardProbe] = []
    /// By rank.
    package var workers: [Traffic] = []

    /// Asks a cluster.
    package init(_ source: StatusSource) throws {
        let began = Date().timeIntervalSince1970
        let status = try source.read().status
        let ended = Date().timeIntervalSince1970
        guard source.isLive else {
            findings.append(
                Finding(
                    "cluster", .fail, "the job is not running (\(status.job.state.rawValue) \(status.job.reason))",
                    remedy: "name the address of a running scheduler; `myriad report` shows a finished run"))
            return
        }
        findings.append(
            Finding(
                "cluster", .pass,
                "\(status.job.state.rawValue) at step \(status.job.step), limited by \(status.limitedBy)"))
        let context = try Context()
        for shard in status.shards where shard.endpoint.contains("://") && !shard.endpoint.hasPrefix("inproc") {
            probes.append(
                try .measure(shard: shard.report.shard, endpoint: shard.endpoint, in: context))
        }
        for probe in probes where probe.megabytesPerSecond == nil {
            findings.append(
                Finding(
                    "shard \(probe.shard)", .fail, "\(probe.endpoint) does not answer from here",
                    remedy: "check the address that its server was given with --listen, and firewalls between"))
        }
        workers = status.workers.map {
            Traffic(
                worker: $0.rank, megabytesPerSecond: ($0.sentBytesPerSecond + $0.receivedBytesPerSecond) / 1e6,
                blockedBy: $0.blockedBy)
        }
        findings.append(Self.skew(of: status, between: began, and: ended))
        for node in status.nodes where node.state == .lost {
            findings.append(
                Finding("\(node.role) \(node.rank)", .fail, "lost", remedy: "look at its log (`myriad logs`)"))
        }
    }

    /// The scheduler's clock against this one: a status is at most a second old when it is read.
    static func skew(of status: ClusterStatus, between began: Double, and ended: Double) -> Finding {
        let early = began - 2 - status.time
        let late = status.time - ended
        let skew = max(early, late, 0)
        let found =
            skew == 0
            ? "the scheduler's clock agrees with this one within 2 s"
            : String(format: "the scheduler's clock is %.1f s %@ this one", skew, late > early ? "before" : "behind")
        return Finding(
            "clock skew", skew > 1 ? .warn : .pass, found, remedy: "run an NTP client on every machine")
    }

    /// The matrix of speeds as a person reads it.
    package var matrix: [String] {
        guard !probes.isEmpty else { return [] }
        var lines = ["MB/s to shards and back (4 MiB, from this process; workers as they report, all shards together)"]
        lines.append("".padding(to: 12) + probes.map { "shard \($0.shard)".padding(to: 12) }.joined())
        lines.append(
            "doctor".padding(to: 12)
                + probes.map { ($0.megabytesPerSecond.map { "\(Int($0))" } ?? "-").padding(to: 12) }.joined())
        lines.append(
            "round trip".padding(to: 12)
                + probes.map { ($0.roundTrip.map { String(format: "%.2f ms", $0) } ?? "-").padding(to: 12) }.joined())
        for worker in workers {
            lines.append(
                "worker \(worker.worker)".padding(to: 12)
                    + String(format: "%.1f MB/s in all", worker.megabytesPerSecond))
        }
        return lines
    }
}
