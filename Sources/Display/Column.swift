package import Telemetry

/// The status that an entity belongs to, and when it is looked at: some values need both.
package struct Context: Sendable {
    /// The whole.
    package let status: ClusterStatus
    /// When and from where.
    package let moment: Moment

    /// Of a status at a moment; unless told, when it was taken.
    package init(_ status: ClusterStatus, at moment: Moment? = nil) {
        self.status = status
        self.moment = moment ?? Moment(now: status.time, isLive: true)
    }
}

/// One value of an entity, as text; where there is room with what is behind it.
package struct Cell: Sendable {
    /// The same on every surface.
    package let text: String
    /// How it stands out in a terminal.
    package let tone: Tone
    /// The number behind a text that is rounded.
    package let exact: Int?
    /// What stands below it in smaller letters where there is room.
    package let note: String
    /// Drawn beside each other below the text where there is room.
    package let parts: [Part]
    /// What fills such a bar; nil for the largest one of the column.
    package let whole: Double?

    /// A part of a bar.
    package struct Part: Sendable {
        let name: String
        let value: Double
        let text: String
        /// Its place in the palette.
        let color: Int
    }

    /// A text, and what there is of the rest.
    package init(
        _ text: String = "", _ tone: Tone = .plain, exact: Int? = nil, note: String = "", parts: [Part] = [],
        of whole: Double? = nil
    ) {
        self.text = text
        self.tone = tone
        self.exact = exact
        self.note = note
        self.parts = parts
        self.whole = whole
    }

    /// A share with its bar, of one unless told otherwise.
    static func share(_ share: Double, _ tone: Tone = .plain, note: String = "", of whole: Double? = 1) -> Cell {
        let text = Quantity.percent(share)
        return Cell(text, tone, note: note, parts: [Part(name: "", value: share, text: text, color: 0)], of: whole)
    }

    /// A bar of several values, each in its color.
    static func bar(
        _ values: [(String, Double)], _ colors: [Int], of whole: Double? = nil, as text: (Double) -> String
    ) -> Cell {
        Cell(
            parts: zip(values, colors).map { Part(name: $0.0, value: $0.1, text: text($0.1), color: $1) }, of: whole)
    }
}

/// One property of an entity: every surface walks the same list of them.
package struct Column<Row>: Sendable {
    /// What kind of text its cells are.
    package enum Kind: Sendable { case number, fault, text, words, code, state }

    /// Its name, without the unit.
    package let title: String
    /// The unit of its numbers, or of which figure they are; begins with "/" where nothing stands between.
    package let unit: String
    /// What it means, in a few words.
    package let hint: String
    /// The smallest is left out first where a terminal is narrow; at 0 it stands only where a reader can scroll.
    package let importance: Int
    /// What kind of text its cells are.
    package let kind: Kind
    /// How far a text may be cut before a column is left out; nil for not at all.
    package let shortest: Int?
    /// Whether it has its shortest width even where all text is shorter.
    package let isSteady: Bool
    /// Whether only a terminal shows it: where there is room another column says the same.
    package let isNarrow: Bool
    /// What the API calls its exact value.
    package let name: String
    /// A row's value.
    package let cell: @Sendable (Row, Context) -> Cell

    package init(
        _ title: String, unit: String = "", _ importance: Int = 0, hint: String = "", name: String = "",
        kind: Kind = .number, shortest: Int? = nil, isSteady: Bool = false, isNarrow: Bool = false,
        _ cell: @escaping @Sendable (Row, Context) -> Cell
    ) {
        self.title = title
        self.unit = unit
        self.importance = importance
        self.hint = hint
        self.name = name
        self.kind = kind
        self.shortest = shortest
        self.isSteady = isSteady
        self.isNarrow = isNarrow
        self.cell = cell
    }

    /// Whether it is aligned at its right edge.
    package var isNumber: Bool { kind == .number || kind == .fault }

    /// Its title with the unit.
    package var head: String { titled(title) }

    /// The same in the capitals of a terminal's heads; units stay as they are.
    package var capitals: String { titled(title.uppercased()) }

    private func titled(_ title: String) -> String {
        title.isEmpty || unit.isEmpty || unit.hasPrefix("/") ? title + unit : "\(title) \(unit)"
    }

    // MARK: Kinds of values

    /// A number that names something.
    static func id(_ title: String, _ importance: Int, _ value: @escaping @Sendable (Row) -> Int) -> Column {
        Column(title, importance) { row, _ in Cell(String(value(row))) }
    }

    /// A count in at most five digits, unless told otherwise.
    static func count(
        _ title: String, _ importance: Int, _ value: @escaping @Sendable (Row) -> Int, hint: String = "",
        name: String = "", as text: @escaping @Sendable (Int) -> String = Quantity.count
    ) -> Column {
        Column(title, importance, hint: hint, name: name) { row, _ in Cell(text(value(row)), exact: value(row)) }
    }

    /// A count in all its digits.
    package static func exact(
        _ title: String, _ importance: Int, _ value: @escaping @Sendable (Row) -> Int, hint: String = "",
        name: String = ""
    ) -> Column { count(title, importance, value, hint: hint, name: name, as: Quantity.exact) }

    /// Bytes.
    static func bytes(
        _ title: String, _ importance: Int, _ value: @escaping @Sendable (Row) -> Int, hint: String = "",
        name: String = ""
    ) -> Column { count(title, importance, value, hint: hint, name: name, as: Quantity.bytes) }

    /// A count of something that should not happen: it stands out when it is not 0.
    static func fault(
        _ title: String, _ importance: Int, _ value: @escaping @Sendable (Row) -> Int, hint: String = "",
        name: String = ""
    ) -> Column {
        Column(title, importance, hint: hint, name: name, kind: .fault) { row, _ in
            let count = value(row)
            return Cell(Quantity.count(count), count > 0 ? .warning : .plain, exact: count)
        }
    }

    /// Megabytes a second; below them the bytes in all.
    static func traffic(
        _ title: String, _ importance: Int, _ rate: @escaping @Sendable (Row) -> Double,
        _ total: @escaping @Sendable (Row) -> Int
    ) -> Column {
        Column(title, unit: "MB/s", importance, hint: "below: in all") { row, _ in
            Cell(Quantity.megabytes(rate(row)), exact: total(row), note: Quantity.bytes(total(row)))
        }
    }

    /// A loss or an AUC.
    package static func metric(_ title: String, _ value: @escaping @Sendable (Row) -> Double?, hint: String = "")
        -> Column
    {
        Column(title, hint: hint) { row, _ in Cell(Quantity.metric(value(row))) }
    }

    /// Median, 99th percentile and maximum of times, a column each.
    static func times(_ title: String, _ value: @escaping @Sendable (Row) -> LatencyHistogram) -> [Column] {
        let figures: [(String, @Sendable (LatencyHistogram) -> Double)] = [
            ("p50", \.p50), ("p99", \.p99), ("max", \.max),
        ]
        return figures.map { name, figure in
            Column(title, unit: "\(name) ms") { row, _ in
                let times = value(row)
                return Cell(times.count > 0 ? Quantity.milliseconds(figure(times)) : Quantity.none)
            }
        }
    }

    /// A text at its left edge.
    package static func text(
        _ title: String, _ importance: Int, _ value: @escaping @Sendable (Row) -> String, hint: String = "",
        shortest: Int? = nil, kind: Kind = .text
    ) -> Column {
        Column(title, importance, hint: hint, kind: kind, shortest: shortest) { row, _ in Cell(value(row)) }
    }

    /// A state, in the color of its word.
    package static func state(_ title: String, _ importance: Int, _ word: @escaping @Sendable (Row) -> String) -> Column
    {
        Column(title, importance, kind: .state) { row, _ in Cell(word(row), Tone(of: word(row))) }
    }
}

/// Columns that belong together, by what they are ("Memory"): a table each beside the entity's number where there is room.
package typealias ColumnGroups<Row> = KeyValuePairs<String, [Column<Row>]>

extension String {
    /// With its first letter large.
    var capital: String { prefix(1).uppercased() + dropFirst() }
}
