import Telemetry

/// Evaluations, embedding tables with their hot ids, and the timeline.
enum ReportTables {
    /// Every split that was scored.
    static func evaluations(_ status: ClusterStatus) -> Markup {
        let rows = status.evaluations.map { found -> [Markup] in
            [
                "\(found.split)", "\(Figures.whole(found.step))", "\(Figures.whole(found.samples))",
                "\(Figures.metric(found.auc))\(found.isBest ? " ★" : "")", "\(Figures.metric(found.gauc))",
                "\(Figures.metric(found.logLoss))", "\(Figures.metric(found.calibration))",
                "\(Figures.date(found.time))",
            ]
        }
        let titles = ["<split", "step", "samples", "AUC", "GAUC", "log loss", "calibration", "<time"]
        guard !rows.isEmpty else { return "" }
        // A folded table leaves its end in sight.
        let last = rows.count > 32 ? Grid(titles, Array(rows.suffix(8))).markup : ""
        return """
            \(last)\(Grid(titles, rows, summary: "all evaluations").markup)
            <p class="soft">★ the best so far. Samples: trained on until then. Calibration: mean prediction over mean \
            label.</p>
            """
    }

    /// The embedding tables over all shards.
    static func tables(_ status: ClusterStatus) -> Markup {
        guard !status.tables.isEmpty else { return "" }
        let rows = status.tables.map { table -> [Markup] in
            [
                "<b>\(table.name)</b>", "\(table.width)", "\(Figures.whole(table.rows))",
                "\(Figures.bytes(table.bytes.used))", "\(Figures.short(Double(table.pulledRows)))",
                table.pulledRows > 0 ? "\(Figures.percent(Double(table.missedRows) / Double(table.pulledRows)))" : "–",
                "\(Figures.short(Double(table.updatedRows)))", "\(Figures.whole(table.refusedRows))",
                "\(Figures.short(table.distinct.rounded()))",
            ]
        }
        let titles = [
            "<table", "width", "rows", "bytes", "rows pulled", "not stored yet", "updated", "refused",
            "distinct ids ±2 %",
        ]
        return """
            \(Grid(titles, rows, summary: "tables").markup)
            <div class="grid2">\(status.tables.filter { !$0.hot.isEmpty }.map(hot))</div>
            """
    }

    /// The ids that most samples contain.
    private static func hot(_ table: TableStatus) -> Markup {
        let most = table.hot.map(\.share).max() ?? 0
        let rows = table.hot.prefix(20).map { place -> [Markup] in
            [
                "<code>\(place.id)</code>", Bars.bar(place.share, of: most) { Figures.percent($0) },
                "\(Figures.percent(place.share))", "\(Figures.whole(place.count))",
                place.error > 0 ? "−\(Figures.whole(place.error))" : "exact", "\(place.shard)",
            ]
        }
        let titles = ["<id", "<share of samples × ids", "share", "count", "error at most", "shard"]
        return "<div><h3>Hot ids of \(table.name)</h3>\(Grid(titles, Array(rows)).markup)</div>"
    }

    /// What happened, oldest first.
    static func events(_ status: ClusterStatus) -> Markup {
        let began = status.job.started > 0 ? status.job.started : status.events.first?.time ?? 0
        let rows = status.events.map { event -> [Markup] in
            let loud = event.kind == .failed || event.kind == .lost
            return [
                "\(Figures.seconds(max(0, event.time - began)))", "\(Figures.whole(event.step))",
                loud ? "<b class=\"lost\">\(event.kind.rawValue)</b>" : "\(event.kind.rawValue)",
                "<span class=\"text\">\(event.text)</span>",
            ]
        }
        let titles = ["after", "step", "<what", "<"]
        // The end tells most: it stays in sight.
        let last = rows.count > 32 ? Grid(titles, Array(rows.suffix(12))).markup : ""
        return "\(last)\(Grid(titles, rows, summary: "all events").markup)"
    }
}
