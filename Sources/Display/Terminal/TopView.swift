package import Telemetry

/// What `myriad top` shows and how keys change it; drawing is a pure function of it, the status and the size.
package struct TopView: Sendable, Equatable {
    /// What fills the screen below the figures.
    package enum Pane: Sendable { case shards, workers, processes, hot, help }

    /// What a key asks for.
    package enum Reply: Sendable, Equatable { case redraw, ignore, quit, suspend }

    /// What fills the screen.
    package private(set) var pane = Pane.shards
    /// By what shards are ordered.
    package private(set) var order = ShardOrder.number
    /// Rows that are scrolled away.
    package private(set) var offset = 0
    /// The table whose hot ids are shown.
    package private(set) var table = 0

    /// Shards by number.
    package init() {}

    /// Takes what was typed: one key, or an escape sequence.
    package mutating func type(_ bytes: [UInt8]) -> Reply {
        switch bytes {
        case [27], [3], Array("q".utf8), Array("Q".utf8): return .quit
        case [26]: return .suspend
        case Array("s".utf8):
            show(.shards)
            order = order.next
        case Array("h".utf8): show(pane == .hot ? .shards : .hot)
        case Array("w".utf8): show(pane == .workers ? .shards : .workers)
        case Array("p".utf8): show(pane == .processes ? .shards : .processes)
        case Array("?".utf8): show(pane == .help ? .shards : .help)
        case Array("t".utf8):
            guard pane == .hot else { return .ignore }
            table += 1
        case Array("j".utf8), Array("\u{1b}[B".utf8), Array("\u{1b}OB".utf8): offset += 1
        case Array("k".utf8), Array("\u{1b}[A".utf8), Array("\u{1b}OA".utf8): offset = max(0, offset - 1)
        case Array(" ".utf8), Array("\u{1b}[6~".utf8): offset += 10
        case Array("b".utf8), Array("\u{1b}[5~".utf8): offset = max(0, offset - 10)
        case [12]: break
        default: return .ignore
        }
        return .redraw
    }

    private mutating func show(_ next: Pane) {
        if pane != next { offset = 0 }
        pane = next
    }

    /// Exactly `height` lines, none wider than `width`.
    ///
    /// - Parameter trouble: why there is no news, if there is none.
    package mutating func frame(_ scene: Scene, series: [SeriesPoint], trouble: String = "", height: Int) -> [Line] {
        guard scene.width > 0, height > 0 else { return [] }
        var lines = [titleBar(scene)]
        let head = summary(scene, series: series, trouble: trouble)
        // The table keeps at least six lines; a small window shows fewer figures.
        lines += head.prefix(max(0, min(head.count, height - 8)))
        if height > 12 { lines.append(Line()) }
        lines += body(scene, height: max(0, height - lines.count - 1))
        lines = Array(lines.prefix(height - 1))
        while lines.count < height - 1 { lines.append(Line()) }
        lines.append(footer(width: scene.width))
        return lines.suffix(height).map { $0.clipped(to: scene.width) }
    }

    private func titleBar(_ scene: Scene) -> Line {
        let (status, time) = (scene.status, "\(Quantity.clock(scene.moment.now)) UTC")
        let left = " \(status.title)  \(status.job.state.rawValue)  \(status.progress)"
        var line = Line(Glyphs.clipped(left, to: max(1, scene.width - time.count - 2)), .bar)
        line.pad(to: scene.width - time.count - 1, .bar)
        line.add(time + " ", .bar)
        return line
    }

    private func summary(_ scene: Scene, series: [SeriesPoint], trouble: String) -> [Line] {
        let (status, job) = (scene.status, scene.status.job)
        var lines: [Line] = []
        let news = trouble.isEmpty ? scene.moment.provenance(of: status) : trouble
        if !news.isEmpty { lines.append(Line(news, trouble.isEmpty ? .dim : .warning)) }
        if let failure = status.failure {
            lines.append(Line("failed first: \(failure.headline)", .bad))
            lines.append(Line("remedy: \(failure.remedy)", .bold))
        }
        if !status.limitedBy.isEmpty {
            var line = Line("limited by ", .dim)
            line.add(status.limitedBy, .bold)
            lines.append(line)
        }
        func curve(_ label: String, _ value: String, _ values: [Double?], fromZero: Bool = false, _ style: Tone) {
            var line = Line(label, .dim)
            line.pad(to: 12)
            line.add(value, .bold)
            line.pad(to: 21)
            // The last two minutes, a column a second, where there is room.
            let room = max(0, min(120, scene.width - 22))
            line.add(Sparkline.text(Array(values.suffix(room)), width: room, fromZero: fromZero), style)
            lines.append(line)
        }
        curve("samples/s", Quantity.rate(status.speed), series.map(\.samplesPerSecond), fromZero: true, .good)
        curve("train loss", Quantity.metric(job.loss), series.map(\.loss), .accent)
        curve("train AUC", Quantity.metric(job.auc), series.map(\.auc), .accent)
        lines.append(facts(scene))
        // What is over within the second would only make the table jump.
        let waits = status.isOver ? [] : status.waits.filter { $0.seconds >= 1 }.prefix(2)
        return lines
            + waits.map {
                Line(
                    "\($0.who) waits \(Quantity.duration($0.seconds)) for \($0.name)", $0.seconds > 5 ? .warning : .dim)
            }
    }

    private func facts(_ scene: Scene) -> Line {
        let status = scene.status
        var parts = ["rows \(Quantity.count(status.rows))", Quantity.bytes(status.memory)]
        if let left = status.remaining { parts.append("ETA \(Quantity.duration(left))") }
        if let best = status.best { parts.append("best validation AUC \(Quantity.metric(best.auc))") }
        if let checkpoint = status.job.checkpoint { parts.append("checkpoint \(scene.moment.ago(checkpoint.time))") }
        return Line(parts.joined(separator: "  "))
    }

    private mutating func body(_ scene: Scene, height: Int) -> [Line] {
        switch pane {
        case .help: return Array(Self.help.prefix(height))
        case .hot: return scrolled(hot(scene), fixed: 2, height: height)
        case .workers:
            let waits = scene.status.isOver ? [] : [Line()] + scene.waits
            return filled(scene.workers, [waits], scene, height: height)
        case .processes: return filled(scene.nodes, [], scene, height: height)
        case .shards:
            let more = [
                scene.balance, scene.parked(from: 1), [Line()] + scene.workers, [Line()] + scene.nodes,
            ]
            return filled(scene.shards(by: order), more, scene, height: height)
        }
    }

    /// A table, scrolled where it is too long; else what else there is fills the rest, a section whole or not at all, and
    /// what happened comes last.
    private mutating func filled(_ table: [Line], _ more: [[Line]], _ scene: Scene, height: Int) -> [Line] {
        guard table.count <= height else { return scrolled(table, fixed: 1, height: height) }
        offset = 0
        var lines = table
        for section in more where lines.count + section.count <= height { lines += section }
        let room = height - lines.count - 1
        if room > 0, !scene.status.events.isEmpty { lines += [Line()] + scene.events(min(room, 10)) }
        return lines
    }

    private mutating func hot(_ scene: Scene) -> [Line] {
        let tables = scene.status.tables
        guard !tables.isEmpty else { return [Line("no table is known yet")] }
        table %= tables.count
        return scene.hotIds(tables[table], count: 64)
    }

    /// The lines that fit; the first ones stay, and the last one counts what is missing.
    private mutating func scrolled(_ lines: [Line], fixed: Int, height: Int) -> [Line] {
        guard lines.count > height, height > fixed + 1 else {
            offset = 0
            return Array(lines.prefix(height))
        }
        let rows = height - fixed - 1
        offset = min(offset, lines.count - fixed - rows)
        let shown = lines[(fixed + offset)..<(fixed + offset + rows)]
        let below = lines.count - fixed - offset - rows
        return lines[..<fixed] + shown + [Line("\(offset) above, \(below) below (arrows, j, k)", .dim)]
    }

    private func footer(width: Int) -> Line {
        // In a list of one table's ids, `t` is what one looks for.
        let second = pane == .hot ? ("t", "next table") : ("s", "sort: \(order.rawValue)")
        let keys = [("q", "quit"), second, ("h", "hot ids"), ("w", "workers"), ("p", "processes"), ("?", "help")]
        var line = Line()
        for (key, what) in keys {
            let next = (line.spans.isEmpty ? 0 : 2) + key.count + 1 + what.count
            guard line.width + next <= width else { continue }
            if !line.spans.isEmpty { line.add("  ") }
            line.add(key, .bold)
            line.add(" \(what)", .dim)
        }
        return line
    }

    private static let help = [
        "q, Esc, Ctrl-C   quit",
        "s                shards by number, rows, traffic, latency, busy",
        "h                hot ids of a table; t: the next table",
        "w                workers",
        "p                processes",
        "j, k, arrows     scroll; space, b: by ten",
        "Ctrl-Z           suspend",
        "?                this, and back",
        "",
        "traffic and rates: over the last seconds; after the end: means over the run",
        "queue: messages that wait; parked: pulls that wait for a step",
        "inc: how often a process of that role and rank was started; address: as the scheduler sees it",
        "stale: steps that 99 % of pulls were behind at most; lag: of the slowest worker",
    ].map { Line($0) }
}
