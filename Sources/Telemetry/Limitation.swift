import Foundation

/// The one sentence on top: what a faster one of would make the job faster.
///
/// In `sync` a step takes as long as its slowest worker, and everybody else waits for it: so the worker that waits least
/// names the limit by what it spends its time on. When even that one waits more than it does anything else, it is the
/// shard that is busiest; when no shard is busy either, a host whose processors are all in use; else what lies between.
package enum Limitation {
    /// "compute of worker 3 (91 %)".
    package static func sentence(_ status: ClusterStatus) -> String {
        switch status.job.state {
        case .waiting: return waitingSentence(status)
        case .finished, .stopped, .failed: break
        case .running:
            // While a split is scored, or a checkpoint written, the step itself limits nothing.
            if let wait = status.waits.first(where: { $0.who == "scheduler" && $0.seconds > 1 && isFelt($0, status) }) {
                return "\(wait.name) (\(Int(bounded: wait.seconds)) s)"
            }
        }
        let workers = status.workers.filter { $0.read + $0.wait + $0.compute + $0.push > 0 }
        guard let slowest = workers.min(by: { ($0.wait, $0.rank) < ($1.wait, $1.rank) }) else { return "" }
        let parts = [("compute", slowest.compute), ("read", slowest.read), ("push", slowest.push)]
        if let most = parts.max(by: { $0.1 < $1.1 }), most.1 >= slowest.wait {
            return "\(most.0) of worker \(slowest.rank) (\(percent(most.1)))"
        }
        if let shard = status.shards.max(by: { $0.busy < $1.busy }), shard.busy >= 0.5 {
            let parts = zip(["gathering rows", "merging pushes", "updating rows", "writing checkpoints"], shard.work)
            guard let most = parts.max(by: { $0.1.1 < $1.1.1 }) else { return "" }
            return "\(most.0) of shard \(shard.report.shard) (busy \(percent(shard.busy)))"
        }
        return fullHost(status) ?? "waiting between workers and shards (\(percent(slowest.wait)))"
    }

    /// "processors of node-a (1.9 of 2 busy)": of the fullest host, if less than a tenth of it is idle.
    private static func fullHost(_ status: ClusterStatus) -> String? {
        var cores: [String: Double] = [:]
        var processors: [String: Int] = [:]
        var counted: Set<String> = []
        // In `train` all nodes are one process.
        for node in status.nodes where counted.insert("\(node.host) \(node.pid)").inserted {
            cores[node.host, default: 0] += node.cores
            processors[node.host] = max(processors[node.host] ?? 0, node.process.processors)
        }
        let shares = cores.compactMap { host, used in
            processors[host].flatMap { $0 > 0 ? (host: host, used: used, all: $0) : nil }
        }
        guard
            let fullest = shares.max(by: { ($0.used / Double($0.all), $1.host) < ($1.used / Double($1.all), $0.host) }),
            fullest.used >= 0.9 * Double(fullest.all)
        else { return nil }
        let used = (min(fullest.used, Double(fullest.all)) * 10).rounded() / 10
        return "processors of \(fullest.host) (\(used) of \(fullest.all) busy)"
    }

    /// Whether a wait of the scheduler holds the workers up: most checkpoints are written while training goes on.
    private static func isFelt(_ wait: WaitStatus, _ status: ClusterStatus) -> Bool {
        guard wait.name.hasPrefix("parts of the checkpoint") else { return true }
        return status.workers.allSatisfy { worker in
            status.waits.contains { $0.who == "worker \(worker.rank)" && $0.seconds > 0.5 }
        }
    }

    private static func waitingSentence(_ status: ClusterStatus) -> String {
        let missing = status.nodes.filter { ($0.state == .waiting || $0.state == .lost) && $0.role != "scheduler" }
            .map { "\($0.role) \($0.rank)" }
        guard !missing.isEmpty else { return "" }
        return "waiting for " + missing.prefix(4).joined(separator: ", ")
            + (missing.count > 4 ? " and \(missing.count - 4) more" : "") + " to join"
    }

    private static func percent(_ share: Double) -> String { "\(Int(bounded: (share * 100).rounded())) %" }
}
