/// How a run was configured.
enum ReportSettings {
    private static let settings: [Column<(key: String, value: String, usual: String)>] = [
        Column("Key", kind: .code) { row, _ in Cell(row.key) },
        Column("Value", kind: .code) { row, _ in Cell(row.value) },
        Column("Default", kind: .code) { row, _ in Cell(row.usual) },
    ]

    /// What was set, and the whole.
    static func configuration(_ run: RecordedRun, _ sheet: Sheet) -> Markup {
        guard !run.config.isEmpty else { return "" }
        let whole: Markup =
            "<details><summary>the whole configuration</summary><pre>\(run.config)</pre></details>"
        guard !run.defaults.isEmpty else { return whole }
        let usual = Dictionary(settings(of: run.defaults).map { ($0.key, $0.value) }) { first, _ in first }
        let rows = settings(of: run.config).filter { usual[$0.key] != $0.value }.map {
            (key: $0.key, value: $0.value, usual: usual[$0.key] ?? Quantity.none)
        }
        return "\(sheet.folded("", "changed keys", settings, rows, empty: "Every key has its default."))\(whole)"
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
