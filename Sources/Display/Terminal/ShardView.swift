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

    /// The table, the skew and the waits.
    package static func lines(_ status: ClusterStatus, at moment: Moment, width: Int) -> [Line] {
        table(status, order: .number, at: moment, width: width) + balance(status, width: width)
            + waits(status, width: width)
    }

    /// The table alone.
    package static func table(_ status: ClusterStatus, order: Order, at moment: Moment, width: Int) -> [Line] {
        TextTable(ShardColumns.main, sorted(status.shards, by: order), Context(status, at: moment)).lines(width: width)
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

    /// "skew: rows 1.00 …  hot: id 42 of item …".
    package static func balance(_ status: ClusterStatus, width: Int) -> [Line] {
        let parts = status.skews.map { "\($0.name) \(Quantity.ratio($0.value))" }
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
