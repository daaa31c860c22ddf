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
        title.add(Span(state: shard.state))
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
        let shares = [
            ("gather", shard.gather), ("merge", shard.merge), ("update", shard.update), ("write", shard.write),
        ]
        .map { "\($0.0) \(Quantity.percent($0.1))" }.joined(separator: ", ")
        let missing = stride(from: 0, to: report.missing.count - 1, by: 2).map {
            "\(report.missing[$0])..<\(report.missing[$0 + 1])"
        }
        let malformed =
            report.malformed.sorted { $0.key < $1.key }.map { "worker \($0.key): \(Quantity.exact($0.value))" }
            + (report.garbage > 0 ? ["nobody knows whom: \(Quantity.exact(report.garbage))"] : [])
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
            ("busy", "\(Quantity.percent(shard.busy)): \(shares)"),
            ("queue", "\(report.queue) now, \(report.queuePeak) at most"),
            (
                "parked",
                report.parked.map {
                    "worker \($0.worker) for step \($0.step) since \(Quantity.duration($0.seconds))"
                }.joined(separator: "; ")
            ),
            ("waits", status.isOver ? "" : shard.waitsFor),
            (
                "missing",
                status.isOver || missing.isEmpty
                    ? ""
                    : "micro-batches \(missing.joined(separator: ", ")) of \(report.microBatches)"
            ),
            (
                "staleness",
                report.staleness.enumerated().filter { $0.element > 0 }
                    .map { "\($0.offset) steps: \(Quantity.exact($0.element))" }.joined(separator: ", ")
            ),
            (
                "refused",
                report.refused.sorted { $0.key < $1.key }
                    .map { "\($0.key): \(Quantity.exact($0.value))" }.joined(separator: ", ")
            ),
            ("malformed", malformed.joined(separator: ", ")),
            (
                "checkpoint",
                report.checkpoint.map {
                    "step \(Quantity.exact($0.step)), \(moment.ago($0.time)), \(Quantity.bytes($0.bytes)) in "
                        + Quantity.duration($0.seconds)
                } ?? ""
            ),
        ]
    }

    private static func tables(_ report: ShardReport, width: Int) -> [Line] {
        let columns: [TextTable.Column] = [
            .text("TABLE", 100, shortest: 12), .number("WIDTH", 40), .number("ROWS", 95), .number("WEIGHTS", 80),
            .number("OPTIMIZER", 75), .number("COUNTS", 60), .number("INDEX", 65), .number("SLACK", 50),
            .number("PULLED", 70), .number("MISSED", 55), .number("UPDATED", 68), .number("REFUSED", 30),
            .number("DISTINCT", 45),
        ]
        func memory(_ bytes: MemoryReport) -> [Span] {
            [bytes.weights, bytes.optimizer, bytes.counts, bytes.index, bytes.slack].map { Span(Quantity.bytes($0)) }
        }
        var rows = report.tables.map { table -> [Span] in
            [Span(table.name), Span(String(table.width)), Span(Quantity.exact(table.rows))] + memory(table.bytes) + [
                Span(Quantity.exact(table.pulledRows)), Span(Quantity.exact(table.missedRows)),
                Span(Quantity.exact(table.updatedRows)), Span(fault: table.refusedRows),
                Span("~" + Quantity.count(Int(bounded: table.distinct.rounded()))),
            ]
        }
        let empty = [Span](repeating: Span(Quantity.none), count: 5)
        let dense = [Span("(dense)"), Span(""), Span(Quantity.none), Span(Quantity.bytes(report.denseBytes))]
        rows.append(dense + [Span(Quantity.none)] + empty.dropLast(2) + [Span](repeating: Span(""), count: 5))
        return TextTable(columns, rows).lines(width: width)
    }

    private static func times(_ report: ShardReport, width: Int) -> [Line] {
        let columns: [TextTable.Column] = [
            .text("OF", 100), .number("COUNT", 80), .number("p50", 90), .number("p99", 95), .number("MAX", 85),
        ]
        let rows = [
            ("pull", report.pullSeconds), ("push", report.pushSeconds), ("apply", report.applySeconds),
            ("parked", report.parkedSeconds),
        ].map { name, histogram in
            [
                Span(name), Span(Quantity.exact(histogram.count)), Span(Quantity.milliseconds(histogram.p50)),
                Span(Quantity.milliseconds(histogram.p99)), Span(Quantity.milliseconds(histogram.max)),
            ]
        }
        return TextTable(columns, rows).lines(width: width)
    }

    private static func places(_ report: ShardReport, _ status: ClusterStatus, width: Int) -> [Line] {
        let columns: [TextTable.Column] = [
            .number("WORKER", 100), .number("PULLED STEP", 80), .number("PUSHED STEP", 85), .number("LAG", 70),
            .number("DUPLICATES", 50), .number("MALFORMED", 45),
        ]
        let rows = report.workers.enumerated().map { rank, place -> [Span] in
            let lags = rank < status.lag.count ? status.lag[rank] : []
            let lag = lags.indices.contains(report.shard) ? lags[report.shard] : -1
            return [
                Span(String(rank)), Span(Quantity.exact(place.pulled)), Span(Quantity.exact(place.pushed)),
                Span(lag >= 0 ? String(lag) : Quantity.none), Span(fault: place.duplicates),
                Span(fault: place.malformed),
            ]
        }
        return TextTable(columns, rows).lines(width: width)
    }
}
