package import Telemetry

/// Everything of one shard, every count in full.
package enum ShardDetail {
    /// Its figures, memory, tables, refusals and the workers' places.
    package static func lines(
        _ shard: ShardStatus, of status: ClusterStatus, at moment: Moment, width: Int
    ) -> [Line] {
        let report = shard.report
        var title = Line("shard \(report.shard)", .bold)
        title.add("  ")
        title.add(shard.state.rawValue, Tone(of: shard.state.rawValue))
        title.add("  server \(shard.server)  step \(Quantity.exact(report.step))  \(shard.endpoint)")
        var lines = [title.clipped(to: width)]
        for (label, text) in figures(shard, status, at: moment) where !text.isEmpty {
            lines += Line.labeled(label, text, width: width)
        }
        lines += section("memory and tables", tables(report, width: width))
        lines += section("times, ms", times(report, width: width))
        lines += section("workers here", places(report, status, width: width))
        return lines
    }

    private static func section(_ title: String, _ body: [Line]) -> [Line] {
        body.count > 1 ? [Line(), Line(title, .dim)] + body : []
    }

    private static func figures(_ shard: ShardStatus, _ status: ClusterStatus, at moment: Moment) -> [(String, String)]
    {
        let report = shard.report
        let missing = stride(from: 0, to: report.missing.count - 1, by: 2).map {
            "\(report.missing[$0])..<\(report.missing[$0 + 1])"
        }
        let stale = report.staleness.enumerated().map { ("\($0.offset) steps", $0.element) }
        let malformed = report.malformed.sorted { $0.key < $1.key }.map { ("worker \($0.key)", $0.value) }
        let parked = report.parked.map {
            "worker \($0.worker) for step \($0.step) since \(Quantity.duration($0.seconds))"
        }
        return [
            (
                "pulls",
                "\(Quantity.exact(report.pulls)) (\(Quantity.rate(shard.pullsPerSecond))/s), "
                    + "\(Quantity.exact(report.pulledRows)) rows, \(Quantity.exact(report.parkings)) had to wait"
            ),
            (
                "pushes",
                "\(Quantity.exact(report.pushes)) (\(Quantity.rate(shard.pushesPerSecond))/s), "
                    + "\(Quantity.exact(report.pushedRows)) rows, \(Quantity.exact(report.duplicates)) duplicates"
            ),
            (
                "received",
                "\(Quantity.exact(report.receivedBytes)) B (pulls \(Quantity.bytes(report.pullBytes)), pushes "
                    + "\(Quantity.bytes(report.pushBytes)); \(Quantity.megabytes(shard.receivedBytesPerSecond)) MB/s)"
            ),
            (
                "sent",
                "\(Quantity.exact(report.sentBytes)) B (values \(Quantity.bytes(report.valueBytes)), other "
                    + "\(Quantity.bytes(report.otherBytes)); \(Quantity.megabytes(shard.sentBytesPerSecond)) MB/s)"
            ),
            ("dense", "\(Quantity.bytes(report.denseBytes)) of parameters"),
            ("busy", "\(Quantity.percent(shard.busy)): \(ShardColumns.shares(shard))"),
            ("queue", "\(report.queue) now, \(report.queuePeak) at most"),
            ("parked", parked.joined(separator: "; ")),
            ("waits", status.isOver ? "" : shard.waitsFor),
            (
                "missing",
                status.isOver || missing.isEmpty
                    ? ""
                    : "micro-batches \(missing.joined(separator: ", ")) of \(report.microBatches)"
            ),
            ("staleness", list(stale)),
            ("refused", list(report.refused.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })),
            ("malformed", list(malformed + [("nobody knows whom", report.garbage)])),
            ("checkpoint", report.checkpoint?.words(at: moment) ?? ""),
        ]
    }

    private static func list(_ counts: [(name: String, count: Int)]) -> String {
        counts.filter { $0.count > 0 }.map { "\($0.name): \(Quantity.exact($0.count))" }.joined(separator: ", ")
    }

    private static func tables(_ report: ShardReport, width: Int) -> [Line] {
        TextTable(TableColumns.part, report.tables).lines(width: width)
    }

    private static func times(_ report: ShardReport, width: Int) -> [Line] {
        let rows = [
            ("pull", report.pullSeconds), ("push", report.pushSeconds), ("apply", report.applySeconds),
            ("parked", report.parkedSeconds),
        ].map { (name: $0.0, times: $0.1) }
        return TextTable(EventColumns.times, rows).lines(width: width)
    }

    private static func places(_ report: ShardReport, _ status: ClusterStatus, width: Int) -> [Line] {
        let rows = report.workers.enumerated().map { rank, place in
            let lags = rank < status.lag.count ? status.lag[rank] : []
            return (rank: rank, lag: lags.indices.contains(report.shard) ? lags[report.shard] : -1, place: place)
        }
        return TextTable(EventColumns.places, rows).lines(width: width)
    }
}
