import Telemetry

extension Tone {
    /// The escape sequence that switches it on; nil for plain text.
    var sequence: String? {
        switch self {
        case .plain: nil
        case .bold: "\u{1b}[1m"
        case .dim: "\u{1b}[2m"
        case .good: "\u{1b}[32m"
        case .warning: "\u{1b}[33m"
        case .bad: "\u{1b}[1;31m"
        case .accent: "\u{1b}[36m"
        case .bar: "\u{1b}[7m"
        }
    }
}

/// Text in one style, made harmless: whatever a node calls itself, it cannot steer the terminal.
package struct Span: Sendable, Equatable {
    /// Without control characters.
    package let text: String
    /// How it looks.
    package let style: Tone
    /// Columns that it takes.
    package let width: Int

    package init(_ text: String, _ style: Tone = .plain) {
        self.text = text.harmless
        self.style = style
        width = Glyphs.width(of: self.text)
    }
}

/// One line of output: spans from left to right.
package struct Line: Sendable, Equatable {
    /// From left to right.
    package private(set) var spans: [Span] = []

    package init() {}

    package init(_ text: String, _ style: Tone = .plain) { spans = [Span(text, style)] }

    /// Adds text at the right.
    package mutating func add(_ text: String, _ style: Tone = .plain) { spans.append(Span(text, style)) }

    /// Adds a span at the right.
    package mutating func add(_ span: Span) { spans.append(span) }

    /// Adds spaces up to a column.
    package mutating func pad(to column: Int, _ style: Tone = .plain) {
        let missing = column - width
        if missing > 0 { add(String(repeating: " ", count: missing), style) }
    }

    /// Columns that it takes.
    package var width: Int { spans.reduce(0) { $0 + $1.width } }

    /// The text alone, without spaces at its end.
    package var text: String {
        let all = spans.map(\.text).joined()
        guard let last = all.lastIndex(where: { $0 != " " }) else { return "" }
        return String(all[...last])
    }

    /// Cut to a number of columns; `…` tells that something is missing.
    package func clipped(to columns: Int) -> Line {
        guard width > columns else { return self }
        var line = Line()
        for span in spans {
            let room = columns - line.width
            guard room > 0 else { break }
            let isCut = span.width > room
            line.add(isCut ? Glyphs.clipped(span.text, to: room) : span.text, span.style)
            if isCut { break }
        }
        return line
    }

    /// For a terminal that understands colors.
    package var colored: String {
        var all = ""
        for span in spans {
            if let sequence = span.style.sequence {
                all += sequence + span.text + "\u{1b}[0m"
            } else {
                all += span.text
            }
        }
        return all
    }
}
