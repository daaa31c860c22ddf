package import Telemetry

/// What should not have happened, and how often where.
package struct Fault: Sendable {
    /// What it is.
    let name: String
    /// How often in all.
    let count: Int
    /// Where, the most first.
    let place: String

    /// What is shown of it.
    package static let columns: [Column<Fault>] = [
        .text("Fault", 0, \.name), .count("Count", 0, \.count), .text("Where", 0, \.place, kind: .words),
    ]

    /// What is shown of a worker that sent what it should not have.
    package static let senders: [Column<(rank: Int, place: WorkerPlace)>] = [
        .text("Sender", 0, { "worker \($0.rank)" }), .fault("Duplicates", 0, \.place.duplicates),
        .fault("Malformed", 0, \.place.malformed),
    ]

    /// Workers of whom shards have counted duplicates or malformed messages.
    package static func senders(of status: ClusterStatus) -> [(rank: Int, place: WorkerPlace)] {
        var sums: [WorkerPlace] = []
        for shard in status.shards {
            for (rank, place) in shard.report.workers.enumerated() {
                if sums.count <= rank { sums.append(WorkerPlace()) }
                sums[rank].duplicates = sums[rank].duplicates.plus(place.duplicates)
                sums[rank].malformed = sums[rank].malformed.plus(place.malformed)
            }
        }
        return sums.enumerated().map { ($0.offset, $0.element) }.filter { $0.1.duplicates > 0 || $0.1.malformed > 0 }
    }

    /// All that have been counted.
    package static func all(of status: ClusterStatus) -> [Fault] {
        func byShard(_ name: String, _ count: (ShardReport) -> Int) -> Fault {
            sum(name, status.shards.map { ("shard \($0.report.shard)", count($0.report)) })
        }
        func byWorker(_ name: String, _ count: (WorkerReport) -> Int) -> Fault {
            sum(name, status.workers.map { ("worker \($0.rank)", count($0.report)) })
        }
        func byNode(_ name: String, _ count: (NodeStatus) -> Int) -> Fault {
            sum(name, status.nodes.map { ("\($0.role) \($0.rank)", count($0)) })
        }
        func byReason<Key: Comparable>(_ name: String, _ counts: [[Key: Int]], _ words: (Key) -> String) -> Fault {
            let sums = counts.reduce(into: [:]) { $0.merge($1) { $0.plus($1) } }
            return sum(name, sums.sorted { $0.key < $1.key }.map { (words($0.key), $0.value) })
        }
        return [
            byNode("processes lost") { $0.state == .lost ? 1 : 0 },
            byWorker("steps whose loss was not finite", \.nonfinite),
            byWorker("requests repeated after their deadline", \.retries),
            byShard("duplicates ignored", \.duplicates),
            byReason("messages refused by shards", status.shards.map(\.report.refused)) { $0 },
            byReason("requests of workers refused", status.workers.map(\.report.refused)) { $0 },
            byReason("malformed messages", status.shards.map(\.report.malformed)) {
                $0 < 0 ? "a rank that no worker has" : "worker \($0)"
            },
            byShard("messages without a readable header", \.garbage),
            sum("gradients refused by a full table", status.tables.map { ("table \($0.name)", $0.refusedRows) }),
            Fault(name: "checkpoints that could not be written", count: status.job.checkpointFailures, place: ""),
            byNode("warnings in logs", \.warnings),
        ].filter { $0.count > 0 }
    }

    /// Counts by place, in words; the largest first, no more than eight.
    private static func sum(_ name: String, _ counts: [(place: String, count: Int)]) -> Fault {
        let some = counts.filter { $0.count > 0 }.sorted { $0.count > $1.count }
        let words = some.prefix(8).map { "\($0.place) (\(Quantity.count($0.count)))" }
        let more = some.count > 8 ? ", and \(some.count - 8) more" : ""
        return Fault(name: name, count: some.total(\.count), place: words.joined(separator: ", ") + more)
    }
}
