import Foundation

/// The one sentence on top: what a faster one of would make the job faster.
///
/// In `sync` a step takes as long as its slowest worker, and everybody else waits for it: so the worker that waits least
/// names the limit by what it spends its time on. When even that one waits for most of its time, it is the shard that is
/// busiest, and when no shard is busy either, what lies between them.
package enum Limitation {
    /// "compute of worker 3 (91 %)".
    package static func sentence(_ status: ClusterStatus) -> String {
        switch status.job.state {
        case .waiting: return waitingSentence(status)
        case .finished, .failed: break
        case .running:
            // While a split is scored, or a checkpoint written, the step itself limits nothing.
            if let wait = status.waits.first(where: { $0.who == "scheduler" && $0.seconds > 1 }) {
                return "\(wait.name) (\(Int(wait.seconds)) s)"
            }
        }
        let workers = status.workers.filter { $0.read + $0.wait + $0.compute + $0.push > 0 }
        guard let slowest = workers.min(by: { ($0.wait, $0.rank) < ($1.wait, $1.rank) }) else { return "" }
        if slowest.wait < 0.5 {
            let parts = [("compute", slowest.compute), ("read", slowest.read), ("push", slowest.push)]
            guard let most = parts.max(by: { $0.1 < $1.1 }) else { return "" }
            return "\(most.0) of worker \(slowest.rank) (\(percent(most.1)))"
        }
        if let shard = status.shards.max(by: { $0.busy < $1.busy }), shard.busy >= 0.5 {
            let parts = [
                ("gathering rows", shard.gather), ("merging pushes", shard.merge), ("updating rows", shard.update),
                ("writing checkpoints", shard.write),
            ]
            guard let most = parts.max(by: { $0.1 < $1.1 }) else { return "" }
            return "\(most.0) of shard \(shard.report.shard) (busy \(percent(shard.busy)))"
        }
        return "waiting between workers and shards (\(percent(slowest.wait)))"
    }

    private static func waitingSentence(_ status: ClusterStatus) -> String {
        let missing = status.nodes.filter { $0.state == .waiting && $0.role != "scheduler" }
            .map { "\($0.role) \($0.rank)" }
        guard !missing.isEmpty else { return "" }
        return "waiting for " + missing.prefix(4).joined(separator: ", ")
            + (missing.count > 4 ? " and \(missing.count - 4) more" : "") + " to join"
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
