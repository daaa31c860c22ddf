import Telemetry

/// The body of a control message: what its numbers may be, beyond what holds for those of any message (`TextBounds`).
protocol Checked: Codable {
    /// What makes no sense in it, in words; nil for nothing.
    var fault: String? { get }
}

/// Ranks, shards and partitions are 16 bits.
private let mostRanks = Int(UInt16.max)
/// Thirty years: whoever makes a duration of it stays within its range.
private let longestTime = 1e9

/// Nothing, unless a number is beyond its range.
private func beyond<N: Comparable>(_ name: String, _ found: N?, _ range: ClosedRange<N>) -> String? {
    guard let found, !range.contains(found) else { return nil }
    return "\(name) is \(found), allowed are \(range.lowerBound) to \(range.upperBound)"
}

private func beyond(step: Int?) -> String? { beyond("step", step, 0...JobPlan.mostSteps) }
private func beyond(rank: Int?) -> String? { beyond("rank", rank, 0...mostRanks) }
private func beyond(shard: Int) -> String? { beyond("shard", shard, 0...mostRanks) }
private func beyond(seconds: Double?) -> String? { beyond("seconds", seconds, 0...longestTime) }
private func many(_ name: String, _ count: Int, _ limit: Int) -> String? {
    beyond("number of \(name)", count, 0...limit)
}

extension Hello: Checked {
    var fault: String? {
        beyond(rank: wantedRank) ?? many("endpoints", endpoints.count, 4096) ?? beyond("pid", pid, 0...Int(Int32.max))
    }
}

extension Welcome: Checked {
    var fault: String? {
        beyond(rank: rank) ?? beyond("epoch", epoch, 0...Int(UInt32.max)) ?? beyond(step: resumeStep)
            ?? beyond("workers", workers, 0...mostRanks + 1) ?? beyond(seconds: silence) ?? many(
                "servers", servers.count, mostRanks + 1)
            ?? many("incarnations", incarnations.count, mostRanks + 1)
            ?? many("shards", servers.reduce(0) { $0 + $1.count }, mostRanks + 1)
    }
}

extension Ready: Checked { var fault: String? { beyond(seconds: seconds) } }
extension Heartbeat: Checked { var fault: String? { beyond(step: step) } }
extension Reached: Checked { var fault: String? { beyond(step: from) ?? beyond(step: step) } }
extension Verdict: Checked { var fault: String? { beyond(step: step) } }
extension Stop: Checked { var fault: String? { nil } }
extension Hold: Checked { var fault: String? { nil } }
extension Leaving: Checked { var fault: String? { nil } }
extension Refusal: Checked { var fault: String? { nil } }
extension Inspect: Checked { var fault: String? { nil } }
/// Only read by people.
extension Inspection: Checked { var fault: String? { nil } }

extension Progress: Checked {
    var fault: String? {
        beyond(step: step) ?? beyond("samples", samples, 0...Limits().samples)
            ?? [computeSeconds, waitSeconds, wireSeconds, readSeconds].lazy
            .compactMap { beyond("seconds", $0, -longestTime...longestTime) }.first
            ?? histogram.flatMap {
                many("bins", $0.negatives.count, 1 << 16)
                    ?? beyond("number of bins", $0.positives.count, $0.negatives.count...$0.negatives.count)
            }
    }
}

extension SnapshotRequest: Checked {
    var fault: String? { beyond(step: step) ?? (directory.isEmpty ? "no directory" : nil) }
}

extension SnapshotDone: Checked {
    var fault: String? {
        beyond(step: step) ?? beyond(shard: shard)
            ?? (file.contains("/") || ["", ".", ".."].contains(file) ? "'\(file)' is no name of a file" : nil)
            ?? many("partitions", partitions.count, mostRanks + 1)
            ?? partitions.lazy.compactMap { beyond("partition", $0, 0...mostRanks) }.first
            ?? many("tables", tables.count, Limits().tables)
    }
}

extension Failure: Checked {
    var fault: String? {
        beyond(rank: rank) ?? beyond(step: step) ?? beyond(step: checkpoint) ?? shard.flatMap { beyond(shard: $0) }
    }
}

extension ProbeWish: Checked {
    var fault: String? { beyond("worker", worker, 0...mostRanks) ?? beyond("seconds", seconds, 0...3600) }
}

extension ProbeResult: Checked {
    var fault: String? {
        beyond("worker", worker, 0...mostRanks) ?? many("paths", paths.count, mostRanks + 1)
            ?? paths.lazy.compactMap { beyond(shard: $0.shard) }.first
    }
}

extension ScoresRange: Checked {
    // A position beyond 2^48 is no sample: whoever adds a count to it cannot overflow.
    var fault: String? {
        beyond(step: step) ?? beyond("first", first, 0...1 << 48) ?? beyond("count", count, 0...Limits().scores)
    }
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
