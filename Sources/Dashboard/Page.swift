import Telemetry

/// The whole page of a status: everything stands in it without a script, which only redraws it and adds the curves.
struct Page {
    let status: ClusterStatus

    init(_ status: ClusterStatus) { self.status = status }

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
        \(top)\(failure)\(tiles)\(curves)\(shards)\(workers)\(lag)\(tables)\(evaluations)\(nodes)\(events)\(senders)\(config)\
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

    /// How long ago a moment of the status was.
    func age(_ time: Double) -> String {
        time > 0 ? "\(Quantity.age(status.time - time)) ago" : "–"
    }

    /// Name, state and, above all, what to make faster.
    private var top: Markup {
        let job = status.job
        let end = job.ended > 0 ? job.ended : status.time
        let elapsed = job.started > 0 ? Quantity.span(end - job.started) : "–"
        let limit = status.limitedBy.isEmpty ? "not known yet" : status.limitedBy
        let reason: Markup = job.reason.isEmpty || status.failure != nil ? "" : "<span>\(job.reason)</span>"
        return """
            <header class="top">
            <div class="name"><h1>\(job.name.isEmpty ? "myriad" : job.name)</h1>\(Elements.state(job.state.rawValue))\(reason)\
            <span>\(job.model.isEmpty ? "" : "model \(job.model)")</span><span>\(elapsed) elapsed</span>\
            <span>as of \(Quantity.clock(status.time))</span>\(means)</div>
            <p class="limit" id="limited-by"><span>limited by:</span> <strong>\(limit)</strong></p>
            </header>

            """
    }

    /// Whether the job has ended, one way or the other.
    private var isOver: Bool { status.isOver }

    /// What rates and shares are of once the job has ended.
    private var means: Markup {
        let job = status.job
        guard isOver, job.trainingStarted > 0, job.ended > job.trainingStarted else { return "" }
        return
            "<span id=\"means\">rates and shares are means over \(Quantity.span(job.ended - job.trainingStarted)) of training</span>"
    }

    /// Who failed first, how, and what to do.
    private var failure: Markup {
        guard let failure = status.failure else { return "" }
        let process = failure.pid > 0 ? "process \(failure.pid)" : ""
        let place = [process, failure.host.isEmpty ? "" : "on \(failure.host)"].filter { !$0.isEmpty }.joined(
            separator: " ")
        let lines: Markup =
            failure.lastLines.isEmpty
            ? ""
            : "<h3>Its last lines \(failure.log)</h3><pre tabindex=\"0\">\(failure.lastLines.joined(separator: "\n"))</pre>"
        let followers: Markup =
            failure.followers.isEmpty
            ? "" : "<div><dt>Only followed</dt><dd>\(failure.followers.joined(separator: ", "))</dd></div>"
        return """
            <section id="failure" class="failure" role="alert" aria-labelledby="failure-title">
            <h2 id="failure-title">\(Elements.icon("failed"))Failed first: \(failure.first)</h2>
            <p class="what">\(failure.what)</p>
            <p class="remedy"><strong>What to do:</strong> \(failure.remedy)</p>
            <dl class="facts"><div><dt>Cause</dt><dd>\(failure.cause.rawValue)</dd></div>\
            <div><dt>Where</dt><dd>\(place.isEmpty ? "–" : place)</dd></div>\
            <div><dt>When</dt><dd>step \(Quantity.grouped(failure.step)), \(Quantity.clock(failure.time))</dd></div>\(followers)</dl>
            \(lines)</section>

            """
    }

    /// The figures that one looks at first.
    private var tiles: Markup {
        let job = status.job
        let best = status.evaluations.last { $0.split == "validation" && $0.isBest }
        let rate = job.samplesPerSecond
        let left = Double(max(0, job.samplesTotal.minus(job.samples)))
        let isRunning = job.state == .running
        let remaining = isRunning && rate > 0 ? "\(Quantity.span(left / rate)) left" : ""
        let seen = job.samplesTotal > 0 ? "\(Quantity.count(job.samples)) samples" : ""
        let rows = status.shards.total(\.report.rows)
        let bytes = status.shards.total { $0.report.bytes.used.plus($0.report.denseBytes) }
        let traffic = status.shards.reduce(0) { $0 + $1.receivedBytesPerSecond + $1.sentBytesPerSecond }
        let epoch = job.epochs > 0 ? "epoch \(min(job.epoch.plus(1), job.epochs)) of \(job.epochs)" : ""
        let auxiliary =
            job.auxiliaryLoss.flatMap { $0 == 0 ? nil : "auxiliary \(Quantity.metric($0))" } ?? "over the last second"
        let checkpoint =
            job.checkpoint.map { "step \(Quantity.grouped($0.step))" }
            ?? (job.checkpointFailures > 0 ? "" : "none yet")
        let failures = job.checkpointFailures > 0 ? " \(job.checkpointFailures) failed!" : ""
        let others: [Markup] = [
            tile(
                "Samples/s", "speed", Quantity.rate(isRunning ? rate : job.meanSamplesPerSecond),
                isRunning ? "mean \(Quantity.rate(job.meanSamplesPerSecond))" : "mean of the run"),
            tile("Loss", "loss", Quantity.metric(job.loss), auxiliary),
            quality,
            tile(
                "Validation AUC", "best-auc", Quantity.metric(best?.auc),
                best.map { "best, at step \(Quantity.grouped($0.step))" } ?? "not scored yet"),
            tile("Rows", "rows", Quantity.count(rows), "\(Quantity.bytes(bytes)) in \(status.shards.count) shards"),
            tile("Traffic", "traffic", "\(Quantity.bytes(traffic))/s", "in and out of shards"),
            tile(
                "Checkpoint", "checkpoint", checkpoint + failures,
                job.checkpoint.map { "\(age($0.time)), \(Quantity.bytes($0.bytes))" } ?? ""),
        ]
        return """
            <section class="tiles" id="figures" aria-label="Figures of the job">
            <div class="tile wide"><h2>Step</h2><p id="step" data-value="\(job.step)">\(Quantity.grouped(job.step))\
            <small> of \(Quantity.grouped(job.lastStep))</small></p>
            <svg class="progress" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" \
            aria-label="\(Quantity.percent(progress)) done"><rect class="track" width="100" height="1"/>\
            <rect class="done" width="\(Quantity.fixed(progress * 100, 2))" height="1"/></svg>
            <small title="\(seen)">\([Quantity.percent(progress), epoch, remaining].filter { !$0.isEmpty }.joined(separator: " · "))</small></div>
            \(others)
            </section>

            """
    }

    /// How well it predicts: while it trains, and at its end on samples that nothing was chosen by.
    private var quality: Markup {
        guard isOver, let test = status.evaluations.last(where: { $0.split == "test" }) else {
            return tile("Running AUC", "auc", Quantity.metric(status.job.auc), "before the update")
        }
        return tile("Test AUC", "test-auc", Quantity.metric(test.auc), "at step \(Quantity.grouped(test.step))")
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
}
