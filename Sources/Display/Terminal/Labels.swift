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
