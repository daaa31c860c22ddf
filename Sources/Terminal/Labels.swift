import Telemetry

/// States as words, in a color that repeats them.
extension Span {
    init(state: NodeStatus.State) {
        let style: Style =
            switch state {
            case .waiting: .warning
            case .running: .good
            case .restarted: .accent
            case .lost: .bad
            case .done: .dim
            }
        self.init(state.rawValue, style)
    }

    init(state: JobStatus.State) {
        let style: Style =
            switch state {
            case .waiting: .warning
            case .running: .good
            case .failed: .bad
            case .stopped: .warning
            case .finished: .accent
            }
        self.init(state.rawValue, style)
    }

    /// A count of something that should not happen.
    init(fault count: Int) { self.init(Quantity.count(count), count > 0 ? .warning : .plain) }
}

/// Lines of text that is longer than one.
extension Line {
    /// A title and its text; where the text is too long it goes on below itself.
    static func labeled(_ label: String, _ text: String, _ style: Style = .plain, width: Int) -> [Line] {
        let column = min(13, max(0, width - 10))
        var lines: [Line] = []
        for (index, part) in Glyphs.wrapped(text, to: width - column).enumerated() {
            var line = Line(index == 0 ? Glyphs.clipped(label, to: max(1, column - 1)) : "", .dim)
            line.pad(to: column)
            line.add(part, style)
            lines.append(line)
        }
        return lines
    }

    /// A paragraph.
    static func paragraph(_ text: String, _ style: Style = .plain, indent: Int = 0, width: Int) -> [Line] {
        let indent = min(indent, width / 4)
        return Glyphs.wrapped(text, to: width - indent).map {
            var line = Line(String(repeating: " ", count: indent))
            line.add($0, style)
            return line
        }
    }
}
