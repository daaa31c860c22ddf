package import Telemetry

/// The ids that most samples contain, with how sure that is.
package enum HotIdView {
    /// The standard error of the count of distinct ids.
    static let distinctError = 0.016

    private static let columns: [TextTable.Column] = [
        .number("#", 50), .number("ID", 100), .number("COUNT", 95), .number("ERROR", 60), .number("SHARE", 90),
        .number("SHARD", 80),
    ]

    /// A table's head and its ids.
    package static func lines(_ table: TableStatus, count: Int, width: Int) -> [Line] {
        var lines = Line.paragraph(title(table), .plain, width: width)
        let rows = table.hot.prefix(count).enumerated().map { place, hot in
            [
                Span(String(place + 1)), Span(hot.id), Span(Quantity.exact(hot.count)),
                Span(hot.error == 0 ? "exact" : "≤ \(Quantity.exact(hot.error))"), Span(Quantity.percent(hot.share)),
                Span(String(hot.shard)),
            ]
        }
        guard !rows.isEmpty else { return lines + Line.paragraph("no id was counted yet", width: width) }
        lines += TextTable(columns, rows).lines(width: width)
        return lines
    }

    /// "item: ~1.24 M distinct ids (± 1.6 %), …".
    static func title(_ table: TableStatus) -> String {
        let distinct = Quantity.count(max(0, Int(bounded: table.distinct.rounded())))
        return "\(table.name): ~\(distinct) distinct ids pulled (± \(Quantity.percent(distinctError)) standard error), "
            + "\(Quantity.count(table.rows)) rows stored, \(Quantity.count(table.hotTotal)) ids counted in samples"
    }
}
