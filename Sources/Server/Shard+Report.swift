import Foundation
import Parameters
package import Telemetry
import Tensors
package import Wire

/// What a shard tells of itself.
extension Shard {
    /// Hot ids of a table in the reports of every second: what is shown, for a fraction of the cost of all.
    static let shownHotIds = 20

    /// A copy of its counters, and what it holds and waits for right now.
    ///
    /// - Parameter hotIds: so many of each table.
    package func report(hotIds: Int = HotIds.capacity) -> ShardReport {
        var report = statistics.report(of: tables, hotIds: hotIds)
        report.shard = options.shard
        report.step = step
        report.denseBytes = dense.bytes
        let now = ContinuousClock.now
        report.parked = parked.map {
            let header = $0.message.header
            return ParkedPull(
                worker: Int(header.rank), step: Int(header.step), seconds: $0.since.duration(to: now) / .seconds(1))
        }
        (report.missing, report.microBatches) = missing
        return report
    }

    /// Counts a message that was not even a header.
    package func countGarbage() { statistics.counts.garbage += 1 }

    /// So many messages were found waiting in one go.
    package func noteQueue(_ messages: Int) {
        statistics.counts.queue = messages
        statistics.counts.queuePeak = max(statistics.counts.queuePeak, messages)
    }

    /// Its part of a checkpoint is on disk.
    package func noteWritten(_ done: SnapshotDone, seconds: Double) {
        statistics.counts.writeSeconds += seconds
        statistics.counts.checkpoint = CheckpointReport(
            step: done.step, time: Date().timeIntervalSince1970, seconds: seconds, bytes: done.bytes)
    }

    /// The micro-batches that the next step lacks, as [first, after the last] pairs, and how many it has.
    private var missing: (ranges: [Int], microBatches: Int) {
        guard step < options.plan.lastStep else { return ([], 0) }
        let count = options.plan.microBatches(of: step + 1)
        var ranges: [Int] = []
        var next = 0
        for node in nodesHeld {
            let covered = node.covers(of: count)
            if next < covered.lowerBound { ranges += [next, covered.lowerBound] }
            next = max(next, covered.upperBound)
        }
        if next < count { ranges += [next, count] }
        return (ranges, count)
    }
}
