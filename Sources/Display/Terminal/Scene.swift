package import Telemetry

/// A status as a terminal shows it: lines that are none wider than its width.
package struct Scene {
    let status: ClusterStatus
    let moment: Moment
    let width: Int

    /// - Parameter moment: when it is looked at; unless told, when it was taken.
    package init(_ status: ClusterStatus, at moment: Moment? = nil, width: Int) {
        self.status = status
        self.moment = moment ?? Moment(now: status.time, isLive: true)
        self.width = width
    }

    /// The whole picture on one page: job, processes, waits, events, and the failure if there is one.
    package var whole: [Line] {
        let parts = [
            status.failure.map(failure) ?? [], status.nodes.isEmpty ? [] : nodes, status.isOver ? [] : openWaits,
            events(5),
        ]
        return parts.filter { !$0.isEmpty }.reduce(job) { $0 + [Line()] + $1 }
    }

    /// Every process of the job and what it does: the one table of `status`, `top`, `launch` and `scheduler`.
    package var nodes: [Line] { table(NodeColumns.main, status.nodes) }

    /// The same without the figures of the processes: who is there and how each stands.
    package var briefNodes: [Line] { table(NodeColumns.brief, status.nodes) }

    /// One row a worker: its speed, where its time goes, and which shard it waits for.
    package var workers: [Line] { table(WorkerColumns.main, status.workers) }

    /// The ids that most samples contain, with how sure that is.
    package func hotIds(_ table: TableStatus, count: Int) -> [Line] {
        let rows = TableColumns.ranked(table, most: count)
        return paragraph(table.summary)
            + (rows.isEmpty ? paragraph("no id was counted yet") : self.table(TableColumns.hot, rows))
    }

    /// The last events, a line each, newest last.
    package func events(_ count: Int) -> [Line] {
        status.events.suffix(count).map { event in
            var line = Line("\(Quantity.clock(event.time)) UTC  ", .dim)
            line.add(event.kind.rawValue, Tone(of: event.kind.rawValue))
            line.pad(to: 26)
            line.add("step \(Quantity.exact(event.step))  ", .dim)
            // One line an event: the failure has a report of its own.
            let text = event.text.split(separator: "\n").first.map(String.init) ?? ""
            // The step stands there already.
            line.add(text.replacing(" after step \(event.step):", with: ":"))
            return line.clipped(to: width)
        }
    }

    /// Why the job failed, whole: who first, how, and what to do.
    package func failure(_ failure: FailureReport) -> [Line] {
        labeled("failed first", failure.headline, .bad)
            + failure.facts.filter { !$0.text.isEmpty }.flatMap {
                labeled($0.name, $0.text, $0.name == "remedy" ? .bold : .plain)
            }
            + failure.lastLines.flatMap { paragraph($0, .dim, indent: 4) }
    }

    /// Who waits for what, longest first, and how far each worker is behind at each shard.
    package var waits: [Line] {
        (openWaits.isEmpty ? paragraph("nobody waits") : openWaits) + parked() + lag
    }

    /// The waits alone; nothing when there are none.
    package var openWaits: [Line] { status.waits.isEmpty ? [] : table(EventColumns.waits, status.waits) }

    /// Steps by which each worker is behind at each shard, of those that are.
    var lag: [Line] {
        let behind = status.lag.enumerated().filter { $0.element.contains { $0 > 0 } }
        guard !behind.isEmpty, !status.isOver else { return [] }
        return [Line(), Line("steps behind, by shard", .dim).clipped(to: width)]
            + behind.flatMap { rank, lags in
                let places = lags.enumerated().filter { $0.element > 0 }.map { "shard \($0.offset): \($0.element)" }
                return paragraph("worker \(rank): \(places.joined(separator: ", "))")
            }
    }

    // MARK: Lines

    func table<Row>(_ columns: [Column<Row>], _ rows: [Row]) -> [Line] {
        TextTable(columns, rows, Context(status, at: moment)).lines(width: width)
    }

    /// A name with its state, and what follows them.
    func title(_ name: String, _ state: String, _ rest: String) -> Line {
        var line = Line(name, .bold)
        line.add("  ")
        line.add(state, Tone(of: state))
        line.add("  \(rest)")
        return line.clipped(to: width)
    }

    /// A title and its text; where the text is too long it goes on below itself.
    func labeled(_ label: String, _ text: String, _ style: Tone = .plain) -> [Line] {
        let column = min(13, max(0, width - 10))
        return Glyphs.wrapped(text, to: width - column).enumerated().map { index, part in
            var line = Line(index == 0 ? Glyphs.clipped(label, to: max(1, column - 1)) : "", .dim)
            line.pad(to: column)
            line.add(part, style)
            return line
        }
    }

    /// A title and its text each; nothing of those without text.
    func labeled(_ figures: KeyValuePairs<String, String>) -> [Line] {
        figures.filter { !$0.value.isEmpty }.flatMap { labeled($0.key, $0.value) }
    }

    /// A paragraph.
    func paragraph(_ text: String, _ style: Tone = .plain, indent: Int = 0) -> [Line] {
        let indent = min(indent, width / 4)
        return Glyphs.wrapped(text, to: width - indent).map {
            var line = Line(String(repeating: " ", count: indent))
            line.add($0, style)
            return line
        }
    }
}
