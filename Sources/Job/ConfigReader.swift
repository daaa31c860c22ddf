import Foundation
import Models
import Parameters
import Yams

/// Reads a configuration strictly: every key must be known, every value must make sense, every complaint has its place.
package enum ConfigReader {
    /// Reads a file and lays `key.path=value` overrides over it.
    package static func read(path: String, overrides: [String] = []) throws -> JobConfig {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ConfigError(problems: ["\(path): cannot be read; give the path of a config such as configs/din.yaml"])
        }
        return try read(text: text, name: path, overrides: overrides)
    }

    /// Reads text; `name` stands for it in errors.
    package static func read(text: String, name: String, overrides: [String] = []) throws -> JobConfig {
        var root: Node
        do {
            root = try Yams.compose(yaml: text) ?? empty
        } catch {
            throw ConfigError(problems: ["\(name): is no YAML: \(error)"])
        }
        guard case .mapping = root else {
            throw ConfigError(problems: ["\(name):1: expected `key: value` lines"])
        }
        for override in overrides { try lay(override, over: &root) }
        let config: JobConfig
        do {
            config = try YAMLDecoder().decode(JobConfig.self, from: root)
        } catch let error as DecodingError {
            throw ConfigError(problems: [describe(error, in: root, name)])
        } catch {
            throw ConfigError(problems: ["\(name): \(error)"])
        }
        var problems: [String] = []
        let whole = try Yams.compose(yaml: config.yaml()) ?? empty
        findUnknown(root, whole, [], name, &problems)
        if problems.isEmpty { problems = config.problems.map { "\(name): \($0)" } }
        guard problems.isEmpty else { throw ConfigError(problems: problems) }
        return config
    }

    private static var empty: Node { .mapping(Node.Mapping([])) }

    // MARK: Overrides

    private static func lay(_ override: String, over root: inout Node) throws {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ConfigError(problems: [
                "command line: '\(override)' is no override; write key=value, as in train.batch=512"
            ])
        }
        let text = parts[1].isEmpty ? "\"\"" : String(parts[1])
        guard let value = try? Yams.compose(yaml: text) else {
            throw ConfigError(problems: ["command line: the value of '\(override)' is no YAML"])
        }
        set(value, at: parts[0].split(separator: ".").map(String.init)[...], in: &root)
    }

    private static func set(_ value: Node, at path: ArraySlice<String>, in node: inout Node) {
        guard let key = path.first else {
            node = value
            return
        }
        var child = node.mapping?[Node(key)] ?? empty
        set(value, at: path.dropFirst(), in: &child)
        var mapping = node.mapping ?? Node.Mapping([])
        mapping[Node(key)] = child
        node = .mapping(mapping)
    }

    // MARK: Complaints

    /// Keys that the effective configuration does not have.
    private static func findUnknown(
        _ given: Node, _ whole: Node, _ path: [String], _ name: String, _ problems: inout [String]
    ) {
        guard let mapping = given.mapping, let known = whole.mapping else { return }
        let names = known.compactMap { $0.key.string }
        var seen: Set<String> = []
        for (key, value) in mapping {
            let text = key.string ?? "?"
            let full = (path + [text]).joined(separator: ".")
            if !seen.insert(text).inserted { problems.append("\(place(key, name)): '\(full)' is given twice") }
            if let child = known[Node(text)] {
                findUnknown(value, child, path + [text], name, &problems)
            } else if full != "model.preset" {
                let hint = nearest(to: text, among: names).map { "did you mean '\($0)'? " } ?? ""
                problems.append(
                    "\(place(key, name)): unknown key '\(full)'; \(hint)Known here: \(names.joined(separator: ", "))")
            }
        }
    }

    private static func place(_ node: Node, _ name: String) -> String {
        node.mark.map { "\(name):\($0.line)" } ?? "command line"
    }

    private static func describe(_ error: DecodingError, in root: Node, _ name: String) -> String {
        let (context, problem): (DecodingError.Context, String)
        switch error {
        case .typeMismatch(let type, let found): (context, problem) = (found, "expected \(words(for: type))")
        case .valueNotFound(let type, let found): (context, problem) = (found, "expected \(words(for: type))")
        case .keyNotFound(let key, let found): (context, problem) = (found, "key '\(key.stringValue)' is missing")
        case .dataCorrupted(let found): (context, problem) = (found, found.debugDescription)
        @unknown default: return "\(name): \(error)"
        }
        var node = root
        for key in context.codingPath {
            guard let child = node.mapping?[Node(key.stringValue)] else { break }
            node = child
        }
        let value = node.scalar.map { " is '\($0.string)'," } ?? ":"
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return "\(place(node, name)): \(path)\(value) \(problem)"
    }

    private static func words(for type: Any.Type) -> String {
        switch type {
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        default: "a section of keys"
        }
    }
}
