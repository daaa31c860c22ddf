import Telemetry

/// Shards: who is hot, what each holds, and why it holds pulls back.
extension Page {
    private static let columns: [Elements.Column] = [
        .init("Shard", "number and server", number: false), .init("Rows", "of all tables"),
        .init("Memory", "rows of all tables and the dense slice, without free room"),
        .init("Weights"), .init("Optimizer"), .init("Index", "index and counts"), .init("Dense"),
        .init("Pulls/s", "below: rows a second"), .init("Pushes/s", "below: rows a second"),
        .init("In/s", "bytes received; below: in all"), .init("Out/s", "bytes sent; below: in all"),
        .init("Pull p50", "from a pull's arrival or release to its answer; below: 99th percentile"),
        .init("Apply p99", "regularizing and updating once a step"),
        .init("Queue", "messages waiting; below: the most"),
        .init("Busy", "share of its thread's time that is work"), .init("Parked", "pulls that wait for a step"),
        .init("Step"), .init("Staleness", "steps that answers were behind, most often"),
        .init("Checkpoint", "age of its part"), .init("Waits for", number: false),
    ]

    /// The strip, the table, the skew.
    var shards: Markup {
        let cells: [Markup] = status.shards.map { shard in
            let report = shard.report
            let parked = report.parked.isEmpty ? "" : "\(report.parked.count) parked"
            let state = shard.state.isUp || shard.state == .done ? "" : shard.state.rawValue
            let hint =
                "shard \(report.shard) on server \(shard.server): busy \(Quantity.percent(shard.busy)), "
                + "\(Quantity.count(report.rows)) rows, \(Quantity.rate(shard.pullsPerSecond)) pulls/s"
                + (shard.waitsFor.isEmpty ? "" : "; \(shard.waitsFor)")
            let note = state.isEmpty ? parked : state
            let mark: Markup = state.isEmpty ? "" : Elements.icon(state)
            return """
                <li class="cell \(Elements.heat(shard.busy)) \(state)" title="\(hint)">\(mark)<b>\(report.shard)</b>\
                <span>\(Quantity.percent(shard.busy))</span><small>\(note)</small></li>

                """
        }
        // A few are seen at once in the table.
        let strip: Markup =
            cells.count <= 8 ? "" : "<ol class=\"strip\" aria-label=\"Shards by busy share\">\(cells)</ol>"
        return Elements.section(
            "shards", "Shards", note: skew,
            "\(strip)\(Elements.table("shards-table", "Shards", Self.columns, status.shards.map(row), empty: "No server has joined yet."))\(counters)"
        )
    }

    /// Largest over mean.
    private var skew: Markup {
        let skew = status.skew
        let parts = [
            ("rows", skew.rows), ("memory", skew.bytes), ("pulled rows", skew.pulledRows), ("traffic", skew.traffic),
            ("busy", skew.busy),
        ]
        let text: [Markup] = parts.map { name, value in
            "<span class=\"\(value >= 2 ? "bad" : "")\">\(name) <b>\(Quantity.ratio(value))</b>\(value >= 2 ? " !" : "")</span> "
        }
        return status.shards.count > 1 ? "skew, largest over mean: \(text)" : ""
    }

    private func row(_ shard: ShardStatus) -> Markup {
        let report = shard.report
        let bytes = report.bytes
        let used = bytes.used.plus(report.denseBytes)
        let stale = report.staleness.enumerated().max { $0.element < $1.element }
        let lag = (report.staleness.lastIndex { $0 > 0 }).map { "at most \($0)" } ?? ""
        let why = shard.waitsFor.isEmpty ? "" : shard.waitsFor
        let shares =
            "gather \(Quantity.percent(shard.gather)), merge \(Quantity.percent(shard.merge)), "
            + "update \(Quantity.percent(shard.update)), write \(Quantity.percent(shard.write))"
        return """
            <tr class="\(shard.state.rawValue)" data-shard="\(report.shard)"><th scope="row" title="server \(shard.server) \(shard.endpoint)">\(report.shard)\
            <small>\(Elements.state(shard.state.rawValue))</small></th>\
            \(Elements.count(report.rows, name: "rows"))\(memory(used, "memory"))\
            \(memory(bytes.weights, "weights"))\(memory(bytes.optimizer, "optimizer"))\
            \(memory(bytes.index.plus(bytes.counts), "index_and_counts"))\(memory(report.denseBytes, "dense_bytes"))\
            \(Elements.number(Quantity.rate(shard.pullsPerSecond), exactly: report.pulls, below: Quantity.rate(shard.pulledRowsPerSecond)))\
            \(Elements.number(Quantity.rate(shard.pushesPerSecond), exactly: report.pushes, below: Quantity.rate(shard.pushedRowsPerSecond)))\
            \(traffic(shard.receivedBytesPerSecond, report.receivedBytes))\(traffic(shard.sentBytesPerSecond, report.sentBytes))\
            \(Elements.number(Quantity.seconds(report.pullSeconds.p50), below: "p99 \(Quantity.seconds(report.pullSeconds.p99))"))\
            \(Elements.number(Quantity.seconds(report.applySeconds.p99)))\
            \(Elements.count(report.queue, below: "max \(Quantity.count(report.queuePeak))"))\
            <td class="n" title="\(shares)">\(Quantity.percent(shard.busy))\(bar(shard.busy))</td>\
            \(Elements.count(report.parked.count, below: report.parkings > 0 ? "\(Quantity.count(report.parkings)) in all" : ""))\
            \(Elements.count(report.step, name: "step"))\
            \(Elements.number(stale.map { $0.element > 0 ? String($0.offset) : "–" } ?? "–", below: lag))\
            \(Elements.number(report.checkpoint.map { age($0.time) } ?? "–", below: report.checkpoint.map { "step \($0.step)" } ?? ""))\
            <td class="words">\(why)</td></tr>

            """
    }

    /// Everything counted since a shard's start, a column each.
    private static let counters: [(title: String, hint: String, name: String, value: @Sendable (ShardReport) -> Int)] =
        [
            ("Pulls", "answered with values", "pulls", \.pulls), ("Pulled rows", "", "pulled_rows", \.pulledRows),
            ("Pushes", "held or applied", "pushes", \.pushes), ("Pushed rows", "", "pushed_rows", \.pushedRows),
            ("Pull bytes", "received, headers included", "pull_bytes", \.pullBytes),
            ("Push bytes", "received, headers included", "push_bytes", \.pushBytes),
            ("Value bytes", "sent in answers with values", "value_bytes", \.valueBytes),
            ("Other bytes", "sent in acknowledgements and refusals", "other_bytes", \.otherBytes),
            ("Parkings", "pulls that had to wait for a step", "parkings", \.parkings),
            ("Duplicates", "pushes of something already covered, ignored", "duplicates", \.duplicates),
            ("Refused", "messages, for any reason", "refused", { $0.refused.values.total }),
            ("Malformed", "messages of a known sender", "malformed", { $0.malformed.values.total }),
            ("Garbage", "messages without a readable header", "garbage", \.garbage),
        ]

    private var counters: Markup {
        guard !status.shards.isEmpty else { return "" }
        let rows: [Markup] = status.shards.map { shard in
            let cells: [Markup] = Self.counters.map { counter in
                let value = counter.value(shard.report)
                return """
                    <td class="n" data-name="\(counter.name)" data-value="\(value)">\(Quantity.grouped(value))</td>
                    """
            }
            return
                "<tr data-shard=\"\(shard.report.shard)\"><th scope=\"row\">\(shard.report.shard)</th>\(cells)</tr>\n"
        }
        let columns =
            [Elements.Column("Shard", number: false)] + Self.counters.map { Elements.Column($0.title, $0.hint) }
        let table = Elements.table("counters-table", "Counters of shards", columns, rows, empty: "")
        return "<details><summary>Counters since the start, exactly</summary>\(table)</details>"
    }

    private func memory(_ bytes: Int, _ name: String) -> Markup {
        Elements.number(Quantity.bytes(bytes), exactly: bytes, name: name)
    }

    /// Bytes a second, and in all.
    func traffic(_ rate: Double, _ total: Int) -> Markup {
        Elements.number(Quantity.bytes(rate), exactly: total, below: Quantity.bytes(total))
    }

    /// A share as a bar below its number.
    func bar(_ share: Double) -> Markup {
        let width = Quantity.fixed(max(0, min(1, share.isFinite ? share : 0)) * 100, 1)
        return """
            <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">\
            <rect class="track" width="100" height="1"/><rect class="done" width="\(width)" height="1"/></svg>
            """
    }
}
