import Telemetry

/// The body of a control message: what its numbers may be, beyond what holds for those of any message (`TextBounds`).
protocol Checked: Codable, Sendable, Equatable {
    /// What makes no sense in it, in words; nil for nothing.
    var fault: String? { get }
}

extension Checked {
    var fault: String? { nil }
}

/// Ranks, shards and partitions are 16 bits.
let mostRanks = Int(UInt16.max)
/// Thirty years: whoever makes a duration of it stays within its range.
let longestTime = 1e9

/// Nothing, unless a number is beyond its range.
func beyond<N: Comparable>(_ name: String, _ found: N?, _ range: ClosedRange<N>) -> String? {
    guard let found, !range.contains(found) else { return nil }
    return "\(name) is \(found), allowed are \(range.lowerBound) to \(range.upperBound)"
}

func beyond(step: Int?) -> String? { beyond("step", step, 0...JobPlan.mostSteps) }
func beyond(rank: Int?) -> String? { beyond("rank", rank, 0...mostRanks) }
func beyond(shard: Int) -> String? { beyond("shard", shard, 0...mostRanks) }
func beyond(seconds: Double?) -> String? { beyond("seconds", seconds, 0...longestTime) }
func many(_ name: String, _ count: Int, _ limit: Int) -> String? {
    beyond("number of \(name)", count, 0...limit)
}

extension NodeReport: Checked {
    var fault: String? {
        many("shards", shards.count, 4096) ?? many("waits", waits.count, 4096)
            ?? shards.lazy.compactMap(\.fault).first
            ?? worker.flatMap {
                beyond(step: $0.step) ?? many("shards", $0.waitByShard.count, mostRanks + 1)
                    ?? beyond("threads", $0.threads, 0...mostRanks)
            }
    }
}

extension ShardReport {
    fileprivate var fault: String? {
        beyond(shard: shard) ?? beyond(step: step) ?? many("tables", tables.count, Limits().tables)
            ?? many("workers", workers.count, mostRanks + 1) ?? many("steps of staleness", staleness.count, 64)
            ?? beyond("micro-batches", microBatches, 0...mostRanks) ?? beyond(step: checkpoint?.step)
            ?? (missing.count.isMultiple(of: 2) && missing == missing.sorted() && (missing.last ?? 0) <= microBatches
                ? nil : "missing micro-batches are no ranges")
    }
}
