import Telemetry

/// What went wrong and was survived, and what was not.
struct ReportFaults {
    private let status: ClusterStatus

    init(_ status: ClusterStatus) { self.status = status }

    var markup: Markup {
        let found = faults.filter { $0.count > 0 }
        guard !found.isEmpty else {
            guard !status.shards.isEmpty || !status.nodes.isEmpty else { return "" }
            return "<p>None: nothing was lost, repeated, refused or malformed.</p>"
        }
        let rows = found.map { fault -> [Markup] in
            ["\(fault.name)", "\(Figures.whole(fault.count))", "<span class=\"text\">\(fault.place)</span>"]
        }
        return Grid(["<fault", "count", "<where"], rows, summary: "faults").markup
    }

    private struct Fault {
        let name: String
        let count: Int
        var place = ""
    }

    /// Counts by place, in words; the largest first, no more than eight.
    private static func sum(_ name: String, _ counts: [(place: String, count: Int)]) -> Fault {
        let some = counts.filter { $0.count > 0 }.sorted { $0.count > $1.count }
        let words = some.prefix(8).map { "\($0.place) (\(Figures.whole($0.count)))" }
        let more = some.count > 8 ? ", and \(some.count - 8) more" : ""
        return Fault(name: name, count: some.total(\.count), place: words.joined(separator: ", ") + more)
    }

    private func byShard(_ name: String, _ count: (ShardReport) -> Int) -> Fault {
        Self.sum(name, status.shards.map { ("shard \($0.report.shard)", count($0.report)) })
    }

    private func byWorker(_ name: String, _ count: (WorkerReport) -> Int) -> Fault {
        Self.sum(name, status.workers.map { ("worker \($0.rank)", count($0.report)) })
    }

    private func refusals(_ name: String, _ reports: [[String: Int]]) -> Fault {
        var sums: [String: Int] = [:]
        for report in reports { sums.merge(report) { $0.plus($1) } }
        return Self.sum(name, sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    private var faults: [Fault] {
        var malformed: [Int: Int] = [:]
        for shard in status.shards { malformed.merge(shard.report.malformed) { $0.plus($1) } }
        let lost = status.nodes.filter { $0.state == .lost }
        return [
            Self.sum("processes lost", lost.map { ("\($0.role) \($0.rank)", 1) }),
            byWorker("steps whose loss was not finite", \.nonfinite),
            byWorker("requests repeated after their deadline", \.retries),
            byShard("duplicates ignored", \.duplicates),
            refusals("messages refused by shards", status.shards.map(\.report.refused)),
            refusals("requests of workers refused", status.workers.map(\.report.refused)),
            Self.sum("malformed messages", malformed.sorted { $0.key < $1.key }.map { ("worker \($0.key)", $0.value) }),
            byShard("messages without a readable header", \.garbage),
            Self.sum("gradients refused by a full table", status.tables.map { ("table \($0.name)", $0.refusedRows) }),
            Fault(name: "checkpoints that could not be written", count: status.job.checkpointFailures),
            Self.sum("warnings in logs", status.nodes.map { ("\($0.role) \($0.rank)", $0.warnings) }),
        ]
    }
}
