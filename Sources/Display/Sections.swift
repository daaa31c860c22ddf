import Telemetry

/// The parts of the page and of a report: a title, and the entities of one kind below it.
extension Sheet {
    /// A part with its title; further words stand beside it.
    package func section(_ id: String, _ title: String, note: Markup = "", _ content: Markup) -> Markup {
        guard !content.isEmpty else { return "" }
        let beside: Markup = note.isEmpty ? "" : "<p class=\"note\">\(note)</p>"
        let (name, label): (Markup, Markup) =
            isPage ? (" id=\"\(id)\" aria-labelledby=\"\(id)-title\"", " id=\"\(id)-title\"") : ("", "")
        return """
            <section\(name)><header><h2\(label)>\(title)</h2>\(beside)</header>
            \(content)</section>

            """
    }

    /// Shards: who is hot, what each holds, did and waits for.
    package func shards(above: Markup = "") -> Markup {
        let shards = status.shards
        let mark: (ShardStatus) -> Markup = { " class=\"\($0.state.rawValue)\" data-shard=\"\($0.report.shard)\"" }
        let skews: [Markup] = status.skews.map { name, value in
            let ratio: Markup = "\(name) <b>\(Quantity.ratio(value))</b>"
            return value >= 2 ? "<span class=\"bad\">\(ratio) !</span> " : "<span>\(ratio)</span> "
        }
        let table = folded(
            "shards-table", "all shards", ShardColumns.main, shards, empty: missing("No server has joined yet."),
            mark: mark)
        return section(
            "shards", "Shards", note: shards.count > 1 ? "skew, largest over mean: \(skews)" : "",
            "\(above)\(table)\(groups("shard", ShardColumns.groups, ShardColumns.main[0], shards, mark: mark))")
    }

    /// Workers: where their time goes, how far each is, and for whom it waits.
    package var workers: Markup {
        let workers = status.workers
        let mark: (WorkerStatus) -> Markup = { " class=\"\($0.state.rawValue)\" data-worker=\"\($0.rank)\"" }
        let table = folded(
            "workers-table", "all workers", WorkerColumns.main, workers, empty: missing("No worker has joined yet."),
            mark: mark)
        let groups = groups(
            "worker", WorkerColumns.groups, WorkerColumns.main[0], workers, sums: ["Time": WorkerColumns.sum(workers)],
            mark: mark)
        return section("workers", "Workers", "\(table)\(groups)")
    }

    /// Tables: what they hold, and which ids are hot.
    package var tables: Markup {
        let all = table(
            "tables-table", "Tables", TableColumns.main, status.tables, empty: missing("No table is known yet.")
        ) { " data-table=\"\($0.name)\"" }
        let hot: [Markup] = status.tables.filter { !$0.hot.isEmpty }.map { table in
            let ids = self.table(
                "hot-\(table.name)", "Hot ids of \(table.name)", TableColumns.hot, TableColumns.ranked(table, most: 20)
            ) {
                " data-table=\"\(table.name)\" data-id=\"\($0.id.id)\" data-error=\"\($0.id.error)\""
            }
            return """
                <div><h3 title="Ids are hashes where the dataset's are texts: their names are not kept.">Hot ids of \
                \(table.name) <small data-table="\(table.name)" data-name="hot_total" data-value="\(table.hotTotal)">\
                \(Quantity.count(table.hotTotal)) ids in samples</small></h3>
                \(ids)</div>

                """
        }
        let lists: Markup = hot.isEmpty ? "" : "<div class=\"hot\">\(hot)</div>"
        return section("tables", "Tables and hot ids", "\(all)\(lists)")
    }

    /// Splits that were scored.
    package var evaluations: Markup {
        let count = status.evaluationsLeftOut?.values.total ?? 0
        let older = count > 0 ? "; \(Quantity.exact(count)) older ones are in metrics.jsonl" : ""
        let mark: (EvaluationStatus) -> Markup = { score in
            let auc = score.auc.map { String($0) } ?? ""
            return """
                 data-step="\(score.step)" data-time="\(String(score.time))" data-auc="\(auc)" \
                data-log-loss="\(String(score.logLoss))" data-split="\(score.split)"
                """
        }
        let table = folded(
            "evaluations-table", "all evaluations", EventColumns.evaluations, ordered(status.evaluations),
            seen: status.evaluations.suffix(8), empty: missing("No split has been scored yet."), mark: mark)
        return section("evaluations", "Evaluations", note: "\(order)\(older)", table)
    }

    /// Processes, and in a report the machines that they ran on.
    package func nodes(above: Markup = "") -> Markup {
        let lost = status.nodes.filter { $0.state == .lost }.count
        let note: Markup = lost > 0 ? "<strong class=\"bad\">\(icon("lost"))\(lost) lost</strong>" : ""
        let hosts = Dictionary(grouping: status.nodes, by: \.host).sorted { $0.key < $1.key }.map(\.value)
        let all = folded(
            "nodes-table", "all processes", NodeColumns.main, status.nodes, empty: missing("Nobody is here yet.")
        ) { " class=\"\($0.state.rawValue)\"" }
        return section(
            "nodes", "Processes", note: note,
            "\(above)\(all)\(isPage ? "" : table("hosts-table", "Machines", NodeColumns.hosts, hosts))")
    }

    /// What happened.
    package func events(above: Markup = "") -> Markup {
        let table = folded(
            "events-table", "all events", EventColumns.events, ordered(status.events), seen: status.events.suffix(12),
            empty: missing("Nothing has happened yet.")
        ) { " class=\"\($0.kind.rawValue)\"" }
        return section("events", "Events", note: "\(order)", "\(above)\(table)")
    }

    /// What went wrong and was survived, and what was not.
    package var faults: Markup {
        let isKnown = !status.shards.isEmpty || !status.nodes.isEmpty
        let all = table(
            "faults-table", "Faults", Fault.columns, Fault.all(of: status),
            empty: isKnown || isPage ? "None: nothing was lost, repeated, refused or malformed." : "")
        let senders = table("senders-table", "By sender", Fault.senders, Fault.senders(of: status))
        return section("faults", "Faults", note: "counted since the start; a retry is a duplicate", "\(all)\(senders)")
    }

    /// What runs the job: versions, machine and places.
    package var environment: Markup {
        let job = status.job
        return facts([
            ("version", job.version), ("job", job.id), ("directory", job.directory), ("scheduler", job.scheduler),
            ("started", Quantity.date(job.started)), ("processor", job.build.processor),
            ("Swift", job.build.swift), ("ZeroMQ", job.build.zeromq), ("OpenBLAS", job.build.openblas),
        ])
    }

    /// Names and texts; nothing of those without text.
    func facts(_ facts: [(name: String, text: String)]) -> Markup {
        let known: [Markup] = facts.filter { !$0.text.isEmpty && $0.text != Quantity.none }.map {
            "<div><dt>\($0.name)</dt><dd>\($0.text)</dd></div>"
        }
        return known.isEmpty ? "" : "<dl class=\"facts\">\(known)</dl>\n"
    }

    /// What stands where there is nothing yet; a report of it is shorter.
    private func missing(_ sentence: String) -> String { isPage ? sentence : "" }

    /// On the page the newest is seen first.
    private func ordered<Row>(_ rows: [Row]) -> [Row] { isPage ? rows.reversed() : rows }
    private var order: String { isPage ? "newest first" : "oldest first" }
}
