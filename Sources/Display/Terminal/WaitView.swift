package import Telemetry

/// Who waits for what, and how far each worker is behind at each shard.
package enum WaitView {
    /// Open waits, longest first; the lags of workers that are behind.
    package static func lines(_ status: ClusterStatus, width: Int) -> [Line] {
        var lines = table(status.waits, width: width)
        if lines.isEmpty { lines = Line.paragraph("nobody waits", width: width) }
        lines += ShardView.waits(status, width: width)
        return lines + lag(status, width: width)
    }

    /// The waits alone; nothing when there are none.
    package static func table(_ waits: [WaitStatus], width: Int) -> [Line] {
        guard !waits.isEmpty else { return [] }
        return TextTable(EventColumns.waits, waits).lines(width: width)
    }

    /// Steps by which each worker is behind at each shard, of those that are.
    static func lag(_ status: ClusterStatus, width: Int) -> [Line] {
        let behind = status.lag.enumerated().filter { $0.element.contains { $0 > 0 } }
        guard !behind.isEmpty, !status.isOver else { return [] }
        return [Line(), Line("steps behind, by shard", .dim).clipped(to: width)]
            + behind.flatMap { rank, lags in
                let places = lags.enumerated().filter { $0.element > 0 }.map { "shard \($0.offset): \($0.element)" }
                return Line.paragraph("worker \(rank): \(places.joined(separator: ", "))", width: width)
            }
    }
}
