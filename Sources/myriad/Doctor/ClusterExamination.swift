import Cluster
import Foundation
import Telemetry
import Transport
import Wire

/// What a running cluster tells of itself, and how fast bytes go between everybody and its shards.
struct ClusterExamination: Codable, Sendable, Equatable {
    /// What was found.
    var findings: [Finding] = []
    /// Who measured, this process first, then workers by rank.
    var ways = SpeedMatrix()

    /// Asks a cluster; `note` is told what goes on meanwhile.
    init(_ source: StatusSource, note: (String) -> Void = { _ in }) throws {
        let began = Date().timeIntervalSince1970
        var status = try source.read().status
        let ended = Date().timeIntervalSince1970
        // Just after the start the scheduler has not looked at its nodes yet; it does every second.
        for _ in 0..<20 where status.job.state == .running && status.nodes.contains(where: { $0.state == .waiting }) {
            Thread.sleep(forTimeInterval: 0.25)
            status = try source.read().status
        }
        guard source.isLive, [.waiting, .running].contains(status.job.state) else {
            let problem = "the job is not running (\(status.job.state.rawValue) \(status.job.reason))"
            let remedy = "name the address of a running scheduler; `myriad report` shows a finished run"
            findings = [
                Finding(
                    "cluster", .fail, problem, remedy: remedy)
            ]
            return
        }
        let standing = "\(status.job.state.rawValue) at step \(status.job.step), limited by \(status.limitedBy)"
        findings = [
            Finding(
                "cluster", .pass, standing), Self.skew(of: status, between: began, and: ended),
        ]
        findings += Self.skews(status)
        findings += status.nodes.filter { $0.state == .lost }.map {
            Finding("\($0.role) \($0.rank)", .fail, "lost", remedy: "look at its log (`myriad logs`)")
        }
        if status.job.state == .running {
            try measure(status, source, note)
        } else {
            let problem = "the job waits for its nodes, so nothing was measured"
            findings.append(Finding("speeds", .warn, problem, remedy: "ask again when training runs"))
        }
        findings += ways.findings
    }

    private mutating func measure(
        _ status: ClusterStatus, _ source: StatusSource, _ note: (String) -> Void
    ) throws {
        // Not from the shards' and workers' reports: with `monitor.statistics: false` there are none.
        let endpoints = status.nodes.filter { $0.role == "server" }.flatMap(\.endpoints)
        let workers = status.nodes.filter { $0.role == "worker" && $0.state.isUp }
        // Shards that encrypt let in nobody but the nodes of their job.
        let isOpen = status.job.isEncrypted != true
        let isReachable = isOpen && endpoints.allSatisfy { $0.contains("://") && !$0.hasPrefix("inproc") }
        if !isReachable {
            let why =
                isOpen
                ? "the shards are threads of one process (`train`), which only its own workers reach, not this doctor"
                : "the shards encrypt and let in the nodes of their job only, not this doctor"
            findings.append(
                Finding(
                    "speeds", .pass, why))
        }
        // What is slow may have been so for a moment: it is looked at again before it is told.
        for attempt in 0..<3 {
            let suspects = ways.suspects
            if attempt > 0, suspects.isEmpty { break }
            func isWanted(_ who: String) -> Bool { attempt == 0 || suspects.contains(who) }
            let again = attempt == 0 ? "" : " again"
            if isReachable, !endpoints.isEmpty, isWanted("doctor") {
                note("measuring the ways from here to \(endpoints.count) shards\(again)")
                ways.take(try ownRow(endpoints))
            }
            for worker in workers where isWanted("worker \(worker.rank)") {
                note("worker \(worker.rank) of \(workers.count) measures its ways to the shards\(again)")
                ways.take(try row(of: worker, status.workers.first { $0.rank == worker.rank }, source))
            }
        }
    }

    private func ownRow(_ endpoints: [String]) throws -> SpeedMatrix.Row {
        let identity = Header(
            .probe, role: .monitor, rank: 0, incarnation: .random(in: 1...UInt32.max), job: 0, epoch: 0)
        let paths = try ShardProbe.measure(
            endpoints.map { ShardWay(endpoint: $0) }, as: identity, seconds: ProbeWish.longest,
            in: try Context(isInsecure: true))
        return SpeedMatrix.Row(who: "doctor", host: ProcessInfo.processInfo.hostName, paths: paths)
    }

    private func row(
        of worker: NodeStatus, _ known: WorkerStatus?, _ source: StatusSource
    ) throws -> SpeedMatrix.Row {
        let result = try source.probe(worker: worker.rank)
        return SpeedMatrix.Row(
            who: "worker \(worker.rank)", host: worker.host, paths: result?.paths ?? [],
            problem: result == nil ? "gave no answer within 12 s" : result?.refusal,
            trafficMegabytesPerSecond: known.map { ($0.sentBytesPerSecond + $0.receivedBytesPerSecond) / 1e6 },
            blockedBy: known?.blockedBy)
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

    /// The nodes' clocks against the scheduler's.
    static func skews(_ status: ClusterStatus) -> [Finding] {
        let known = status.nodes.compactMap { node in node.clockSkewSeconds.map { (node: node, seconds: $0) } }
        let far = known.filter { abs($0.seconds) > 0.5 }
        guard !far.isEmpty else {
            guard let most = known.map({ abs($0.seconds) }).max() else { return [] }
            return [
                Finding(
                    "clock skew", .pass,
                    String(format: "%d nodes' clocks agree with the scheduler's within %.3f s", known.count, most))
            ]
        }
        return far.map { node, seconds in
            Finding(
                "clock skew", .warn,
                String(
                    format: "the clock of %@ %d on %@ is %.1f s %@ the scheduler's", node.role, node.rank, node.host,
                    abs(seconds), seconds > 0 ? "ahead of" : "behind"),
                remedy: "run an NTP client (chrony, systemd-timesyncd) on \(node.host): training does not mind, but "
                    + "times on page and in logs do not agree")
        }
    }
}
