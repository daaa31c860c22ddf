import Telemetry

/// What a run ran on, and how it was configured.
enum ReportSettings {
    /// Versions and machines.
    static func environment(_ status: ClusterStatus) -> Markup {
        let job = status.job
        let facts = [
            ("myriad", job.version), ("Swift", job.build.swift), ("ZeroMQ", job.build.zeromq),
            ("OpenBLAS", job.build.openblas), ("processor", job.build.processor), ("directory", job.directory),
            ("scheduler", job.scheduler), ("job", job.id),
        ].filter { !$0.1.isEmpty }
        guard !facts.isEmpty || !status.nodes.isEmpty else { return "" }
        let cards = facts.map { "<div><dt>\($0.0)</dt><dd><small>\($0.1)</small></dd></div>" as Markup }
        let hosts = Dictionary(grouping: status.nodes, by: \.host).sorted { $0.key < $1.key }
        let machines = hosts.map { host, nodes -> [Markup] in
            // Threads of one process tell its memory each.
            let processes = Dictionary(grouping: nodes, by: \.pid).values.compactMap { same in
                same.map(\.process).max { $0.peakBytes < $1.peakBytes }
            }
            return [
                "\(host)", "\(processes.count)", "\(Figures.bytes(processes.total(\.peakBytes)))",
                "\(Figures.seconds(processes.reduce(0) { $0 + $1.processorSeconds }))",
            ]
        }
        let nodes = status.nodes.map { node -> [Markup] in
            [
                "\(node.role) \(node.rank)", "<span class=\"\(node.state.rawValue)\">\(node.state.rawValue)</span>",
                "\(node.host)", "\(node.address)", "\(node.pid)", "\(Int(node.incarnation))",
                "\(Figures.bytes(node.process.residentBytes))",
                "\(Figures.bytes(node.process.peakBytes))", "\(Figures.seconds(node.process.processorSeconds))",
                "\(node.process.threads)", "\(node.process.openFiles)",
                "<code>\(node.endpoints.joined(separator: " "))</code>",
            ]
        }
        return """
            <dl class="cards">\(cards)</dl>
            <h3>Machines</h3>\(Grid(["<host", "processes", "peak memory", "processor time"], machines, summary: "hosts").markup)
            <h3>Nodes</h3>\(Grid([
                "<node", "<state", "<host", "<address", "process", "incarnation", "memory", "peak", "processor time",
                "threads", "files", "<listens on",
            ], nodes, summary: "nodes").markup)
            """
    }

    /// What was set, and the whole.
    static func configuration(_ run: RecordedRun) -> Markup {
        guard !run.config.isEmpty else { return "" }
        let whole: Markup =
            "<details><summary>the whole configuration</summary><pre>\(lines: run.config)</pre></details>"
        guard !run.defaults.isEmpty else { return whole }
        let usual = Dictionary(settings(of: run.defaults).map { ($0.key, $0.value) }) { first, _ in first }
        let rows = settings(of: run.config).filter { usual[$0.key] != $0.value }.map { setting -> [Markup] in
            [
                "<code>\(setting.key)</code>", "<code>\(setting.value)</code>",
                "<code>\(usual[setting.key] ?? "–")</code>",
            ]
        }
        let changed: Markup =
            rows.isEmpty
            ? "<p>Every key has its default.</p>"
            : Grid(["<key", "<value", "<default"], rows, summary: "changed keys").markup
        return "\(changed)\n\(whole)"
    }

    /// The keys of a configuration as `myriad config show` prints it: blocks of two spaces, lists in lines of their own.
    static func settings(of yaml: String) -> [(key: String, value: String)] {
        var path: [(depth: Int, name: String)] = []
        var found: [(key: String, value: String)] = []
        for line in yaml.split(separator: "\n") {
            let text = line.drop { $0 == " " }
            let depth = line.count - text.count
            if text.hasPrefix("- "), let last = found.indices.last {
                found[last].value += (found[last].value.isEmpty ? "" : ", ") + text.dropFirst(2)
                continue
            }
            guard let colon = text.firstIndex(of: ":") else { continue }
            path.removeAll { $0.depth >= depth }
            let name = String(text[..<colon])
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            // The section above has no value of its own.
            if let parent = path.last, let last = found.last, last.value.isEmpty,
                last.key == path.map(\.name).joined(separator: "."), parent.depth < depth
            {
                found.removeLast()
            }
            path.append((depth, name))
            found.append((path.map(\.name).joined(separator: "."), String(value)))
        }
        return found
    }
}
