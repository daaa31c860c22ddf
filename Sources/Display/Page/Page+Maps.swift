import Telemetry

/// What a table does not show at a glance: shards by their load, workers' lags, and what happened when.
extension Page {
    /// Shards as cells of heat; nothing where a few are seen at once in the table.
    var strip: Markup {
        guard status.shards.count > 8 else { return "" }
        let cells: [Markup] = status.shards.map { shard in
            let report = shard.report
            let busy = Quantity.percent(shard.busy)
            let state = shard.state.isUp || shard.state == .done ? "" : shard.state.rawValue
            let parked = report.parked.isEmpty ? "" : "\(report.parked.count) parked"
            let hint =
                "shard \(report.shard) on server \(shard.server): busy \(busy), \(Quantity.count(report.rows)) rows, "
                + "\(Quantity.rate(shard.pullsPerSecond)) pulls/s\(shard.waitsFor.isEmpty ? "" : "; \(shard.waitsFor)")"
            return """
                <li class="cell \(Elements.heat(shard.busy)) \(state)" title="\(hint)">\(state.isEmpty ? "" : sheet.icon(state))\
                <b>\(report.shard)</b><span>\(busy)</span><small>\(state.isEmpty ? parked : state)</small></li>

                """
        }
        return "<ol class=\"strip\" aria-label=\"Shards by busy share\">\(cells)</ol>"
    }

    /// More cells than this are drawn by the script, and listed by their worst workers.
    private static let mostCells = 600

    /// How far each worker lags at each shard, and who waits for what.
    var lag: Markup {
        let shardCount = status.lag.map(\.count).max() ?? 0
        let isSmall = status.lag.count * shardCount <= Self.mostCells
        let matrix: Markup =
            status.lag.isEmpty || shardCount == 0
            ? "<p class=\"empty\">No worker has asked a shard yet.</p>" : isSmall ? cells(shardCount) : worst
        let list = sheet.table(
            "waits-table", "Who waits for whom", EventColumns.waits, status.waits,
            empty: "Nobody waits for anybody.")
        return """
            <div class="pair">
            \(sheet.section("lag", "Lag of workers at shards", note: "steps behind the newest push; - has not asked", matrix))\
            \(sheet.section("waits", "Who waits for whom", note: "longest first", list))</div>

            """
    }

    private func cells(_ shardCount: Int) -> Markup {
        let deepest = Double(max(4, status.lag.flatMap(\.self).max() ?? 0))
        let heads: [Markup] = (0..<shardCount).map { "<th scope=\"col\" class=\"n\">shard \($0)</th>" }
        let rows: [Markup] = status.lag.enumerated().map { rank, places in
            let cells: [Markup] = places.map { steps in
                let kind = steps < 0 ? "none" : Elements.heat(Double(steps) / deepest)
                return "<td class=\"cell \(kind)\">\(steps < 0 ? Quantity.none : String(steps))</td>"
            }
            return "<tr><th scope=\"row\">worker \(rank)</th>\(cells)</tr>\n"
        }
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="Lag"><table id="lag-table">
            <thead><tr><th scope="col"></th>\(heads)</tr></thead><tbody>
            \(rows)</tbody></table></div>

            """
    }

    /// A worker's lags at all shards.
    private typealias Lags = (rank: Int, steps: [Int])
    private static let lags: [Column<Lags>] = [
        .text("Worst", 0, { "worker \($0.rank)" }), .exact("Most", 0, { $0.steps.max() ?? 0 }),
        .text(
            "At", 0,
            { lags in lags.steps.max().flatMap { lags.steps.firstIndex(of: $0) }.map { "shard \($0)" } ?? Quantity.none
            }),
        Column("Mean") { lags, _ in
            let asked = lags.steps.filter { $0 >= 0 }
            return Cell(Quantity.ratio(Double(asked.total) / Double(max(1, asked.count))))
        },
    ]

    private var worst: Markup {
        let all: [Lags] = status.lag.enumerated().map { ($0.offset, $0.element) }
        let order = all.sorted { ($0.steps.max() ?? 0) > ($1.steps.max() ?? 0) }.prefix(12)
        return """
            <figure class="heatmap" data-heatmap data-keep><canvas role="img" \
            aria-label="Lag of every worker (down) at every shard (across)"></canvas><figcaption></figcaption></figure>
            \(sheet.table("lag-table", "The workers that lag most", Self.lags, Array(order)))
            """
    }

    /// What happened, along a line of time.
    var timeline: Markup {
        guard let first = status.events.first?.time, let last = status.events.last?.time else { return "" }
        let end = max(last, status.job.ended > 0 ? status.job.ended : status.time)
        let span = max(1, end - first)
        let kinds: [(name: String, of: Set<EventStatus.Kind>)] = [
            ("processes", [.joined, .restarted, .lost]), ("checkpoints", [.checkpoint]), ("evaluations", [.evaluated]),
            ("job", [.started, .finished, .stopped, .failed, .warning, .waiting]),
        ]
        let lanes: [Markup] = kinds.map { lane in
            let marks: [Markup] = status.events.filter { lane.of.contains($0.kind) }.map { event in
                """
                <svg class="mark \(event.kind.rawValue)" x="\(Quantity.fixed((event.time - first) / span * 100, 2))%" width="12" \
                height="12" overflow="visible"><title>\(Quantity.clock(event.time)) UTC \(event.text)</title>\
                <use href="#i-\(event.kind.rawValue)" x="-6" width="12" height="12"/></svg>
                """
            }
            return """
                <div class="lane"><span>\(lane.name)</span><svg class="track" width="100%" height="12">\(marks)</svg></div>

                """
        }
        return """
            <div class="timeline" aria-hidden="true">\(lanes)<div class="lane"><span></span><div class="ends">\
            <span>\(Quantity.clock(first)) UTC</span><span>\(Quantity.clock(end)) UTC</span></div></div></div>

            """
    }
}
