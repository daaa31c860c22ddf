import Tensors
package import Yams

/// Reads YAML that people write: a regular file of some pages that holds nothing but plain values.
///
/// Aliases, anchors and tags are refused before anything is composed: 800 bytes of them can stand for a tree without end.
package enum PlainYAML {
    /// Why a file or a text is not read.
    package struct Problem: Error, CustomStringConvertible {
        /// The line that it is about, where there is one.
        package var line: Int?
        /// What is wrong.
        package let what: String

        package var description: String { (line.map { "line \($0): " } ?? "") + what }
    }

    /// Bytes of a file: a configuration and a dataset's description are some thousand.
    package static let limit = 1 << 20

    /// The text of a file, without the mark that some editors begin it with; throws what is wrong, its path in front.
    package static func text(of path: String) throws -> String { try Files.text(of: path, limit: limit) }

    /// The tree of a text; nil of an empty one.
    package static func compose(_ text: String) throws -> Node? {
        guard text.utf8.count <= limit else {
            throw Problem(what: "it has \(text.utf8.count) bytes, at most \(limit) are read")
        }
        if let line = indirection(in: text) {
            throw Problem(
                line: line,
                what: "aliases (*), anchors (&) and tags (!) are not read here; write the value out, in quotes if it "
                    + "begins like one")
        }
        do {
            let root = try Yams.compose(yaml: text)
            if let root { try refuseOverflows(in: root) }
            return root
        } catch let error as YamlError {
            throw problem(error)
        }
    }

    private static func problem(_ error: YamlError) -> Problem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            Problem(line: mark.line, what: "is no YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            Problem(
                line: context.mark.line,
                what: "is no YAML: duplicated key \(keys.prefix(3).map { shown($0) }.joined(separator: ", "))")
        case .reader(let problem, _, _, _): Problem(what: "is no YAML: \(problem)")
        default: Problem(what: "is no YAML: \(clipped("\(error)"))")
        }
    }

    /// The content of a text, read strictly: no key is unknown, and none is missing that has no default.
    package static func decode<Content: Codable>(from text: String, over defaults: Content? = nil) throws -> Content {
        guard let root = try compose(text), let given = root.mapping else {
            throw Problem(line: 1, what: "expected `key: value` lines")
        }
        var whole = root
        if let defaults, var keys = try Yams.compose(yaml: YAMLEncoder().encode(defaults))?.mapping {
            for (key, value) in given where value.null == nil { keys[key] = value }
            whole = .mapping(keys)
        }
        let content: Content
        do {
            content = try YAMLDecoder().decode(Content.self, from: whole)
        } catch let error as DecodingError {
            throw Problem(what: words(for: error))
        }
        // What is written again has every key that was understood.
        if let known = try Yams.compose(yaml: YAMLEncoder().encode(content)) {
            try refuseUnknown(root, beside: known, "")
        }
        return content
    }

    private static func refuseUnknown(_ given: Node, beside known: Node, _ path: String) throws {
        if let given = given.mapping, let known = known.mapping {
            for (key, value) in given {
                let name = key.string ?? "?"
                guard let child = known[Node(name)] else {
                    throw Problem(
                        line: key.mark?.line,
                        what: "unknown key \(shown(path + name)); known here: "
                            + known.compactMap(\.key.string).joined(separator: ", "))
                }
                try refuseUnknown(value, beside: child, path + name + ".")
            }
        } else if let given = given.sequence, let known = known.sequence {
            for (value, child) in zip(given, known) { try refuseUnknown(value, beside: child, path) }
        } else if given.string != known.string, let problem = oldNumber(given) {
            // A text is written again as it was.
            throw Problem(line: given.mark?.line, what: problem)
        }
    }

    /// What is wrong with a value that is to be a number, as YAML 1.1 reads it otherwise than people do: 010 is 8 there, and
    /// 1:30 is 90; nil if nothing is.
    package static func oldNumber(_ node: Node) -> String? {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any, isOldNumber(scalar.string)
        else {
            return nil
        }
        return
            "has \(shown(scalar.string)), another number to YAML than to people: write it without leading zeros and colons"
    }

    /// Throws at values that Yams cannot read as a number by sixties without an overflow, whatever they are to be.
    private static func refuseOverflows(in node: Node) throws {
        for (_, value) in node.mapping ?? [:] { try refuseOverflows(in: value) }
        for value in node.sequence ?? [] { try refuseOverflows(in: value) }
        guard let text = node.scalar?.string, oldNumber(node) != nil, text.contains(":"), text.utf8.count > 14 else {
            return
        }
        throw Problem(
            line: node.mark?.line,
            what: "has \(shown(text)), a number by sixties that is too large: write it in quotes if it is a text")
    }

    private static func isOldNumber(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { part in
            part.utf8.filter { $0 != UInt8(ascii: "_") }.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        }
        // By sixties: each part may be a number of any form.
        if parts.count > 1 {
            return parts.allSatisfy { Double(String(decoding: $0, as: UTF8.self)) != nil }
        }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let last = parts.last, let first = last.first else { return false }
        return first == UInt8(ascii: "0") && last.count > 1 && last.allSatisfy(digits.contains)
    }

    /// What a value has to be that is not of its type.
    package static func words(for type: Any.Type) -> String {
        switch type {
        case is UInt64.Type: "a whole number, 0 to \(UInt64.max)"
        case is Int.Type, is Int64.Type: "a whole number"
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
