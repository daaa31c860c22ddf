import Telemetry

/// Workers: where their time goes and whom they wait for.
struct ReportWorkers {
    private let status: ClusterStatus

    init(_ status: ClusterStatus) { self.status = status }

    var markup: Markup {
        guard !status.workers.isEmpty else { return "" }
        return """
            <div class="grid2">
            <div><h3>Time</h3>\(time)</div>
            <div><h3>Work</h3>\(work)</div>
            <div><h3>Latency</h3>\(latency)</div>
            <div><h3>Waiting, by the shard that answered last</h3>\(waits)</div>
            </div>
            """
    }

    private func name(_ worker: WorkerStatus) -> Markup {
        worker.state == .lost ? "\(worker.rank) <span class=\"lost\">lost</span>" : "\(worker.rank)"
    }

    private func cells(_ report: WorkerReport) -> [Markup] {
        let parts: [Bars.Part] = [
            .init(name: "compute", value: report.computeSeconds, color: 2),
            .init(name: "wait", value: report.waitSeconds, color: 1),
            .init(name: "read", value: report.readSeconds, color: 0),
            .init(name: "push", value: report.pushSeconds, color: 3),
        ]
        let all = report.seconds
        return [Bars.stack(parts, of: all) { Figures.seconds($0) }]
            + parts.map { all > 0 ? "\(Figures.percent($0.value / all))" : "–" }
    }

    private var time: Markup {
        var rows = status.workers.map { [name($0)] + cells($0.report) }
        if rows.count > 1 {
            var sum = WorkerReport()
            for worker in status.workers {
                sum.readSeconds += worker.report.readSeconds
                sum.waitSeconds += worker.report.waitSeconds
                sum.computeSeconds += worker.report.computeSeconds
                sum.pushSeconds += worker.report.pushSeconds
            }
            rows.insert(["all"] + cells(sum), at: 0)
        }
        let titles = ["worker", "<share of its time", "compute", "wait", "read", "push"]
        // A folded table leaves the line of all workers in sight.
        let sum = rows.count > 32 ? Grid(titles, Array(rows.prefix(1))).markup : ""
        return """
            \(Bars.legend([("compute", 2), ("wait", 1), ("read", 0), ("push", 3)]))
            \(sum)\(Grid(titles, rows, summary: "time of workers").markup)
            """
    }

    private var work: Markup {
        let rows = status.workers.map { worker -> [Markup] in
            let report = worker.report
            return [
                name(worker), "\(worker.host)", "\(report.threads)", "\(Figures.whole(report.steps))",
                "\(Figures.short(Double(report.samples)))", "\(Figures.short(Double(report.scored)))",
                report.dedupFactor > 0 ? "\(Figures.fixed(report.dedupFactor, 2))" : "–",
                "\(Figures.bytes(report.receivedBytes))", "\(Figures.bytes(report.sentBytes))",
            ]
        }
        let titles = [
            "worker", "<host", "threads", "steps", "samples", "scored", "ids a row", "received", "sent",
        ]
        return Grid(titles, rows, summary: "work of workers").markup
    }

    private var latency: Markup {
        func figures(_ histogram: LatencyHistogram) -> [Markup] {
            guard histogram.count > 0 else { return ["–", "–", "–"] }
            return [histogram.p50, histogram.p99, histogram.max].map { "\(Figures.seconds($0))" }
        }
        let rows = status.workers.map {
            [name($0)] + figures($0.report.pullSeconds) + figures($0.report.stepSeconds)
        }
        let titles = ["worker", "pull p50", "p99", "max", "step p50", "p99", "max"]
        return Grid(titles, rows, summary: "latency of workers").markup
    }

    /// The three shards that each worker waited for longest.
    private var waits: Markup {
        let most = status.workers.flatMap(\.report.waitByShard).max() ?? 0
        let rows = status.workers.compactMap { worker -> [Markup]? in
            let waits = worker.report.waitByShard.enumerated().filter { $0.element > 0 }
                .sorted { ($0.element, $1.offset) > ($1.element, $0.offset) }
            guard let worst = waits.first else { return nil }
            let words = waits.prefix(3).map { "shard \($0.offset) \(Figures.seconds($0.element))" }
            return [
                name(worker), Bars.bar(worst.element, of: most, color: 1) { Figures.seconds($0) },
                "\(words.joined(separator: ", "))",
            ]
        }
        guard !rows.isEmpty else { return "<p class=\"soft\">Nobody waited for a shard.</p>" }
        return Grid(["worker", "<longest", "<for"], rows, summary: "waits of workers").markup
    }
}
