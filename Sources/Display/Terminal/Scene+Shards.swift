package import Telemetry

/// By what shards are ordered.
package enum ShardOrder: String, CaseIterable, Sendable {
    case number, rows, traffic, latency, busy

    /// The one after it, round and round.
    package var next: ShardOrder {
        let all = ShardOrder.allCases
        return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
    }

    /// Largest first; by number from 0.
    func sorted(_ shards: [ShardStatus]) -> [ShardStatus] {
        func key(_ shard: ShardStatus) -> Double {
            switch self {
            case .number: -Double(shard.report.shard)
            case .rows: Double(shard.report.rows)
            case .traffic: shard.receivedBytesPerSecond + shard.sentBytesPerSecond
            case .latency: shard.report.pullSeconds.p99
            case .busy: shard.busy
            }
        }
        return shards.sorted { (key($0), $1.report.shard) > (key($1), $0.report.shard) }
    }
}

/// Shards: a row each, how evenly the work is spread, what waits, and everything of one.
extension Scene {
    /// The table, the skew and the waits.
    package var shards: [Line] { shards(by: .number) + balance + parked() }

    /// The table alone.
    package func shards(by order: ShardOrder) -> [Line] { table(ShardColumns.main, order.sorted(status.shards)) }

    /// "skew: rows 1.00 …  hot: id 42 of item …".
    package var balance: [Line] {
        let parts = status.skews.map { "\($0.name) \(Quantity.ratio($0.value))" }
        let skew = parts.isEmpty ? [] : paragraph("skew (largest/mean): " + parts.joined(separator: ", "))
        let hottest = status.tables.compactMap { table in table.hot.first.map { (table, $0) } }
            .max { $0.1.share < $1.1.share }
        guard let (table, hot) = hottest else { return skew }
        return skew
            + paragraph(
                "hot: id \(hot.id) of \(table.name) is \(Quantity.percent(hot.share)) of the ids in samples "
                    + "(shard \(hot.shard))")
    }

    /// Why pulls are parked, a line a shard.
    ///
    /// - Parameter least: seconds that the oldest has to have waited.
    package func parked(from least: Double = 0) -> [Line] {
        guard !status.isOver else { return [] }
        return status.shards.filter { !$0.waitsFor.isEmpty }.flatMap { shard -> [Line] in
            let longest = shard.report.parked.map(\.seconds).max() ?? 0
            guard longest >= least else { return [] }
            let seconds = longest > 0 ? " (\(Quantity.duration(longest)))" : ""
            return paragraph("shard \(shard.report.shard): \(shard.waitsFor)\(seconds)", .accent)
        }
    }

    /// Everything of one shard, every count in full: its figures, memory, tables, refusals and the workers' places.
    package func shard(_ shard: ShardStatus) -> [Line] {
        let report = shard.report
        let times = [
            ("pull", report.pullSeconds), ("push", report.pushSeconds), ("apply", report.applySeconds),
            ("parked", report.parkedSeconds),
        ].map { (name: $0.0, times: $0.1) }
        let places = report.workers.enumerated().map { rank, place in
            let lags = rank < status.lag.count ? status.lag[rank] : []
            return (rank: rank, lag: lags.indices.contains(report.shard) ? lags[report.shard] : -1, place: place)
        }
        let sections = [
            ("memory and tables", table(TableColumns.part, report.tables)),
            ("times, ms", table(EventColumns.times, times)), ("workers here", table(EventColumns.places, places)),
        ]
        let step = "server \(shard.server)  step \(Quantity.exact(report.step))  \(shard.endpoint)"
        return [title("shard \(report.shard)", shard.state.rawValue, step)] + labeled(figures(shard))
            + sections.flatMap { $1.count > 1 ? [Line(), Line($0, .dim)] + $1 : [] }
    }

    private func figures(_ shard: ShardStatus) -> KeyValuePairs<String, String> {
        let report = shard.report
        let missing = stride(from: 0, to: report.missing.count - 1, by: 2).map {
            "\(report.missing[$0])..<\(report.missing[$0 + 1])"
        }
        let stale = report.staleness.enumerated().map { ("\($0.offset) steps", $0.element) }
        let malformed = report.malformed.sorted { $0.key < $1.key }.map { ("worker \($0.key)", $0.value) }
        let parked = report.parked.map {
            "worker \($0.worker) for step \($0.step) since \(Quantity.duration($0.seconds))"
        }
        func list(_ counts: [(name: String, count: Int)]) -> String {
            counts.filter { $0.count > 0 }.map { "\($0.name): \(Quantity.exact($0.count))" }.joined(separator: ", ")
        }
        return [
            "pulls": "\(Quantity.exact(report.pulls)) (\(Quantity.rate(shard.pullsPerSecond))/s), "
                + "\(Quantity.exact(report.pulledRows)) rows, \(Quantity.exact(report.parkings)) had to wait",
            "pushes": "\(Quantity.exact(report.pushes)) (\(Quantity.rate(shard.pushesPerSecond))/s), "
                + "\(Quantity.exact(report.pushedRows)) rows, \(Quantity.exact(report.duplicates)) duplicates",
            "received": "\(Quantity.exact(report.receivedBytes)) B (pulls \(Quantity.bytes(report.pullBytes)), pushes "
                + "\(Quantity.bytes(report.pushBytes)); \(Quantity.megabytes(shard.receivedBytesPerSecond)) MB/s)",
            "sent": "\(Quantity.exact(report.sentBytes)) B (values \(Quantity.bytes(report.valueBytes)), other "
                + "\(Quantity.bytes(report.otherBytes)); \(Quantity.megabytes(shard.sentBytesPerSecond)) MB/s)",
            "dense": "\(Quantity.bytes(report.denseBytes)) of parameters",
            "busy": "\(Quantity.percent(shard.busy)): \(ShardColumns.shares(shard))",
            "queue": "\(report.queue) now, \(report.queuePeak) at most",
            "parked": parked.joined(separator: "; "),
            "waits": status.isOver ? "" : shard.waitsFor,
            "missing": status.isOver || missing.isEmpty
                ? "" : "micro-batches \(missing.joined(separator: ", ")) of \(report.microBatches)",
            "staleness": list(stale),
            "refused": list(report.refused.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }),
            "malformed": list(malformed + [("nobody knows whom", report.garbage)]),
            "checkpoint": report.checkpoint?.words(at: moment) ?? "",
        ]
    }
}
