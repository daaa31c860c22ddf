package import Telemetry

/// What is shown of an embedding table and of the ids that most samples contain.
package enum TableColumns {
    /// A table over all shards.
    package static let main: [Column<TableStatus>] = [
        .text("Table", 0, \.name), .count("Width", 0, \.width, hint: "floats of a row", name: "width"),
        .count("Rows", 0, \.rows, name: "rows"), .bytes("Memory", 0, \.bytes.used, name: "bytes"),
        Column("Distinct ids", hint: "estimate of all ids ever pulled") { table, _ in
            Cell(
                distinct(table.distinct),
                note: table.distinct > 0 ? "± \(Quantity.percent(DistinctCount.standardError))" : "")
        }, .count("Pulled rows", 0, \.pulledRows, name: "pulled_rows"),
        Column("Missed", hint: "pulled rows that were not stored: initial values were answered", name: "missed_rows") {
            table, _ in
            let share = table.pulledRows > 0 ? Double(table.missedRows) / Double(table.pulledRows) : 0
            return Cell(Quantity.count(table.missedRows), exact: table.missedRows, note: Quantity.percent(share))
        }, .count("Updated rows", 0, \.updatedRows, name: "updated_rows"),
        .fault("Refused", 0, \.refusedRows, hint: "gradients dropped: the table is at its limit", name: "refused_rows"),
    ]

    /// A hot id and its place in the list.
    package static let hot: [Column<(place: Int, id: HotPlace)>] = [
        Column("#", 50, isNarrow: true) { row, _ in Cell(String(row.place)) },
        Column("Id", 100, kind: .code) { row, _ in Cell(row.id.id) },
        Column(
            "Count", 95, hint: "samples that contain it; the error is by how many that may be too many", name: "count"
        ) { row, _ in
            let error = row.id.error
            return Cell(
                Quantity.exact(row.id.count), exact: row.id.count,
                note: error > 0 ? "error ≤ \(Quantity.exact(error))" : "")
        },
        Column("Error", 60, isNarrow: true) { row, _ in
            Cell(row.id.error == 0 ? "exact" : "≤ \(Quantity.exact(row.id.error))")
        },
        Column("Share", 90, hint: "of all ids in samples") { row, _ in
            .share(row.id.share, of: nil)
        },
        Column("Shard", 80, hint: "where it lives", name: "shard") { row, _ in
            Cell(String(row.id.shard), exact: row.id.shard)
        },
    ]

    /// The first hot ids of a table, numbered.
    package static func ranked(_ table: TableStatus, most: Int) -> [(place: Int, id: HotPlace)] {
        table.hot.prefix(most).enumerated().map { ($0.offset + 1, $0.element) }
    }

    /// A part of a table that one shard holds, and its memory by kind.
    package static let part: [Column<TableReport>] = [
        .text("Table", 100, \.name, shortest: 12), .count("Width", 40, \.width), .exact("Rows", 95, \.rows),
        .bytes("Weights", 80, \.bytes.weights), .bytes("Optimizer", 75, \.bytes.optimizer),
        .bytes("Counts", 60, \.bytes.counts), .bytes("Index", 65, \.bytes.index), .bytes("Slack", 50, \.bytes.slack),
        .exact("Pulled", 70, \.pulledRows), .exact("Missed", 55, \.missedRows), .exact("Updated", 68, \.updatedRows),
        .fault("Refused", 30, \.refusedRows),
        Column("Distinct", 45) { table, _ in Cell("~" + distinct(table.distinct)) },
    ]

    /// An estimate of distinct ids.
    package static func distinct(_ value: Double) -> String { Quantity.count(max(0, Int(bounded: value.rounded()))) }
}
