/// Bars within tables, and what their colors mean.
enum Bars {
    /// One part of a bar.
    struct Part {
        let name: String
        let value: Double
        let color: Int
    }

    /// Parts after each other; a bar of `whole` fills its cell.
    static func stack(_ parts: [Part], of whole: Double, label: (Double) -> String) -> Markup {
        guard whole > 0, whole.isFinite else { return "<span class=\"stack\"></span>" }
        var left = 100.0
        let pieces = parts.compactMap { part -> Markup? in
            guard part.value > 0, part.value.isFinite else { return nil }
            let width = min(left, 100 * part.value / whole)
            left -= width
            return """
                <i style="width:\(Figures.fixed(width, 2))%;background:var(--c\(part.color))" \
                title="\(part.name) \(label(part.value))"></i>
                """
        }
        return "<span class=\"stack\">\(Markup(stringLiteral: pieces.map(\.text).joined()))</span>"
    }

    /// One bar.
    static func bar(_ value: Double, of whole: Double, color: Int = 0, label: (Double) -> String) -> Markup {
        stack([Part(name: "", value: value, color: color)], of: whole, label: label)
    }

    /// Names and colors.
    static func legend(_ names: [(name: String, color: Int)]) -> Markup {
        """
        <ul class="legend">\(names.map { """
            <li><span class="swatch" style="background:var(--c\($0.color))"></span>\($0.name)</li>
            """ as Markup })</ul>
        """
    }
}

/// A table that scrolls by itself where the page is too narrow.
struct Grid {
    /// One column.
    struct Column {
        let title: String
        var isNumber = true
    }

    /// Longer ones are folded: a reader of the whole does not scroll through 256 workers.
    private static let most = 32

    let columns: [Column]
    let rows: [[Markup]]
    /// What is in it, for a folded one.
    var summary = ""

    /// Numbers but for the titles with a leading "<", which are left-aligned.
    init(_ titles: [String], _ rows: [[Markup]], summary: String = "") {
        columns = titles.map {
            Column(title: $0.hasPrefix("<") ? String($0.dropFirst()) : $0, isNumber: !$0.hasPrefix("<"))
        }
        self.rows = rows
        self.summary = summary
    }

    var markup: Markup {
        guard !rows.isEmpty else { return "" }
        let head = columns.map { column -> Markup in
            column.isNumber
                ? "<th scope=\"col\" class=\"n\">\(column.title)</th>" : "<th scope=\"col\">\(column.title)</th>"
        }
        let body = rows.map { row -> Markup in
            let cells = zip(columns, row).map { column, cell -> Markup in
                column.isNumber ? "<td class=\"n\">\(cell)</td>" : "<td>\(cell)</td>"
            }
            return "<tr>\(Markup(stringLiteral: cells.map(\.text).joined()))</tr>"
        }
        let table: Markup = """
            <div class="wide" tabindex="0"><table><thead><tr>\(head)</tr></thead><tbody>
            \(body)
            </tbody></table></div>
            """
        guard rows.count > Self.most else { return table }
        return "<details><summary>\(summary.isEmpty ? "all" : summary) (\(rows.count) rows)</summary>\(table)</details>"
    }
}
