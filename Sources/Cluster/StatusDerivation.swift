import Display
import Foundation
import Scheduler
import Telemetry
import Tensors
import Wire

/// What follows from the nodes' reports: rates, shares, skew, who waits for whom, what limits the job.
struct StatusDerivation {
    let windows: [Member: ReportWindow]
    let shape: (servers: Int, shards: Int, workers: Int)
    /// Seconds since 1970; 0 before the first step.
    let trainingStarted: Double

    /// Fills in all that is derived.
    func fill(_ status: inout ClusterStatus, waits: [WaitReport]) {
        let isOver = status.isOver
        // After the end the means over training are shown: the last seconds' rates would pass for something current.
        let lifetime = isOver && trainingStarted > 0 ? max(0.001, status.job.ended - trainingStarted) : nil
        for index in status.nodes.indices {
            guard let window = windows[status.nodes[index]], let report = window.newest
            else { continue }
            status.nodes[index].process = report.process
            status.nodes[index].warnings = report.warnings
            status.nodes[index].turnedAway = report.turnedAway
            status.nodes[index].cores = window.rate(lifetime: lifetime) { $0.process.processorSeconds }
        }
        status.shards = shards(status.nodes, lifetime)
        status.workers = workers(status.nodes, lifetime)
        if !status.workers.isEmpty, lifetime == nil {
            let rate = status.workers.reduce(0) { $0 + $1.samplesPerSecond }
            if rate > 0 { status.job.samplesPerSecond = rate }
        }
        if lifetime != nil { status.job.samplesPerSecond = status.job.meanSamplesPerSecond }
        status.tables = tables(status.shards)
        status.skew = skew(status.shards)
        status.lag = lag(status.shards)
        status.waits = isOver ? [] : allWaits(waits, at: status.time)
        status.limitedBy = Limitation.sentence(status)
    }

    // MARK: Shards

    private func shards(_ nodes: [NodeStatus], _ lifetime: Double?) -> [ShardStatus] {
        var shards: [ShardStatus] = []
        for node in nodes where node.role == "server" {
            guard let window = windows[node], let report = window.newest else {
                continue
            }
            for (place, shard) in report.shards.enumerated() {
                var status = ShardStatus()
                status.server = node.rank
                status.state = node.state
                status.endpoint = place < node.endpoints.count ? node.endpoints[place] : ""
                status.report = shard
                func rate(_ counter: (ShardReport) -> Double) -> Double {
                    window.rate(lifetime: lifetime) { $0.shards.count > place ? counter($0.shards[place]) : 0 }
                }
                status.pullsPerSecond = rate { Double($0.pulls) }
                status.pushesPerSecond = rate { Double($0.pushes) }
                status.pulledRowsPerSecond = rate { Double($0.pulledRows) }
                status.pushedRowsPerSecond = rate { Double($0.pushedRows) }
                status.receivedBytesPerSecond = rate { Double($0.receivedBytes) }
                status.sentBytesPerSecond = rate { Double($0.sentBytes) }
                status.gather = rate(\.gatherSeconds)
                status.merge = rate(\.mergeSeconds)
                status.update = rate(\.updateSeconds)
                status.write = rate(\.writeSeconds)
                status.busy = min(1, rate(\.busySeconds))
                status.waitsFor = waitsFor(shard)
                shards.append(status)
            }
        }
        return shards
    }

    /// "step 17 waits for micro-batches 4..<8 of worker 1".
    private func waitsFor(_ shard: ShardReport) -> String {
        guard !shard.parked.isEmpty, !shard.missing.isEmpty else { return "" }
        let ranges = stride(from: 0, to: shard.missing.count - 1, by: 2).compactMap { place -> Range<Int>? in
            let (first, end) = (shard.missing[place], shard.missing[place + 1])
            return first >= 0 && first < end && end <= shard.microBatches ? first..<end : nil
        }
        guard !ranges.isEmpty, shard.microBatches < 1 << 40 else { return "" }
        let owners = (0..<shape.workers).filter { rank in
            let block = Subtree.block(rank, of: shape.workers, over: shard.microBatches)
            return ranges.contains { $0.overlaps(block) }
        }
        let parts = ranges.prefix(4).map { $0.count == 1 ? "\($0.lowerBound)" : "\($0)" }.joined(separator: ", ")
        let workers = owners.prefix(8).map(String.init).joined(separator: ", ")
        return "step \(shard.step.plus(1)) waits for micro-batches \(parts) of worker \(workers)"
            + (owners.count > 8 ? " and \(owners.count - 8) more" : "")
    }

    // MARK: Workers

    private func workers(_ nodes: [NodeStatus], _ lifetime: Double?) -> [WorkerStatus] {
        nodes.filter { $0.role == "worker" }.compactMap { node in
            guard let window = windows[node], let report = window.newest?.worker
            else { return nil }
            var status = WorkerStatus()
            status.rank = node.rank
            status.state = node.state
            status.host = node.host
            status.report = report
            func rate(_ counter: (WorkerReport) -> Double) -> Double {
                window.rate(lifetime: lifetime) { $0.worker.map(counter) ?? 0 }
            }
            status.samplesPerSecond = rate { Double($0.samples) }
            status.sentBytesPerSecond = rate { Double($0.sentBytes) }
            status.receivedBytesPerSecond = rate { Double($0.receivedBytes) }
            let times = (rate(\.readSeconds), rate(\.waitSeconds), rate(\.computeSeconds), rate(\.pushSeconds))
            let all = times.0 + times.1 + times.2 + times.3
            if all > 0 {
                (status.read, status.wait, status.compute, status.push) =
                    (times.0 / all, times.1 / all, times.2 / all, times.3 / all)
            }
            let blocked = report.waitByShard.indices.map { shard in
                rate { $0.waitByShard.count > shard ? $0.waitByShard[shard] : 0 }
            }
            let waited = blocked.reduce(0, +)
            status.blockedBy = blocked.map { waited > 0 ? $0 / waited : 0 }
            return status
        }
    }

    /// Steps by which each worker lags at each shard, by the shards' numbers: some may have told nothing yet.
    private func lag(_ shards: [ShardStatus]) -> [[Int]] {
        let reports = Dictionary(shards.map { ($0.report.shard, $0.report) }) { $1 }
        let count = reports.keys.filter { (0..<65_536).contains($0) }.max().map { $0 + 1 } ?? 0
        return (0..<shape.workers).map { rank in
            (0..<count).map { number in
                guard let report = reports[number], rank < report.workers.count, report.workers[rank].pulled > 0 else {
                    return -1
                }
                return max(0, report.step.plus(1).minus(report.workers[rank].pulled))
            }
        }
    }

    private func allWaits(_ scheduler: [WaitReport], at time: Double) -> [WaitStatus] {
        var waits = scheduler.map { WaitStatus(who: "scheduler", name: $0.name, seconds: $0.seconds, count: $0.count) }
        for (member, window) in windows {
            guard let report = window.newest else { continue }
            for wait in report.waits {
                waits.append(
                    WaitStatus(who: "\(member)", name: wait.name, seconds: wait.seconds, count: wait.count))
            }
        }
        return waits.sorted { ($1.seconds, $0.who) < ($0.seconds, $1.who) }
    }

    // MARK: Tables and balance

    private func tables(_ shards: [ShardStatus]) -> [TableStatus] {
        (shards.first?.report.tables ?? []).indices.map { TableStatus(summing: $0, of: shards) }
    }

    private func skew(_ shards: [ShardStatus]) -> Skew {
        func skew(_ value: (ShardStatus) -> Double) -> Double {
            let values = shards.map(value)
            let sum = values.reduce(0, +)
            return sum > 0 ? (values.max() ?? 0) * Double(values.count) / sum : 0
        }
        var all = Skew()
        all.rows = skew { Double($0.report.rows) }
        all.bytes = skew { Double($0.report.bytes.used) }
        all.pulledRows = skew { Double($0.report.pulledRows) }
        all.traffic = skew { Double($0.report.receivedBytes.plus($0.report.sentBytes)) }
        all.busy = skew(\.report.busySeconds)
        return all
    }
}

extension [Member: ReportWindow] {
    /// The reports of a node.
    subscript(node: NodeStatus) -> ReportWindow? { node.member.flatMap { self[$0] } }
}

extension NodeStatus {
    /// The node by role and rank; nil for the scheduler.
    var member: Member? {
        switch role {
        case "server": Member(role: .server, rank: rank)
        case "worker": Member(role: .worker, rank: rank)
        default: nil
        }
    }
}

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
