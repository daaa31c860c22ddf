import Telemetry

/// What a run was and came to, in a few large figures; and how it failed, if it did.
struct ReportHeadline {
    private let run: RecordedRun
    private var job: JobStatus { run.status.job }

    init(_ run: RecordedRun) { self.run = run }

    var markup: Markup {
        """
        <header>
        <div class="title"><h1>\(run.name)</h1><span class="state \(job.state.rawValue)">\(state)</span></div>
        <p class="soft">\(about)</p>
        \(Self.limit(run))
        <dl class="cards">\(cards)</dl>
        \(run.gaps.map { "<p class=\"soft\">\($0)</p>" as Markup })
        </header>
        \(failure)
        """
    }

    /// Runs side by side.
    static func table(_ runs: [RecordedRun]) -> Markup {
        let rows = runs.map { run -> [Markup] in
            let lines = ReportHeadline(run)
            let job = run.status.job
            let best = bestValidation(of: run.status)
            let test = run.status.evaluations.last { $0.split == split("test", of: run) }
            return [
                "<b>\(run.name)</b>", "<span class=\"\(job.state.rawValue)\">\(job.state.rawValue)</span>",
                "\(job.model)", "\(Figures.metric(best?.auc))", "\(Figures.metric(best?.gauc))",
                "\(Figures.metric(test?.auc))", "\(Figures.metric(test?.gauc))", "\(Figures.metric(test?.logLoss))",
                "\(Figures.whole(job.step))", "\(Figures.short(lines.rate))", "\(Figures.seconds(lines.duration))",
                "\(run.status.limitedBy)",
            ]
        }
        let titles = [
            "<run", "<state", "<model", "best validation AUC", "GAUC", "test AUC", "GAUC", "log loss", "steps",
            "samples/s", "time", "<limited by",
        ]
        return "<section><h2>Side by side</h2>\n\(Grid(titles, rows, summary: "runs").markup)</section>"
    }

    /// The evaluation that is marked best; the one of the highest AUC where none is.
    static func bestValidation(of status: ClusterStatus) -> EvaluationStatus? {
        let all = status.evaluations.filter { $0.split != "test" }
        return all.last { $0.isBest } ?? all.max { ($0.auc ?? -1) < ($1.auc ?? -1) }
    }

    private static func split(_ role: String, of run: RecordedRun) -> String {
        ReportSettings.settings(of: run.config).first { $0.key == "data.\(role)" }?.value ?? role
    }

    private static func limit(_ run: RecordedRun) -> Markup {
        run.status.limitedBy.isEmpty ? "" : "<p class=\"limit\">Limited by \(run.status.limitedBy)</p>"
    }

    /// "finished"; of what still runs as far as its files tell, since when that is known.
    private var state: String {
        switch job.state {
        case .waiting, .running: "\(job.state.rawValue) at \(Figures.date(run.status.time))"
        case .finished, .stopped, .failed: job.state.rawValue
        }
    }

    private var about: String {
        let data = ReportSettings.settings(of: run.config).first { $0.key == "data.directory" }?.value ?? ""
        var parts: [String] = []
        if !job.model.isEmpty { parts.append("model \(job.model)") }
        if !data.isEmpty { parts.append("data set \(data)") }
        if job.started > 0 { parts.append("started \(Figures.date(job.started))") }
        if !job.reason.isEmpty, job.state != .failed { parts.append(job.reason) }
        return parts.joined(separator: " · ")
    }

    /// From the first step to the end, or to the newest that is known; of a continued run without the pauses.
    private var duration: Double {
        if isContinued { return run.starts.reduce(0) { $0 + max(0, $1.ended - $1.began) } }
        let began = job.trainingStarted > 0 ? job.trainingStarted : job.started
        let end = job.ended > 0 ? job.ended : run.status.time
        return began > 0 ? max(0, end - began) : -1
    }

    private var isContinued: Bool { run.starts.count > 1 }

    /// Samples of all starts, steps that were done again included.
    private var samples: Int { isContinued ? run.starts.total(\.samples) : job.samples }

    private var rate: Double {
        if isContinued { return duration > 0 ? Double(samples) / duration : 0 }
        return job.meanSamplesPerSecond > 0 ? job.meanSamplesPerSecond : job.samplesPerSecond
    }

    private var cards: Markup {
        var cards: [Markup] = []
        func card(_ name: String, _ value: String, _ note: String = "") {
            cards.append("<div><dt>\(name)</dt><dd>\(value)<small>\(note)</small></dd></div>")
        }
        func card(_ name: String, _ found: EvaluationStatus) {
            card(
                name, Figures.metric(found.auc),
                "GAUC \(Figures.metric(found.gauc)), log loss \(Figures.metric(found.logLoss)), step \(found.step)")
        }
        if let test = run.status.evaluations.last(where: { $0.split == Self.split("test", of: run) }) {
            card("test AUC", test)
        }
        if let best = Self.bestValidation(of: run.status) { card("best validation AUC", best) }
        let starts = isContinued ? "\(run.starts.count) starts" : ""
        func notes(_ notes: String...) -> String { notes.filter { !$0.isEmpty }.joined(separator: ", ") }
        card(
            "samples/s", rate > 0 ? Figures.short(rate) : "–",
            notes(samples > 0 ? "\(Figures.short(Double(samples))) samples" : "", starts))
        card(
            "steps", Figures.whole(job.step),
            job.lastStep > 0 ? "of \(Figures.whole(job.lastStep)), epoch \(job.epoch.plus(1)) of \(job.epochs)" : "")
        card(
            "training time", Figures.seconds(duration),
            notes(starts, job.ended > 0 ? "ended \(Figures.date(job.ended))" : ""))
        let status = run.status
        if !status.shards.isEmpty || !status.workers.isEmpty {
            let servers = Set(status.shards.map(\.server)).count
            card("cluster", "\(servers) × \(status.workers.count)", "servers × workers, \(status.shards.count) shards")
        }
        let rows = status.tables.total(\.rows)
        if rows > 0 {
            let bytes = status.shards.total { $0.report.bytes.used.plus($0.report.denseBytes) }
            card("rows", Figures.short(Double(rows)), "\(Figures.bytes(bytes)) on all shards")
        }
        return Markup(cards)
    }

    private var failure: Markup {
        guard let report = run.status.failure else {
            guard job.state == .failed else { return "" }
            return "<div class=\"failure\"><h2>Failed</h2>\n<pre>\(lines: job.reason)</pre></div>"
        }
        let place = report.host.isEmpty ? "" : " on \(report.host), process \(report.pid)"
        let followers = report.followers.isEmpty ? "" : "Only followed: \(report.followers.joined(separator: ", "))."
        let end: Markup =
            report.lastLines.isEmpty
            ? ""
            : "<p class=\"soft\">The end of \(report.log):</p>\n<pre>\(lines: report.lastLines.joined(separator: "\n"))</pre>"
        return """
            <div class="failure"><h2>Failed: \(report.first)\(place)</h2>
            <p><b>\(report.what)</b></p>
            <p>\(report.remedy)</p>
            <p class="soft">Cause: \(report.cause.rawValue); at step \(report.step), \(Figures.date(report.time)). \
            \(followers)</p>
            \(end)
            </div>
            """
    }
}
