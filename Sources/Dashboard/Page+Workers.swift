import Telemetry

/// Workers: where their time goes, how far each is, and for whom it waits.
extension Page {
    private static let columns: [Elements.Column] = [
        .init("Worker", "number and host", number: false),
        .init("Time", "shares over the last seconds: read, wait, compute, push", number: false),
        .init("Read"), .init("Wait"), .init("Compute"), .init("Push"), .init("Samples/s", "below: in all"),
        .init("Step", "in work; below: finished since its start"),
        .init("Step p50", "from one step's values to the next step's"), .init("Step p99"),
        .init("Pull p99", "from a pull to the last shard's values"),
        .init("Dedup", "ids that samples contain by row pulled"), .init("Out/s", "below: in all"),
        .init("In/s", "below: in all"), .init("Retries"), .init("Not finite", "steps whose loss was not finite"),
        .init("Blocked by", "the shard that most of its waiting was for", number: false),
    ]

    private static let legend: Markup = """
        <span class="key"><i class="read"></i>read</span> <span class="key"><i class="wait"></i>wait</span> \
        <span class="key"><i class="compute"></i>compute</span> <span class="key"><i class="push"></i>push</span>
        """

    /// A row a worker.
    var workers: Markup {
        Elements.section(
            "workers", "Workers", note: status.workers.isEmpty ? "" : Self.legend,
            Elements.table(
                "workers-table", "Workers", Self.columns, status.workers.map(row), empty: "No worker has joined yet."))
    }

    private func row(_ worker: WorkerStatus) -> Markup {
        let report = worker.report
        return """
            <tr class="\(worker.state.rawValue)" data-worker="\(worker.rank)"><th scope="row">\(worker.rank)\
            <small>\(Elements.state(worker.state.rawValue)) \(worker.host)</small></th>\
            <td class="time">\(shares(worker))</td>\
            \(share(worker.read, report.readSeconds))\(share(worker.wait, report.waitSeconds))\
            \(share(worker.compute, report.computeSeconds))\(share(worker.push, report.pushSeconds))\
            \(Elements.number(Quantity.rate(worker.samplesPerSecond), exactly: report.samples, below: Quantity.count(report.samples), name: "samples"))\
            \(step(report))\
            \(Elements.number(Quantity.seconds(report.stepSeconds.p50)))\
            \(Elements.number(Quantity.seconds(report.stepSeconds.p99), below: Quantity.seconds(report.stepSeconds.max)))\
            \(Elements.number(Quantity.seconds(report.pullSeconds.p99), below: Quantity.seconds(report.pullSeconds.max)))\
            \(Elements.number(report.dedupFactor > 0 ? "\(Quantity.ratio(report.dedupFactor))×" : "–"))\
            \(traffic(worker.sentBytesPerSecond, report.sentBytes))\
            \(traffic(worker.receivedBytesPerSecond, report.receivedBytes))\
            \(Elements.fault(report.retries, name: "retries"))\(Elements.fault(report.nonfinite, name: "nonfinite"))<td>\(blocker(worker))</td></tr>

            """
    }

    private func step(_ report: WorkerReport) -> Markup {
        """
        <td class="n" data-name="step" data-value="\(report.step)">\(Quantity.count(report.step))\
        <small data-name="steps" data-value="\(report.steps)">\(Quantity.count(report.steps)) done</small></td>
        """
    }

    private func share(_ share: Double, _ seconds: Double) -> Markup {
        Elements.number(Quantity.percent(share), below: Quantity.seconds(seconds))
    }

    private func shares(_ worker: WorkerStatus) -> Markup {
        let parts = [
            ("read", worker.read), ("wait", worker.wait), ("compute", worker.compute), ("push", worker.push),
        ]
        var left = 0.0
        let rects: [Markup] = parts.map { name, share in
            let width = max(0, min(100 - left, (share.isFinite ? share : 0) * 100))
            defer { left += width }
            return """
                <rect class="\(name)" x="\(Quantity.fixed(left, 2))" width="\(Quantity.fixed(width, 2))" height="1"/>
                """
        }
        let label = parts.map { "\($0.0) \(Quantity.percent($0.1))" }.joined(separator: ", ")
        return """
            <svg class="shares" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="\(label)">\
            <title>\(label)</title><rect class="track" width="100" height="1"/>\(rects)</svg>
            """
    }

    private func blocker(_ worker: WorkerStatus) -> String {
        guard let most = worker.blockedBy.enumerated().max(by: { $0.element < $1.element }), most.element > 0 else {
            return "–"
        }
        return "shard \(most.offset) (\(Quantity.percent(most.element)))"
    }

    /// More cells than this are drawn by the script, and listed by their worst workers.
    static let mostCells = 600

    /// How far each worker lags at each shard, and who waits for what.
    var lag: Markup {
        let shardCount = status.lag.map(\.count).max() ?? 0
        let isSmall = status.lag.count * shardCount <= Self.mostCells
        let matrix: Markup =
            status.lag.isEmpty || shardCount == 0
            ? "<p class=\"empty\">No worker has asked a shard yet.</p>"
            : isSmall ? cells(shardCount) : worst(shardCount)
        let waits: [Markup] = status.waits.map { wait in
            """
            <tr><th scope="row">\(wait.who)</th><td class="words">\(wait.name)</td>\
            \(Elements.number(Quantity.seconds(wait.seconds)))\(Elements.count(wait.count))</tr>

            """
        }
        let list = Elements.table(
            "waits-table", "Who waits for whom",
            [
                .init("Who", number: false), .init("Waits for", number: false), .init("For"),
                .init("Times", "how often since its start"),
            ], waits, empty: "Nobody waits for anybody.")
        return """
            <div class="pair">
            \(Elements.section("lag", "Lag of workers at shards", note: "steps behind the newest push; – has not asked", matrix))\
            \(Elements.section("waits", "Who waits for whom", note: "longest first", list))</div>

            """
    }

    private func cells(_ shardCount: Int) -> Markup {
        let worst = max(1, status.lag.flatMap(\.self).max() ?? 0)
        let rows: [Markup] = status.lag.enumerated().map { rank, places in
            let cells: [Markup] = places.map { steps in
                steps < 0
                    ? "<td class=\"cell none\">–</td>"
                    : "<td class=\"cell \(Elements.heat(Double(steps) / Double(max(4, worst))))\">\(steps)</td>"
            }
            return "<tr><th scope=\"row\">worker \(rank)</th>\(cells)</tr>\n"
        }
        let columns = [Elements.Column("", number: false)] + (0..<shardCount).map { Elements.Column("shard \($0)") }
        return Elements.table("lag-table", "Lag", columns, rows, empty: "")
    }

    private func worst(_ shardCount: Int) -> Markup {
        let order = status.lag.indices.sorted { (status.lag[$0].max() ?? 0) > (status.lag[$1].max() ?? 0) }.prefix(12)
        let rows: [Markup] = order.map { rank in
            let places = status.lag[rank].enumerated().filter { $0.element >= 0 }
            let most = places.max { $0.element < $1.element }
            let mean = Double(places.total(\.element)) / Double(max(1, places.count))
            return """
                <tr><th scope="row">worker \(rank)</th>\(Elements.count(most?.element ?? 0))\
                <td>\(most.map { "shard \($0.offset)" } ?? "–")</td>\(Elements.number(Quantity.fixed(mean, 1)))</tr>

                """
        }
        return """
            <figure class="heatmap" data-heatmap data-keep><canvas role="img" \
            aria-label="Lag of every worker (down) at every shard (across)"></canvas><figcaption></figcaption></figure>
            \(Elements.table(
                "lag-table", "The workers that lag most",
                [.init("Worst", number: false), .init("Most"), .init("At", number: false), .init("Mean")], rows, empty: ""))
            """
    }
}
