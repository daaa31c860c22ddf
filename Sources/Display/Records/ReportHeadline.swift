import Telemetry

/// What a run was and came to, in a few large figures; and how it failed, if it did.
struct ReportHeadline {
    private let run: RecordedRun
    private var job: JobStatus { run.status.job }

    init(_ run: RecordedRun) { self.run = run }

    var markup: Markup {
        let limitedBy = run.status.limitedBy
        let limit: Markup = limitedBy.isEmpty ? "" : "<p class=\"limit\">Limited by \(limitedBy)</p>"
        let gaps: [Markup] = run.gaps.map { "<p class=\"note\">\($0)</p>" }
        return """
            <header class="top">
            <div class="name"><h1>\(run.name)</h1><span class="state \(job.state.rawValue)">\(state)</span></div>
            <p class="note">\(about)</p>
            \(limit)
            <dl class="cards">\(cards)</dl>
            \(gaps)
            </header>
            \(failure)
            """
    }

    /// Runs side by side.
    static func table(_ runs: [RecordedRun]) -> Markup {
        let sheet = Sheet(.report, ClusterStatus())
        return sheet.section("", "Side by side", sheet.folded("", "runs", columns, runs.map(ReportHeadline.init)))
    }

    private static let columns: [Column<ReportHeadline>] = [
        .text("Run", 0, \.run.name), .state("State", 0, \.job.state.rawValue),
        .text("Model", 0, \.job.model),
        .metric("Best validation AUC", \.run.status.best?.auc), .metric("GAUC", \.run.status.best?.gauc),
        .metric("Test AUC", \.test?.auc), .metric("GAUC", \.test?.gauc), .metric("Log loss", \.test?.logLoss),
        .exact("Steps", 0, \.job.step), Column("Samples", unit: "/s") { row, _ in Cell(Quantity.rate(row.rate)) },
        Column("Time") { row, _ in Cell(Quantity.duration(row.duration)) },
        .text("Limited by", 0, \.run.status.limitedBy, kind: .words),
    ]

    /// What was scored on the split that the configuration calls the test.
    private var test: EvaluationStatus? {
        let split = setting("data.test")
        return run.status.evaluations.last { $0.split == (split.isEmpty ? "test" : split) }
    }

    private func setting(_ key: String) -> String {
        ReportSettings.settings(of: run.config).first { $0.key == key }?.value ?? ""
    }

    /// "finished"; of what still runs as far as its files tell, since when that is known.
    private var state: String {
        switch job.state {
        case .waiting, .running: "\(job.state.rawValue) at \(Quantity.date(run.status.time))"
        case .finished, .stopped, .failed: job.state.rawValue
        }
    }

    private var about: String {
        let data = setting("data.directory")
        return [
            job.model.isEmpty ? "" : "model \(job.model)", data.isEmpty ? "" : "data set \(data)",
            job.started > 0 ? "started \(Quantity.date(job.started))" : "", job.state == .failed ? "" : job.reason,
        ].filter { !$0.isEmpty }.joined(separator: " · ")
    }

    /// From the first step to the end, or to the newest that is known; of a continued run without the pauses.
    private var duration: Double {
        if isContinued { return run.starts.reduce(0) { $0 + max(0, $1.ended - $1.began) } }
        let began = job.trainingStarted > 0 ? job.trainingStarted : job.started
        let end = job.ended > 0 ? job.ended : run.status.time
        return began > 0 ? max(0, end - began) : .nan
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
            card(name, Quantity.metric(found.auc), found.rest)
        }
        if let test { card("test AUC", test) }
        if let best = run.status.best { card("best validation AUC", best) }
        let starts = isContinued ? "\(run.starts.count) starts" : ""
        func notes(_ notes: String...) -> String { notes.filter { !$0.isEmpty }.joined(separator: ", ") }
        card(
            "samples/s", rate > 0 ? Quantity.rate(rate) : Quantity.none,
            notes(samples > 0 ? "\(Quantity.count(samples)) samples" : "", starts))
        card(
            "steps", Quantity.exact(job.step),
            job.lastStep > 0 ? notes("of \(Quantity.exact(job.lastStep))", run.status.epoch) : "")
        card(
            "training time", Quantity.duration(duration),
            notes(starts, job.ended > 0 ? "ended \(Quantity.date(job.ended))" : ""))
        let status = run.status
        if !status.shards.isEmpty || !status.workers.isEmpty {
            let servers = Set(status.shards.map(\.server)).count
            card("cluster", "\(servers) × \(status.workers.count)", "servers × workers, \(status.shards.count) shards")
        }
        let rows = status.tables.total(\.rows)
        if rows > 0 { card("rows", Quantity.count(rows), "\(Quantity.bytes(status.memory)) on all shards") }
        return "\(cards)"
    }

    private var failure: Markup {
        guard let report = run.status.failure else {
            guard job.state == .failed else { return "" }
            return "<div class=\"failure\"><h2>Failed</h2>\n<pre>\(job.reason)</pre></div>"
        }
        return Sheet(.report, run.status).failure(report)
    }
}
