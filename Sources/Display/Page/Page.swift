import Telemetry

/// The whole page of a status: everything stands in it without a script, which only redraws it and adds the curves.
struct Page {
    let status: ClusterStatus
    let sheet: Sheet

    init(_ status: ClusterStatus) {
        self.status = status
        sheet = Sheet(.page, status)
    }

    /// The document.
    var markup: Markup {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title)</title>
        <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect \
        width='16' height='16' rx='4' fill='%230072B2'/%3E%3Cpath d='M3 12V4l5 5 5-5v8' fill='none' stroke='%23fff' \
        stroke-width='2'/%3E%3C/svg%3E">
        <link rel="stylesheet" href="/page.css">
        <noscript><meta http-equiv="refresh" content="2"></noscript>
        <script src="/page.js" defer></script>
        </head>
        <body>
        \(Elements.icons)\
        <p id="silence" class="silence" role="alert" data-keep hidden></p>
        <main id="page" data-time="\(String(status.time))" data-state="\(status.job.state.rawValue)" \
        data-job="\(status.job.id) \(String(status.job.started))" data-directory="\(status.job.directory)">
        \(top)\(status.failure.map(sheet.failure) ?? "")\(tiles)\(curves)\(sheet.shards(above: strip))\(sheet.workers)\(lag)\
        \(sheet.tables)\(sheet.evaluations)\(sheet.nodes())\(sheet.events(above: timeline))\(sheet.faults)\(config)\
        </main>
        <footer><p>Everything here is also JSON: <a href="/api/v1/status">/api/v1/status</a>, described by \
        <a href="/api/v1/schema">its schema</a>; and text for Prometheus: <a href="/metrics">/metrics</a>.</p></footer>
        </body>
        </html>

        """
    }

    private var title: String {
        let job = status.job
        let name = job.name.isEmpty ? "myriad" : job.name
        return switch job.state {
        case .waiting: "waiting · \(name)"
        case .running: "\(Quantity.percent(progress)) · \(name)"
        case .finished: "finished · \(name)"
        case .stopped: "stopped · \(name)"
        case .failed: "FAILED · \(name)"
        }
    }

    /// Share of the job's steps that are done.
    var progress: Double {
        status.job.lastStep > 0 ? min(1, Double(status.job.step) / Double(status.job.lastStep)) : 0
    }

    /// Name, state and, above all, what to make faster.
    private var top: Markup {
        let job = status.job
        let end = job.ended > 0 ? job.ended : status.time
        let elapsed = job.started > 0 ? Quantity.duration(end - job.started) : Quantity.none
        let limit = status.limitedBy.isEmpty ? "not known yet" : status.limitedBy
        let reason: Markup = job.reason.isEmpty || status.failure != nil ? "" : "<span>\(job.reason)</span>"
        return """
            <header class="top">
            <div class="name"><h1>\(job.name.isEmpty ? "myriad" : job.name)</h1>\(sheet.state(job.state.rawValue))\(reason)\
            <span>\(job.model.isEmpty ? "" : "model \(job.model)")</span><span>\(elapsed) elapsed</span>\
            <span>as of \(Quantity.clock(status.time)) UTC</span>\(means)</div>
            <p class="limit" id="limited-by"><span>limited by:</span> <strong>\(limit)</strong></p>
            </header>

            """
    }

    /// What rates and shares are of once the job has ended.
    private var means: Markup {
        guard status.isOver, status.trainingSeconds > 0 else { return "" }
        let seconds = Quantity.duration(status.trainingSeconds)
        return "<span id=\"means\">rates and shares are means over \(seconds) of training</span>"
    }

    /// The figures that one looks at first.
    private var tiles: Markup {
        let job = status.job
        let moment = Moment(now: status.time, isLive: true)
        let mean = status.isOver ? "mean of the run" : "mean \(Quantity.rate(job.meanSamplesPerSecond))"
        let remaining = status.remaining.map { "\(Quantity.duration($0)) left" } ?? ""
        let seen = job.samplesTotal > 0 ? "\(Quantity.count(job.samples)) samples" : ""
        let traffic = status.shards.reduce(0) { $0 + $1.receivedBytesPerSecond + $1.sentBytesPerSecond }
        let auxiliary =
            job.auxiliaryLoss.flatMap { $0 == 0 ? nil : "auxiliary \(Quantity.metric($0))" } ?? "over the last second"
        let failures = job.checkpointFailures > 0 ? " \(job.checkpointFailures) failed!" : ""
        let checkpoint =
            job.checkpoint.map { "step \(Quantity.exact($0.step))" } ?? (failures.isEmpty ? "none yet" : "")
        let others: [Markup] = [
            tile("Samples/s", "speed", Quantity.rate(status.speed), mean),
            tile("Loss", "loss", Quantity.metric(job.loss), auxiliary),
            quality,
            tile(
                "Validation AUC", "best-auc", Quantity.metric(status.best?.auc),
                status.best.map { "best, at step \(Quantity.exact($0.step))" } ?? "not scored yet"),
            tile(
                "Rows", "rows", Quantity.count(status.rows),
                "\(Quantity.bytes(status.memory)) in \(status.shards.count) shards"),
            tile("Traffic", "traffic", "\(Quantity.bytes(traffic))/s", "in and out of shards"),
            tile("Checkpoint", "checkpoint", checkpoint + failures, job.checkpoint?.rest(at: moment) ?? ""),
        ]
        return """
            <section class="tiles" id="figures" aria-label="Figures of the job">
            <div class="tile wide"><h2>Step</h2><p id="step" data-value="\(job.step)">\(Quantity.exact(job.step))\
            <small> of \(Quantity.exact(job.lastStep))</small></p>
            <svg class="progress" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" \
            aria-label="\(Quantity.percent(progress)) done"><rect class="track" width="100" height="1"/>\
            <rect class="done" width="\(Quantity.fixed(progress * 100, 2))" height="1"/></svg>
            <small title="\(seen)">\([Quantity.percent(progress), status.epoch, remaining].filter { !$0.isEmpty }.joined(separator: " · "))</small></div>
            \(others)
            </section>

            """
    }

    /// How well it predicts: while it trains, and at its end on samples that nothing was chosen by.
    private var quality: Markup {
        guard status.isOver, let test = status.evaluations.last(where: { $0.split == "test" }) else {
            return tile("Running AUC", "auc", Quantity.metric(status.job.auc), "before the update")
        }
        return tile("Test AUC", "test-auc", Quantity.metric(test.auc), "at step \(Quantity.exact(test.step))")
    }

    private func tile(_ name: String, _ id: String, _ value: String, _ note: String) -> Markup {
        let size: Markup = value.count > 8 ? " class=\"long\"" : ""
        return "<div class=\"tile\"><h2>\(name)</h2><p id=\"\(id)\"\(size)>\(value)</p><small>\(note)</small></div>\n"
    }

    /// Where the script draws; the newest points stand in the tiles above.
    private var curves: Markup {
        let charts: [Markup] = [
            ("loss", "Loss"), ("auc", "AUC"), ("speed", "Samples/s"), ("time", "Time"),
            ("traffic", "Traffic of shards"), ("rows", "Rows"),
        ].map { id, title in
            """
            <figure class="chart" id="chart-\(id)" data-chart="\(id)" data-keep><figcaption>\(title)</figcaption>\
            <div class="plot"></div></figure>

            """
        }
        return """
            <section id="curves" aria-label="Curves"><div class="charts">
            \(charts)</div>
            <noscript><p class="empty">The curves are drawn by a script; the figures and tables need none.</p></noscript></section>

            """
    }

    /// What the job was told, and what runs it.
    private var config: Markup {
        let yaml: Markup =
            status.job.config.isEmpty
            ? ""
            : "<details><summary>Configuration, resolved</summary><pre tabindex=\"0\">\(status.job.config)</pre></details>"
        return sheet.section("config", "Configuration", "\(sheet.environment)\(yaml)")
    }
}
