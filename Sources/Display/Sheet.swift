package import Telemetry

/// Lists of columns as tables of HTML: of the page, which a script keeps up to date, or of a report, which nothing moves.
package struct Sheet {
    /// Where the tables stand.
    package enum Medium { case page, report }

    /// More rows than this are folded in a report: a reader of the whole does not scroll through 256 workers.
    private static let most = 32
    private let medium: Medium
    private let context: Context
    var status: ClusterStatus { context.status }
    var isPage: Bool { medium == .page }

    /// Of a status as it was when it was taken.
    package init(_ medium: Medium, _ status: ClusterStatus) {
        self.medium = medium
        context = Context(status)
    }

    /// A row an entity; it scrolls in its own box, so that the page never does sideways.
    ///
    /// - Parameters:
    ///   - id: by which a script finds it.
    ///   - mark: attributes of a row.
    package func table<Row>(
        _ id: String, _ label: String, _ columns: [Column<Row>], _ rows: [Row], empty: String = "",
        mark: (Row) -> Markup = { _ in "" }
    ) -> Markup {
        if rows.isEmpty { return empty.isEmpty ? "" : "<p class=\"empty\">\(empty)</p>" }
        let columns = columns.filter { !$0.isNarrow }
        let heads: [Markup] = columns.map { column in
            let kind = Markup.attribute("class", column.isNumber ? "n" : "")
            return "<th scope=\"col\"\(kind)\(Markup.attribute("title", column.hint))>\(column.head)</th>"
        }
        let cells = rows.map { row in columns.map { $0.cell(row, context) } }
        let largest = columns.indices.map { place in
            cells.reduce(0) { max($0, $1[place].parts.reduce(0) { $0 + $1.value }) }
        }
        let lines: [Markup] = zip(rows, cells).map { row, cells in
            let tags: [Markup] = columns.indices.map { place in
                tag(cells[place], columns[place], of: cells[place].whole ?? largest[place], isFirst: place == 0)
            }
            return "<tr\(mark(row))>\(tags)</tr>\n"
        }
        return """
            \(legend(cells))<div class="scroll" tabindex="0" role="region" aria-label="\(label)">\
            <table\(Markup.attribute("id", isPage ? id : ""))>
            <thead><tr>\(heads)</tr></thead><tbody>
            \(lines)</tbody></table></div>

            """
    }

    /// A table that is folded where a report's reader would scroll through it.
    ///
    /// - Parameter seen: the rows of it that stay in sight.
    package func folded<Row>(
        _ id: String, _ label: String, _ columns: [Column<Row>], _ rows: [Row], seen: [Row] = [], empty: String = "",
        mark: (Row) -> Markup = { _ in "" }
    ) -> Markup {
        let whole = table(id, label, columns, rows, empty: empty, mark: mark)
        guard !isPage, rows.count > Self.most else { return whole }
        return "\(table("", label, columns, seen))\(details(label, rows.count, whole))"
    }

    /// Groups of columns, a table each, beside the entity's own first one; the page folds them all.
    ///
    /// - Parameter sums: by a group's title what is shown above all others in it.
    func groups<Row>(
        _ name: String, _ groups: ColumnGroups<Row>, _ number: Column<Row>, _ rows: [Row],
        sums: [String: Row] = [:], mark: (Row) -> Markup = { _ in "" }
    ) -> Markup {
        guard !rows.isEmpty else { return "" }
        let tables: [Markup] = groups.map { title, columns in
            let label = "\(title.lowercased()) of \(name)s"
            let sum = rows.count > 1 ? sums[title].map { [$0] } ?? [] : []
            let table = folded(
                "\(name)s-\(title.lowercased())", label, [number] + columns, sum + rows, seen: sum,
                mark: mark)
            return isPage
                ? details(label, sum.count + rows.count, table) : "<div><h3>\(title)</h3>\(table)</div>"
        }
        return isPage ? "\(tables)" : "<div class=\"grid2\">\(tables)</div>"
    }

    private func details(_ label: String, _ count: Int, _ content: Markup) -> Markup {
        "<details><summary>\(label) (\(count) rows)</summary>\(content)</details>"
    }

    // MARK: Cells

    private func tag<Row>(_ cell: Cell, _ column: Column<Row>, of whole: Double, isFirst: Bool) -> Markup {
        let note: Markup = cell.note.isEmpty ? "" : "<small>\(cell.note)</small>"
        let isFault = column.kind == .fault && (cell.exact ?? 0) > 0
        let text: Markup = column.kind == .state ? state(cell.text) : "\(isFault ? "! " : "")\(cell.text)"
        let content: Markup = "\(text)\(bar(cell, of: whole))\(note)"
        if isFirst {
            return "<th scope=\"row\"\(Markup.attribute("class", column.kind == .code ? "id" : ""))>\(content)</th>"
        }
        let kind =
            switch column.kind {
            case .number: "n"
            case .fault: isFault ? "n bad" : "n quiet"
            case .words: "words"
            case .code: "id"
            case .text: cell.parts.isEmpty ? "" : "time"
            case .state: ""
            }
        var attributes = Markup.attribute("class", kind)
        if let exact = cell.exact {
            if isPage {
                attributes = "\(attributes)\(Markup.attribute("data-name", column.name)) data-value=\"\(exact)\""
            }
            // A text that was rounded says all its digits to whoever points at it.
            let digits = Quantity.exact(exact)
            let isRounded = cell.text != digits && !cell.text.hasPrefix("\(digits) ")
            attributes = "\(attributes)\(Markup.attribute("title", isRounded ? digits : ""))"
        }
        return "<td\(attributes)>\(content)</td>"
    }

    /// A word with its sign: color is never the only difference.
    package func state(_ name: String) -> Markup {
        name.isEmpty ? "" : "<span class=\"state \(name)\">\(icon(name))\(name)</span>"
    }

    /// One of the page's signs; a report has none.
    package func icon(_ name: String) -> Markup {
        !isPage ? "" : "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-\(name)\"/></svg>"
    }

    /// Parts after each other; together they fill the bar where they are as much as `whole`.
    private func bar(_ cell: Cell, of whole: Double) -> Markup {
        guard !cell.parts.isEmpty else { return "" }
        var left = 0.0
        let pieces: [Markup] = cell.parts.compactMap { part in
            let share = whole > 0 && whole.isFinite && part.value.isFinite ? part.value / whole : 0
            let width = max(0, min(100 - left, 100 * share))
            defer { left += width }
            guard width > 0 else { return nil }
            let title = "\(part.name) \(part.text)"
            return isPage
                ? """
                <rect class="c\(part.color)" x="\(Quantity.fixed(left, 2))" width="\(Quantity.fixed(width, 2))" height="1">\
                <title>\(title)</title></rect>
                """
                : """
                <i class="c\(part.color)" style="width:\(Quantity.fixed(width, 2))%" title="\(title)"></i>
                """
        }
        guard isPage else { return "<span class=\"stack\">\(pieces)</span>" }
        let label = cell.text.isEmpty ? cell.parts.map { "\($0.name) \($0.text)" }.joined(separator: ", ") : cell.text
        return """
            <svg class="\(cell.text.isEmpty ? "shares" : "bar")" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" \
            aria-label="\(label)"><rect class="track" width="100" height="1"/>\(pieces)</svg>
            """
    }

    /// What the colors of a table's bars mean.
    private func legend(_ rows: [[Cell]]) -> Markup {
        let parts = rows.first?.flatMap(\.parts).filter { !$0.name.isEmpty } ?? []
        let keys: [Markup] = parts.map {
            "<span class=\"key\"><i class=\"c\($0.color)\"></i>\($0.name)</span> "
        }
        return keys.isEmpty ? "" : "<p class=\"note\">\(keys)</p>"
    }
}
