import Safetensors
package import Yams

/// Reads YAML that people write: a regular file of some pages that holds nothing but plain values.
///
/// Aliases, anchors and tags are refused before anything is composed: 800 bytes of them can stand for a tree without end.
package enum PlainYAML {
    /// Why a file or a text is not read.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    /// Bytes of a file: a configuration and a dataset's description are some thousand.
    package static let limit = 1 << 20

    /// The text of a file, without the mark that some editors begin it with; throws what is wrong, its path in front.
    package static func text(of path: String) throws -> String {
        let file = try MappedFile(path: path)
        guard file.bytes.count <= limit else {
            throw Problem(description: "\(path): has \(file.bytes.count) bytes, at most \(limit) are read")
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw Problem(description: "\(path): is not UTF-8 text")
        }
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// The tree of a text; nil of an empty one.
    package static func compose(_ text: String) throws -> Node? {
        guard text.utf8.count <= limit else {
            throw Problem(description: "it has \(text.utf8.count) bytes, at most \(limit) are read")
        }
        if let line = indirection(in: text) {
            throw Problem(
                description: "line \(line): aliases (*), anchors (&) and tags (!) are not read here; write the value "
                    + "out, in quotes if it begins like one")
        }
        return try Yams.compose(yaml: text)
    }

    /// What a value has to be that is not of its type.
    package static func words(for type: Any.Type) -> String {
        switch type {
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is Node.Sequence.Type: "a list"
        case is Node.Mapping.Type: "a section of keys"
        default: "one value"
        }
    }

    /// What is wrong with a value that cannot be decoded, its key in front.
    package static func words(for error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let found), .valueNotFound(let type, let found):
            "\(key(found)): expected \(words(for: type))"
        case .keyNotFound(let key, let found):
            "lacks the key \((found.codingPath + [key]).map(\.stringValue).joined(separator: "."))"
        case .dataCorrupted(let found): "\(key(found)): \(found.debugDescription)"
        @unknown default: "\(error)"
        }
    }

    private static func key(_ context: DecodingError.Context) -> String {
        context.codingPath.map(\.stringValue).joined(separator: ".")
    }

    /// The line in which a value begins with `*`, `&` or `!`; nil where none does.
    ///
    /// It looks into quoted text too, and into comments once there was a quote: it may refuse too much, never too little.
    private static func indirection(in text: String) -> Int? {
        var line = 1
        /// Whether a value may begin here, or does so behind the next blank.
        var (isStart, isPending) = (true, false)
        var (isComment, isBehindBlank, hasQuotes) = (false, true, false)
        /// Open brackets; with quotes between them nobody knows.
        var (depth, isDepthSure) = (0, true)
        var last: Unicode.Scalar = "\n"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                if scalar == "\n" { line += 1 }
                (isStart, isPending, isComment, isBehindBlank) = (true, false, false, true)
            case _ where isComment: break
            case " ", "\t", "\u{FEFF}": (isStart, isPending, isBehindBlank) = (isStart || isPending, false, true)
            case "#" where isBehindBlank && !hasQuotes: isComment = true
            case "*", "&", "!":
                if isStart { return line }
                (isPending, isBehindBlank) = (false, false)
            case "[", "{":
                if isStart || depth > 0 { (depth, isStart) = (depth + 1, true) }
                (isPending, isBehindBlank) = (false, false)
            case "]", "}":
                if isDepthSure { depth = max(0, depth - 1) }
                (isStart, isPending, isBehindBlank) = (false, false, false)
            case ",": (isStart, isPending, isBehindBlank) = (depth > 0, false, false)
            case _ where (scalar == ":" || scalar == "?") && (depth > 0 || last == "\"" || last == "'"):
                (isStart, isPending, isBehindBlank) = (true, false, false)
            case ":": (isStart, isPending, isBehindBlank) = (false, true, false)
            case "-", "?":
                (isStart, isPending, isBehindBlank) = (false, isStart || (isPending && last == scalar), false)
            default:
                if scalar == "\"" || scalar == "'" { (hasQuotes, isDepthSure) = (true, isDepthSure && depth == 0) }
                (isStart, isPending, isBehindBlank) = (false, false, false)
            }
            last = scalar
        }
        return nil
    }
}
