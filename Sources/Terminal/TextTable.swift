import Display

/// Aligned columns that fit into a width: the least important ones are left out before anything would wrap.
package struct TextTable: Sendable {
    /// One column.
    package struct Column: Sendable {
        let title: String
        let isText: Bool
        let importance: Int
        let shortest: Int?
        var isSteady = false

        /// A column of numbers, at its right edge.
        ///
        /// - Parameter importance: the column with the smallest one is left out first.
        package static func number(_ title: String, _ importance: Int) -> Column {
            Column(title: title, isText: false, importance: importance, shortest: nil)
        }

        /// A column of text, at its left edge.
        ///
        /// - Parameter shortest: how far it may be cut before a column is left out; nil for not at all.
        package static func text(_ title: String, _ importance: Int, shortest: Int? = nil) -> Column {
            Column(title: title, isText: true, importance: importance, shortest: shortest)
        }

        /// A column of text that changes all the time: it has its shortest width even where all text is shorter, so that
        /// other columns do not come and go with it.
        package static func steady(_ title: String, _ importance: Int, shortest: Int) -> Column {
            Column(title: title, isText: true, importance: importance, shortest: shortest, isSteady: true)
        }
    }

    /// Between two columns.
    private static let gap = 2
    private let columns: [Column]
    private let rows: [[Span]]

    /// Every row has a cell for every column.
    package init(_ columns: [Column], _ rows: [[Span]]) {
        self.columns = columns
        self.rows = rows
    }

    /// The header and the rows.
    package func lines(width: Int) -> [Line] {
        let widths = fit(width)
        let header = columns.map { Span($0.title, .bold) }
        return ([header] + rows).map { line($0, widths).clipped(to: width) }
    }

    /// A width for every column; 0 for one that is left out.
    private func fit(_ width: Int) -> [Int] {
        let natural = columns.indices.map { column in
            let least = columns[column].isSteady ? columns[column].shortest ?? 0 : 0
            return rows.reduce(max(least, Glyphs.width(of: columns[column].title))) { max($0, $1[column].width) }
        }
        var kept = Set(columns.indices)
        while true {
            var widths = columns.indices.map { kept.contains($0) ? natural[$0] : 0 }
            var excess = kept.reduce(0) { $0 + widths[$1] } + Self.gap * (kept.count - 1) - width
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
        for column in gone where natural[column] + Self.gap <= room {
            widths[column] = natural[column]
            room -= natural[column] + Self.gap
        }
    }

    private func shortest(of column: Int, _ natural: [Int]) -> Int {
        guard let shortest = columns[column].shortest else { return natural[column] }
        return min(natural[column], max(shortest, Glyphs.width(of: columns[column].title)))
    }

    private func line(_ cells: [Span], _ widths: [Int]) -> Line {
        var line = Line()
        for column in columns.indices where widths[column] > 0 {
            if !line.spans.isEmpty { line.add(String(repeating: " ", count: Self.gap)) }
            let cell = Span(Glyphs.clipped(cells[column].text, to: widths[column]), cells[column].style)
            let space = String(repeating: " ", count: widths[column] - cell.width)
            if !columns[column].isText, !space.isEmpty { line.add(space) }
            line.add(cell)
            if columns[column].isText, !space.isEmpty { line.add(space) }
        }
        return line
    }
}
