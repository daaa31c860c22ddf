import Telemetry

/// Processes, what happened, who sent what it should not have, and the configuration.
extension Page {
    /// A row a process.
    var nodes: Markup {
        let rows: [Markup] = status.nodes.map { node in
            let process = node.process
            return """
                <tr class="\(node.state.rawValue)"><th scope="row">\(node.role) \(node.rank)</th>\
                <td>\(Elements.state(node.state.rawValue))</td><td>\(node.host)<small>process \(node.pid)</small></td>\
                <td>\(node.address.isEmpty ? "–" : node.address)</td>\(Elements.count(Int(node.incarnation)))\
                <td class="words">\(node.activity)</td>\(Elements.count(node.step))\
                \(Elements.number(Quantity.seconds(node.silentSeconds), below: node.silentSeconds > 5 ? "silent" : ""))\
                \(Elements.number(Quantity.fixed(node.cores, 2), below: Quantity.seconds(process.processorSeconds)))\
                \(memory(process))\
                \(Elements.count(process.threads))\(Elements.count(process.openFiles))\
                \(Elements.number(process.started > 0 ? Quantity.span(status.time - process.started) : "–"))\
                \(Elements.fault(node.warnings))<td class="words">\(node.endpoints.joined(separator: " "))</td></tr>

                """
        }
        let lost = status.nodes.filter { $0.state == .lost }.count
        let note: Markup = lost > 0 ? "<strong class=\"bad\">\(Elements.icon("lost"))\(lost) lost</strong>" : ""
        return Elements.section(
            "nodes", "Processes", note: note,
            Elements.table(
                "nodes-table", "Processes",
                [
                    .init("Process", number: false), .init("State", number: false), .init("Host", number: false),
                    .init("Address", "as the scheduler sees it", number: false),
                    .init("Incarnation", "starts of this role and rank"),
                    .init("Does or waits for", number: false), .init("Step"), .init("Heard", "seconds since"),
                    .init("Cores", "used over the last seconds; below: in all"), .init("Memory", "resident"),
                    .init("Threads"), .init("Files", "open descriptors"), .init("Up"),
                    .init("Warnings", "log lines of level warning and error"), .init("Listens on", number: false),
                ], rows, empty: "Nobody is here yet."))
    }

    private func memory(_ process: ProcessReport) -> Markup {
        Elements.number(
            Quantity.bytes(process.residentBytes), exactly: process.residentBytes,
            below: "max \(Quantity.bytes(process.peakBytes))")
    }

    /// What happened: as a line of time, and in words.
    var events: Markup {
        let rows: [Markup] = status.events.reversed().map { event in
            """
            <tr class="\(event.kind.rawValue)"><td>\(Quantity.clock(event.time))</td><td>\(Elements.state(event.kind.rawValue))</td>\
            <td class="words">\(event.text)</td>\(Elements.count(event.step))</tr>

            """
        }
        let list = Elements.table(
            "events-table", "Events",
            [.init("Time", number: false), .init("Kind", number: false), .init("What", number: false), .init("Step")],
            rows, empty: "Nothing has happened yet.")
        return Elements.section("events", "Events", note: "newest first", "\(timeline)\(list)")
    }

    private var timeline: Markup {
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
                height="12" overflow="visible"><title>\(Quantity.clock(event.time)) \(event.text)</title>\
                <use href="#i-\(event.kind.rawValue)" x="-6" width="12" height="12"/></svg>
                """
            }
            return """
                <div class="lane"><span>\(lane.name)</span><svg class="track" width="100%" height="12">\(marks)</svg></div>

                """
        }
        return """
            <div class="timeline" aria-hidden="true">\(lanes)<div class="lane"><span></span><div class="ends">\
            <span>\(Quantity.clock(first))</span><span>\(Quantity.clock(end))</span></div></div></div>

            """
    }

    /// Duplicates and malformed messages by who sent them.
    var senders: Markup {
        var totals: [(duplicates: Int, malformed: Int)] = []
        var refused: [String: Int] = [:]
        for shard in status.shards {
            for (rank, place) in shard.report.workers.enumerated() {
                while totals.count <= rank { totals.append((0, 0)) }
                totals[rank].duplicates = totals[rank].duplicates.plus(place.duplicates)
                totals[rank].malformed = totals[rank].malformed.plus(place.malformed)
            }
            refused.merge(shard.report.refused) { $0.plus($1) }
        }
        let strangers = status.shards.total { $0.report.malformed.filter { $0.key < 0 }.values.total }
        let garbage = status.shards.total(\.report.garbage)
        let faulty = totals.enumerated().filter { $0.element.duplicates > 0 || $0.element.malformed > 0 }
        let rows: [Markup] = faulty.map { rank, total in
            "<tr><th scope=\"row\">worker \(rank)</th>\(Elements.fault(total.duplicates))\(Elements.fault(total.malformed))</tr>\n"
        }
        let reasons = refused.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        let others: [Markup] = reasons.map { reason, count in
            "<tr><th scope=\"row\">\(reason)</th>\(Elements.fault(count))</tr>\n"
        }
        let unread: [Markup] =
            (strangers > 0
                ? [
                    "<tr><th scope=\"row\">malformed, of a rank that no worker has</th>\(Elements.fault(strangers))</tr>\n"
                ] : [])
            + (garbage > 0
                ? ["<tr><th scope=\"row\">without a readable header</th>\(Elements.fault(garbage))</tr>\n"] : [])
        let bySender = Elements.table(
            "senders-table", "By sender", [.init("Sender", number: false), .init("Duplicates"), .init("Malformed")],
            rows,
            empty: "No duplicate and no malformed message from any worker.")
        let byReason = Elements.table(
            "refused-table", "Refused", [.init("Refused because", number: false), .init("Messages")], others + unread,
            empty: "No message was refused.")
        return Elements.section(
            "senders", "Duplicates and malformed messages", note: "counted by shards; a retry is a duplicate",
            "<div class=\"pair\"><div>\(bySender)</div><div>\(byReason)</div></div>")
    }

    /// What the job was told, and what runs it.
    var config: Markup {
        let job = status.job
        let build = job.build
        let facts: [(String, String)] = [
            ("Version", job.version), ("Job", job.id), ("Directory", job.directory), ("Scheduler", job.scheduler),
            ("Started", Quantity.clock(job.started)), ("Processor", build.processor), ("Swift", build.swift),
            ("ZeroMQ", build.zeromq), ("OpenBLAS", build.openblas),
        ]
        let known = facts.filter { !$0.1.isEmpty && $0.1 != "–" }.map { (name: $0.0, value: "\($0.1)" as Markup) }
        let yaml: Markup =
            job.config.isEmpty
            ? ""
            : "<details><summary>Configuration, resolved</summary><pre tabindex=\"0\">\(job.config)</pre></details>"
        return Elements.section("config", "Configuration", "\(Elements.facts(known))\(yaml)")
    }
}
