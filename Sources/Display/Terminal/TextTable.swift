import Telemetry

/// Aligned columns that fit into a width: the least important ones are left out before anything would wrap.
package struct TextTable<Row> {
    /// Between two columns.
    private let gap = 2
    private let columns: [Column<Row>]
    private let rows: [[Span]]

    /// A row an entity; texts that nobody has take no column.
    package init(_ columns: [Column<Row>], _ rows: [Row], _ context: Context = Context(ClusterStatus())) {
        let columns = columns.filter { $0.importance > 0 }
        let cells = rows.map { row in
            columns.map { column in
                let cell = column.cell(row, context)
                return Span(cell.text, cell.tone)
            }
        }
        let shown = columns.indices.filter { place in
            columns[place].isNumber || rows.isEmpty || cells.contains { !$0[place].text.isEmpty }
        }
        self.columns = shown.map { columns[$0] }
        self.rows = cells.map { row in shown.map { row[$0] } }
    }

    /// The header and the rows.
    package func lines(width: Int) -> [Line] {
        let widths = fit(width)
        let header = columns.map { Span($0.capitals, .bold) }
        return ([header] + rows).map { line($0, widths).clipped(to: width) }
    }

    /// A width for every column; 0 for one that is left out.
    private func fit(_ width: Int) -> [Int] {
        let natural = columns.indices.map { column in
            let least = columns[column].isSteady ? columns[column].shortest ?? 0 : 0
            return rows.reduce(max(least, Glyphs.width(of: columns[column].capitals))) { max($0, $1[column].width) }
        }
        var kept = Set(columns.indices)
        while true {
            var widths = columns.indices.map { kept.contains($0) ? natural[$0] : 0 }
            var excess = kept.reduce(0) { $0 + widths[$1] } + gap * (kept.count - 1) - width
            // The widest texts give first.
            while excess > 0,
                let widest = kept.filter({ widths[$0] > shortest(of: $0, natural) })
                    .max(by: { (widths[$0], $1) < (widths[$1], $0) })
            {
                widths[widest] -= 1
                excess -= 1
            }
            guard excess > 0, kept.count > 1,
                let least = kept.min(by: { (columns[$0].importance, -$0) < (columns[$1].importance, -$1) })
            else {
                refill(&widths, room: -excess, natural)
                return widths.map { min($0, max(0, width)) }
            }
            kept.remove(least)
        }
    }

    /// Takes back what still fits: a wide column may have gone after narrow ones that did not help.
    private func refill(_ widths: inout [Int], room: Int, _ natural: [Int]) {
        var room = room
        let gone = columns.indices.filter { widths[$0] == 0 }
            .sorted { (columns[$1].importance, $0) < (columns[$0].importance, $1) }
        for column in gone where natural[column] + gap <= room {
            widths[column] = natural[column]
            room -= natural[column] + gap
        }
    }

    private func shortest(of column: Int, _ natural: [Int]) -> Int {
        guard let shortest = columns[column].shortest else { return natural[column] }
        return min(natural[column], max(shortest, Glyphs.width(of: columns[column].capitals)))
    }

    private func line(_ cells: [Span], _ widths: [Int]) -> Line {
        var line = Line()
        for column in columns.indices where widths[column] > 0 {
            if !line.spans.isEmpty { line.add(String(repeating: " ", count: gap)) }
            let cell = Span(Glyphs.clipped(cells[column].text, to: widths[column]), cells[column].style)
            let space = String(repeating: " ", count: widths[column] - cell.width)
            if columns[column].isNumber, !space.isEmpty { line.add(space) }
            line.add(cell)
            if !columns[column].isNumber, !space.isEmpty { line.add(space) }
        }
        return line
    }
}
