package import Telemetry

/// Every process of the job and what it does: the one table of `status`, `top`, `launch` and `scheduler`.
package enum NodeView {
    /// One row a process.
    ///
    /// - Parameter isBrief: who is there and how each stands, without the figures of the processes.
    package static func lines(_ status: ClusterStatus, width: Int, isBrief: Bool = false) -> [Line] {
        TextTable(isBrief ? NodeColumns.brief : NodeColumns.main, status.nodes, Context(status)).lines(width: width)
    }
}

/// One row a worker: its speed, where its time goes, and which shard it waits for.
package enum WorkerView {
    /// The table.
    package static func lines(_ status: ClusterStatus, width: Int) -> [Line] {
        TextTable(WorkerColumns.main, status.workers, Context(status)).lines(width: width)
    }
}

/// The ids that most samples contain, with how sure that is.
package enum HotIdView {
    /// A table's head and its ids.
    package static func lines(_ table: TableStatus, count: Int, width: Int) -> [Line] {
        let lines = Line.paragraph(table.summary, .plain, width: width)
        let rows = TableColumns.ranked(table, most: count)
        guard !rows.isEmpty else { return lines + Line.paragraph("no id was counted yet", width: width) }
        return lines + TextTable(TableColumns.hot, rows).lines(width: width)
    }
}

/// What happened, newest last.
package enum EventView {
    /// The last events, a line each.
    package static func lines(_ events: [EventStatus], count: Int, width: Int) -> [Line] {
        events.suffix(count).map { event in
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
}

/// Why the job failed: who first, how, and what to do.
package enum FailureView {
    /// The report, whole.
    package static func lines(_ failure: FailureReport, width: Int) -> [Line] {
        Line.labeled("failed first", failure.headline, .bad, width: width)
            + failure.facts.flatMap {
                Line.labeled($0.name, $0.text, $0.name == "remedy" ? .bold : .plain, width: width)
            } + failure.lastLines.flatMap { Line.paragraph($0, .dim, indent: 4, width: width) }
    }
}
