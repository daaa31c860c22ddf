import Datasets
import Yams

/// Reads a configuration strictly: every key must be known, every value must make sense, every complaint has its place.
package enum ConfigReader {
    /// Problems that are told one by one; of more only the number.
    private static let toldProblems = 20

    /// Reads a file and lays `key.path=value` overrides over it.
    package static func read(path: String, overrides: [String] = []) throws -> JobConfig {
        let text: String
        do {
            text = try PlainYAML.text(of: path)
        } catch {
            throw ConfigError("\(path): cannot be read (\(error)); give the path of a config such as configs/din.yaml")
        }
        return try read(text: text, name: path, overrides: overrides)
    }

    /// Reads text; `name` stands for it in errors.
    package static func read(text: String, name: String, overrides: [String] = []) throws -> JobConfig {
        var root: Node
        do {
            root = try PlainYAML.compose(text) ?? [:]
        } catch {
            throw ConfigError(Self.complaint(error, name))
        }
        guard case .mapping = root else {
            throw ConfigError("\(name):1: expected `key: value` lines")
        }
        for override in overrides { try lay(override, over: &root) }
        var reading = Reading(root: root, name: name)
        let config = reading.config()
        let problems = reading.problems
        if let config, problems.isEmpty { return config }
        // Whatever was printed of a value, nobody reads a page of it.
        let told = problems.prefix(toldProblems).map { clipped($0, limit: 2000) }
        let rest = problems.count > toldProblems ? ["and \(problems.count - toldProblems) more"] : []
        throw ConfigError(problems: told + rest)
    }

    private static func complaint(_ error: any Error, _ name: String) -> String {
        guard let problem = error as? PlainYAML.Problem else { return "\(name): \(error)" }
        return "\(name)\(problem.line.map { ":\($0)" } ?? ""): \(problem.what)"
    }

    // MARK: Overrides

    private static func lay(_ override: String, over root: inout Node) throws {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, path.allSatisfy({ !$0.isEmpty }) else {
            throw ConfigError("command line: \(shown(override)) is no override; write key=value, as in train.batch=512")
        }
        let value: Node
        do {
            value = try PlainYAML.compose(parts[1].isEmpty ? "\"\"" : String(parts[1])) ?? Node("")
        } catch {
            let what = (error as? PlainYAML.Problem)?.what ?? "\(error)"
            throw ConfigError("command line: \(shown(override)): \(what)")
        }
        root = merged(path.reversed().reduce(withoutMarks(value)) { .mapping([Node($1): $0]) }, over: root)
    }

    /// A node that is of no line of the file.
    private static func withoutMarks(_ node: Node) -> Node {
        switch node {
        case .scalar(var scalar):
            scalar.mark = nil
            return .scalar(scalar)
        case .mapping(let mapping):
            return .mapping(
                .init(mapping.map { (withoutMarks($0.key), withoutMarks($0.value)) }, mapping.tag, mapping.style))
        case .sequence(let sequence):
            return .sequence(.init(sequence.map(withoutMarks), sequence.tag, sequence.style))
        case .alias: return node
        }
    }

    /// What is given laid over what is there; sections key by key.
    private static func merged(_ given: Node, over base: Node) -> Node {
        guard let keys = given.mapping, var whole = base.mapping else {
            // A section without keys says nothing, here as in a file.
            return base.mapping?.isEmpty != false || given.null == nil ? given : base
        }
        for (key, value) in keys { whole[key] = whole[key].map { merged(value, over: $0) } ?? value }
        return .mapping(whole)
    }
}

/// What is wrong with a configuration: all that could be found, each with its place.
package struct ConfigError: Error, CustomStringConvertible, Equatable {
    /// One line for each problem.
    package let problems: [String]

    /// All of them, in order.
    package init(problems: [String]) { self.problems = problems }

    init(_ problem: String) { problems = [problem] }

    package var description: String { problems.joined(separator: "\n") }
}

/// The name that is most like a misspelled one, if one is at all.
package func nearest(to name: String, among known: [String]) -> String? {
    let best = known.map { ($0, distance(Array(name), Array($0))) }.min { ($0.1, $0.0) < ($1.1, $1.0) }
    return best.flatMap { $0.1 <= max(2, name.count / 2) ? $0.0 : nil }
}

/// Edits that turn one word into the other (Levenshtein).
private func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, right) in b.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (left == right ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}

/// Where the keys of a configuration were given: a line of its file or the command line.
///
/// It stays beside the values, so that whoever finds out later that one does not fit can say where it stands. It is no
/// part of them: all places are equal.
package struct Places: Sendable, Equatable {
    private let name: String
    private let places: [String: String]

    package static func == (_: Places, _: Places) -> Bool { true }

    /// What stands for the file, and the place of every key that was given.
    init(name: String = "config", _ places: [String: String] = [:]) {
        self.name = name
        self.places = places
    }

    /// The place of a key or of the nearest section that it is in; the file where it is a default.
    package func of(_ key: String) -> String {
        var path = key[...]
        while places[String(path)] == nil, let dot = path.lastIndex(of: ".") { path = path[..<dot] }
        return places[String(path)] ?? name
    }
}
