import Telemetry

/// Tables: what they hold, and which ids are hot.
extension Page {
    /// How many hot ids of a table are shown.
    private static let hotCount = 20

    /// All tables, then a list of hot ids each.
    var tables: Markup {
        let rows: [Markup] = status.tables.map { table in
            let distinct = max(0, Quantity.whole(table.distinct))
            let missed = table.pulledRows > 0 ? Double(table.missedRows) / Double(table.pulledRows) : 0
            return """
                <tr data-table="\(table.name)"><th scope="row">\(table.name)</th>\
                \(Elements.count(table.width, name: "width"))\(Elements.count(table.rows, name: "rows"))\
                \(Elements.number(Quantity.bytes(table.bytes.used), exactly: table.bytes.used, name: "bytes"))\
                \(Elements.number(Quantity.count(distinct), below: distinct > 0 ? "± 1.6 %" : ""))\
                \(Elements.count(table.pulledRows, name: "pulled_rows"))\
                \(Elements.count(table.missedRows, below: Quantity.percent(missed), name: "missed_rows"))\
                \(Elements.count(table.updatedRows, name: "updated_rows"))\
                \(Elements.fault(table.refusedRows, name: "refused_rows"))</tr>

                """
        }
        let list = Elements.table(
            "tables-table", "Tables",
            [
                .init("Table", number: false), .init("Width", "floats of a row"), .init("Rows"), .init("Memory"),
                .init("Distinct ids", "estimate of all ids ever pulled"), .init("Pulled rows"),
                .init("Missed", "pulled rows that were not stored: initial values were answered"),
                .init("Updated rows"), .init("Refused", "gradients dropped because the table is at its limit"),
            ], rows, empty: "No table is known yet.")
        let hot: [Markup] = status.tables.filter { !$0.hot.isEmpty }.map(hotIds)
        let lists: Markup = hot.isEmpty ? "" : "<div class=\"hot\">\(hot)</div>"
        return Elements.section("tables", "Tables and hot ids", "\(list)\(lists)")
    }

    private func hotIds(_ table: TableStatus) -> Markup {
        let places = table.hot.prefix(Self.hotCount)
        let most = max(1e-12, places.map(\.share).max() ?? 0)
        let rows: [Markup] = places.map { place in
            let error = place.error > 0 ? "− at most \(Quantity.count(place.error))" : ""
            return """
                <tr data-table="\(table.name)" data-id="\(place.id)" data-error="\(place.error)"><th scope="row" class="id">\(place.id)</th>\
                \(Elements.count(place.count, below: error, name: "count"))\
                <td class="n">\(Quantity.percent(place.share))\(bar(place.share / most))</td>\
                <td class="n" data-name="shard" data-value="\(place.shard)">\(place.shard)</td></tr>

                """
        }
        let total = Quantity.count(table.hotTotal)
        return """
            <div><h3 title="Ids are hashes where the dataset's are texts: their names are not kept.">\(table.name) <small data-table="\(table.name)" data-name="hot_total" data-value="\(table.hotTotal)">\(total) ids in samples</small></h3>
            \(Elements.table(
                "hot-\(table.name)", "Hot ids of \(table.name)",
                [
                    .init("Id", number: false), .init("Count", "samples that contain it, at most; below: by how much that may be too many"),
                    .init("Share", "of all ids in samples"), .init("Shard", "where it lives"),
                ], rows, empty: ""))</div>

            """
    }

    /// What a long run's status leaves out.
    private var older: String {
        let count = status.evaluationsLeftOut?.values.total ?? 0
        return count > 0 ? "; \(Quantity.grouped(count)) older ones are in metrics.jsonl" : ""
    }

    /// Splits that were scored.
    var evaluations: Markup {
        let rows: [Markup] = status.evaluations.reversed().map { evaluation in
            let best: Markup = evaluation.isBest ? "<span class=\"best\">\(Elements.icon("evaluated"))best</span>" : ""
            return """
                <tr data-step="\(evaluation.step)" data-time="\(String(evaluation.time))" data-auc="\(evaluation.auc.map { String($0) } ?? "")" \
                data-log-loss="\(String(evaluation.logLoss))" data-split="\(evaluation.split)"><th scope="row">\(evaluation.split)</th>\(Elements.count(evaluation.step))\
                \(Elements.count(evaluation.samples))\(Elements.number(Quantity.metric(evaluation.auc)))\
                \(Elements.number(Quantity.metric(evaluation.gauc)))\(Elements.number(Quantity.metric(evaluation.logLoss)))\
                \(Elements.number(Quantity.metric(evaluation.calibration)))<td>\(best)</td></tr>

                """
        }
        return Elements.section(
            "evaluations", "Evaluations", note: "newest first\(older)",
            Elements.table(
                "evaluations-table", "Evaluations",
                [
                    .init("Split", number: false), .init("Step"), .init("Samples"), .init("AUC"),
                    .init("GAUC", "AUC of each user, weighted by samples"), .init("Log loss"),
                    .init("Calibration", "mean prediction by mean label: 1 is right"), .init("", number: false),
                ], rows, empty: "No split has been scored yet."))
    }
}
