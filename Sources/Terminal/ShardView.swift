package import Telemetry

/// One row a shard, then how evenly the work is spread and what waits.
package enum ShardView {
    /// By what shards are ordered.
    package enum Order: String, CaseIterable, Sendable {
        case number, rows, traffic, latency, busy

        /// The one after it, round and round.
        package var next: Order {
            let all = Order.allCases
            return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
        }
    }

    private static let columns: [TextTable.Column] = [
        .number("SHARD", 100), .number("SERVER", 12), .text("STATE", 90), .text("ADDRESS", 8, shortest: 12),
        .number("STEP", 50), .number("ROWS", 95), .number("MEMORY", 88), .number("PULL/s", 80),
        .number("PUSH/s", 78), .number("IN MB/s", 60), .number("OUT MB/s", 62), .number("PULL p50/p99 ms", 76),
        .number("APPLY p99 ms", 58), .number("QUEUE", 70), .number("PARKED", 68), .number("STALE", 40),
        .number("LAG", 45), .number("BUSY", 85), .number("CHECKPOINT", 35), .number("DUP", 30),
        .number("MALFORMED", 28),
    ]

    /// The table, the skew and the waits.
    package static func lines(_ status: ClusterStatus, at moment: Moment, width: Int) -> [Line] {
        table(status, order: .number, at: moment, width: width) + balance(status, width: width)
            + waits(status, width: width)
    }

    /// The table alone.
    package static func table(_ status: ClusterStatus, order: Order, at moment: Moment, width: Int) -> [Line] {
        let rows = sorted(status.shards, by: order).map { row($0, status, at: moment) }
        return TextTable(columns, rows).lines(width: width)
    }

    /// Largest first; by number from 0.
    static func sorted(_ shards: [ShardStatus], by order: Order) -> [ShardStatus] {
        func key(_ shard: ShardStatus) -> Double {
            switch order {
            case .number: -Double(shard.report.shard)
            case .rows: Double(shard.report.rows)
            case .traffic: shard.receivedBytesPerSecond + shard.sentBytesPerSecond
            case .latency: shard.report.pullSeconds.p99
            case .busy: shard.busy
            }
        }
        return shards.sorted { (key($0), $1.report.shard) > (key($1), $0.report.shard) }
    }

    private static func row(_ shard: ShardStatus, _ status: ClusterStatus, at moment: Moment) -> [Span] {
        let report = shard.report
        let lag = status.lag.compactMap { $0.indices.contains(report.shard) ? $0[report.shard] : nil }.max() ?? -1
        let malformed = report.garbage.plus(report.malformed.values.total)
        return [
            Span(String(report.shard)), Span(String(shard.server)), Span(state: shard.state), Span(shard.endpoint),
            Span(Quantity.exact(report.step)), Span(Quantity.count(report.rows)),
            Span(Quantity.bytes(report.bytes.used.plus(report.denseBytes))),
            Span(Quantity.rate(shard.pullsPerSecond)), Span(Quantity.rate(shard.pushesPerSecond)),
            Span(Quantity.megabytes(shard.receivedBytesPerSecond)),
            Span(Quantity.megabytes(shard.sentBytesPerSecond)),
            Span(quantiles(report.pullSeconds)),
            Span(Quantity.milliseconds(report.applySeconds.p99)),
            Span(String(report.queue), report.queue > 100 ? .warning : .plain),
            Span(String(report.parked.count), report.parked.isEmpty ? .plain : .accent),
            Span(staleness(report.staleness)), Span(lag >= 0 ? String(lag) : Quantity.none),
            Span(Quantity.percent(shard.busy), shard.busy > 0.9 ? .warning : .plain),
            Span(report.checkpoint.map { moment.ago($0.time) } ?? Quantity.none),
            Span(fault: report.duplicates), Span(fault: malformed),
        ]
    }

    /// "0.21/0.94".
    static func quantiles(_ histogram: LatencyHistogram) -> String {
        guard histogram.count > 0 else { return Quantity.none }
        return "\(Quantity.milliseconds(histogram.p50))/\(Quantity.milliseconds(histogram.p99))"
    }

    /// Steps that 99 of 100 pulls were behind at most.
    static func staleness(_ counts: [Int]) -> String {
        let all = counts.total
        guard all > 0 else { return Quantity.none }
        var seen = 0
        for (steps, count) in counts.enumerated() {
            seen = seen.plus(count)
            if Double(seen) >= 0.99 * Double(all) { return String(steps) }
        }
        return String(counts.count - 1)
    }

    /// "skew: rows 1.00 …  hot: id 42 of item …".
    package static func balance(_ status: ClusterStatus, width: Int) -> [Line] {
        let skew = status.skew
        let parts = [
            ("rows", skew.rows), ("memory", skew.bytes), ("pulls", skew.pulledRows), ("traffic", skew.traffic),
            ("busy", skew.busy),
        ].filter { $0.1 > 0 }.map { "\($0.0) \(Quantity.ratio($0.1))" }
        var lines: [Line] = []
        if !parts.isEmpty {
            lines += Line.paragraph("skew (largest/mean): " + parts.joined(separator: ", "), width: width)
        }
        let hottest = status.tables.compactMap { table in table.hot.first.map { (table, $0) } }
            .max { $0.1.share < $1.1.share }
        if let (table, hot) = hottest {
            lines += Line.paragraph(
                "hot: id \(hot.id) of \(table.name) is \(Quantity.percent(hot.share)) of the ids in samples "
                    + "(shard \(hot.shard))", width: width)
        }
        return lines
    }

    /// Why pulls are parked, a line a shard.
    ///
    /// - Parameter least: seconds that the oldest has to have waited.
    package static func waits(_ status: ClusterStatus, from least: Double = 0, width: Int) -> [Line] {
        guard !status.isOver else { return [] }
        return status.shards.filter { !$0.waitsFor.isEmpty }.flatMap { shard -> [Line] in
            let longest = shard.report.parked.map(\.seconds).max() ?? 0
            guard longest >= least else { return [] }
            let seconds = longest > 0 ? " (\(Quantity.duration(longest)))" : ""
            return Line.paragraph("shard \(shard.report.shard): \(shard.waitsFor)\(seconds)", .accent, width: width)
        }
    }
}
