import Telemetry

/// Characters as a terminal shows them: how many columns they take, and how texts are cut and wrapped.
package enum Glyphs {
    /// Columns that a text takes.
    package static func width(of text: String) -> Int {
        text.utf8.allSatisfy { $0 < 128 } ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return scalar.properties.isEmojiPresentation ? 2 : 1
        }
    }

    /// The beginning of a text that fits into a number of columns, with `…` at its end if it is not all.
    package static func clipped(_ text: String, to columns: Int) -> String {
        guard width(of: text) > columns else { return text }
        guard columns > 0 else { return "" }
        var cut = String.UnicodeScalarView()
        var used = 0
        for scalar in text.unicodeScalars {
            let wide = width(of: scalar)
            guard used + wide < columns else { break }
            cut.append(scalar)
            used += wide
        }
        return String(cut) + "…"
    }

    /// A text as lines of a number of columns, broken between words; a word that is too long is broken anywhere.
    package static func wrapped(_ text: String, to columns: Int) -> [String] {
        let columns = max(1, columns)
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in paragraph.split(separator: " ") {
                var rest = String(word).harmless
                if !line.isEmpty, width(of: line) + 1 + width(of: rest) <= columns {
                    line += " " + rest
                    continue
                }
                if !line.isEmpty { lines.append(line) }
                while width(of: rest) > columns {
                    let head = beginning(of: rest, columns)
                    lines.append(head)
                    rest.removeFirst(head.count)
                }
                line = rest
            }
            // The last word may have ended with a line.
            if !line.isEmpty || paragraph.isEmpty { lines.append(line) }
        }
        return lines
    }

    /// At least one character, however wide.
    private static func beginning(of text: String, _ columns: Int) -> String {
        var head = ""
        for character in text {
            guard head.isEmpty || width(of: head) + width(of: String(character)) <= columns else { break }
            head.append(character)
        }
        return head
    }
}
