import Telemetry

/// Shards: how evenly rows, bytes, traffic and work lie on them.
struct ReportShards {
    private let status: ClusterStatus

    init(_ status: ClusterStatus) { self.status = status }

    var markup: Markup {
        guard !status.shards.isEmpty else { return "" }
        return """
            \(skew)
            <div class="grid2">
            <div><h3>Memory</h3>\(memory)</div>
            <div><h3>Traffic</h3>\(traffic)</div>
            <div><h3>Time</h3>\(time)</div>
            <div><h3>Pulls and pushes</h3>\(requests)</div>
            </div>
            <h3>Latency</h3>\(latency)
            """
    }

    private var skew: Markup {
        let skew = status.skew
        let parts = [
            ("rows", skew.rows), ("bytes", skew.bytes), ("pulled rows", skew.pulledRows), ("traffic", skew.traffic),
            ("busy time", skew.busy),
        ].filter { $0.1 > 0 }.map { "\($0.0) \(Figures.fixed($0.1, 2))" }
        return parts.isEmpty
            ? "" : "<p>Skew, largest over mean (1 is balance): <b>\(parts.joined(separator: " · "))</b></p>"
    }

    private func name(_ shard: ShardStatus) -> Markup {
        shard.state == .lost
            ? "\(shard.report.shard) <span class=\"lost\">lost</span>" : "\(shard.report.shard)"
    }

    private var memory: Markup {
        func parts(_ shard: ShardStatus) -> [Bars.Part] {
            let bytes = shard.report.bytes
            return [
                .init(name: "weights", value: Double(bytes.weights), color: 0),
                .init(name: "optimizer", value: Double(bytes.optimizer), color: 1),
                .init(name: "counts", value: Double(bytes.counts), color: 3),
                .init(name: "index", value: Double(bytes.index), color: 5),
                .init(name: "dense", value: Double(shard.report.denseBytes), color: 2),
            ]
        }
        let sums = status.shards.map { parts($0).reduce(0) { $0 + $1.value } }
        let most = sums.max() ?? 0
        let rows = zip(status.shards, sums).map { shard, sum -> [Markup] in
            [
                name(shard), "\(shard.server)", "\(Figures.whole(shard.report.rows))",
                Bars.stack(parts(shard), of: most) { Figures.bytes($0) }, "\(Figures.bytes(sum))",
            ]
        }
        return """
            \(Bars.legend([("weights", 0), ("optimizer", 1), ("counts", 3), ("index", 5), ("dense", 2)]))
            \(Grid(["shard", "server", "rows", "<bytes by kind", "bytes"], rows, summary: "memory of shards").markup)
            """
    }

    private var traffic: Markup {
        let most = status.shards.map { Double($0.report.receivedBytes.plus($0.report.sentBytes)) }.max() ?? 0
        let rows = status.shards.map { shard -> [Markup] in
            let report = shard.report
            let bar = Bars.stack(
                [
                    .init(name: "received", value: Double(report.receivedBytes), color: 0),
                    .init(name: "sent", value: Double(report.sentBytes), color: 4),
                ], of: most
            ) { Figures.bytes($0) }
            return [
                name(shard), bar, "\(Figures.bytes(report.receivedBytes))", "\(Figures.bytes(report.sentBytes))",
            ]
        }
        return """
            \(Bars.legend([("received", 0), ("sent", 4)]))
            \(Grid(["shard", "<bytes", "received", "sent"], rows, summary: "traffic of shards").markup)
            """
    }

    /// Thread time by kind, beside the busiest shard's.
    private var time: Markup {
        let job = status.job
        let elapsed = (job.ended > 0 ? job.ended : status.time) - job.trainingStarted
        let whole = job.trainingStarted > 0 && elapsed > 0 ? elapsed : 0
        let most = status.shards.map(\.report.busySeconds).max() ?? 0
        let rows = status.shards.map { shard -> [Markup] in
            let report = shard.report
            let parts: [Bars.Part] = [
                .init(name: "gather", value: report.gatherSeconds, color: 0),
                .init(name: "merge", value: report.mergeSeconds, color: 4),
                .init(name: "update", value: report.updateSeconds, color: 2),
                .init(name: "write", value: report.writeSeconds, color: 3),
            ]
            return [
                name(shard), Bars.stack(parts, of: most) { Figures.seconds($0) },
                "\(Figures.seconds(report.busySeconds))",
                "\(whole > 0 ? Figures.percent(report.busySeconds / max(whole, report.busySeconds)) : "–")",
            ]
        }
        return """
            \(Bars.legend([("gather", 0), ("merge", 4), ("update", 2), ("write", 3)]))
            \(Grid(["shard", "<busy, by kind", "busy", "share of training"], rows, summary: "time of shards").markup)
            """
    }

    private var requests: Markup {
        let rows = status.shards.map { shard -> [Markup] in
            let report = shard.report
            // The index is by how many steps an answer was behind.
            let stalest = report.staleness.lastIndex { $0 > 0 }
            return [
                name(shard), "\(Figures.short(Double(report.pulls)))", "\(Figures.short(Double(report.pulledRows)))",
                "\(Figures.short(Double(report.pushes)))", "\(Figures.short(Double(report.pushedRows)))",
                "\(Figures.short(Double(report.parkings)))", "\(Figures.whole(report.queuePeak))",
                "\(stalest.map { "\($0)" } ?? "–")",
            ]
        }
        let titles = ["shard", "pulls", "rows", "pushes", "rows", "parked", "longest queue", "stalest, steps"]
        return Grid(titles, rows, summary: "requests of shards").markup
    }

    private var latency: Markup {
        let all = status.shards.map(\.report)
        let most = all.map(\.pullSeconds.p99).max() ?? 0
        func figures(_ histogram: LatencyHistogram) -> [Markup] {
            guard histogram.count > 0 else { return ["–", "–", "–"] }
            return [histogram.p50, histogram.p99, histogram.max].map { "\(Figures.seconds($0))" }
        }
        let rows = status.shards.map { shard -> [Markup] in
            let report = shard.report
            return [name(shard)] + [Bars.bar(report.pullSeconds.p99, of: most, color: 1) { Figures.seconds($0) }]
                + figures(report.pullSeconds) + figures(report.pushSeconds) + figures(report.applySeconds)
                + figures(report.parkedSeconds)
        }
        let titles =
            ["shard", "<pull p99"]
            + ["pull", "push", "update", "parked"].flatMap { ["\($0) p50", "p99", "max"] }
        return Grid(titles, rows, summary: "latency of shards").markup
    }
}
