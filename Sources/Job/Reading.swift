import Datasets
import Foundation
import Models
import Parameters
import Yams

/// One reading of a configuration: the user's keys laid over the defaults that they choose, and what is wrong with them.
struct Reading {
    /// What the user wrote; nodes of the command line have no mark.
    let root: Node
    /// What stands for the file in complaints.
    let name: String
    /// The complaints so far, each with its place.
    private(set) var problems: [String] = []

    init(root: Node, name: String) {
        self.root = root
        self.name = name
    }

    /// The configuration, as far as it can be told; it is good if there are no problems.
    mutating func config() -> JobConfig? {
        do {
            guard let defaults = defaults(), let base = try PlainYAML.compose(defaults.yaml()) else { return nil }
            var whole = laid(root, over: base, [])
            while problems.count < 1000 {
                do {
                    let config = try YAMLDecoder().decode(JobConfig.self, from: whole)
                    if problems.isEmpty {
                        problems = config.problems.map { "\(place(of: $0.key)): \($0.key) is \($0.problem)" }
                    }
                    return config
                } catch let error as DecodingError {
                    // The next mistake shows once this one is undone.
                    var path = complain(error, base)[...]
                    while Self.node(path, in: base) == nil { path.removeLast() }
                    whole = Self.replaced(path, in: whole, by: Self.node(path, in: base) ?? base)
                }
            }
        } catch {
            problems.append("\(name): \(error)")
        }
        return nil
    }

    // MARK: Laying keys over defaults

    /// The defaults that are laid under: a model's kind or preset, an optimizer's kind and the batch choose some of them.
    private mutating func defaults() -> JobConfig? {
        var config = JobConfig()
        func word(_ path: String...) -> String? { Self.node(path[...], in: root)?.scalar?.string }
        do {
            config.model = try ModelOptions(kind: word("model", "kind"), preset: word("model", "preset"))
        } catch {
            // Which keys a model has is not known now.
            problems.append("\(place(of: error.key)): \(error)")
            return nil
        }
        func choose(_ section: String, _ optimizer: inout OptimizerOptions) {
            guard let kind = word(section, "optimizer", "kind").flatMap(OptimizerOptions.Kind.init) else { return }
            optimizer = OptimizerOptions(kind: kind)
        }
        choose("rows", &config.rows.optimizer)
        choose("dense", &config.dense.optimizer)
        if let batch = word("train", "batch").flatMap({ Int($0) }), batch > 0 {
            config.train.microBatch = min(config.train.microBatch, batch)
        }
        return config
    }

    /// The defaults with everything that is given put in its place; an empty section of theirs takes any keys.
    private mutating func laid(_ given: Node, over base: Node, _ path: [String]) -> Node {
        guard given.null == nil else {
            // A section without keys says nothing; a key without a value was meant to say something.
            let key = path.joined(separator: ".")
            if base.mapping == nil {
                problems.append(
                    "\(place(of: given)): \(key) has no value: give it one, \"\" if need be, or leave it out")
            }
            return base
        }
        guard let keys = given.mapping, let known = base.mapping, !known.isEmpty else { return given }
        var whole = known
        for (key, value) in keys {
            let text = key.string ?? "?"
            if let child = known[Node(text)] {
                whole[Node(text)] = laid(value, over: child, path + [text])
            } else if path != ["model"] || text != "preset" {
                complain(unknown: text, key, among: known.compactMap(\.key.string), path)
            }
        }
        return .mapping(whole)
    }

    // MARK: Complaints

    private mutating func complain(unknown text: String, _ key: Node, among names: [String], _ path: [String]) {
        let hint = problems.count < 50 ? nearest(to: text, among: names).map { "did you mean '\($0)'? " } ?? "" : ""
        problems.append(
            "\(place(of: key)): unknown key '\((path + [text]).joined(separator: "."))'; \(hint)Known here: "
                + names.joined(separator: ", "))
    }

    /// Says why a value is not what its key takes; returns the path of the key.
    private mutating func complain(_ error: DecodingError, _ base: Node) -> [String] {
        let (context, type): (DecodingError.Context, Any.Type?)
        switch error {
        case .typeMismatch(let expected, let found), .valueNotFound(let expected, let found):
            (context, type) = (found, expected)
        case .keyNotFound(_, let found), .dataCorrupted(let found): (context, type) = (found, nil)
        @unknown default: (context, type) = (.init(codingPath: [], debugDescription: "\(error)"), nil)
        }
        let key = context.codingPath.prefix { $0.intValue == nil }.map(\.stringValue)
        var (value, base) = (Self.node(key[...], in: root), Self.node(key[...], in: base))
        var verb = "is"
        if let index = context.codingPath.dropFirst(key.count).first?.intValue, let list = value?.sequence {
            (value, base, verb) = (list[index], nil, "holds")
        }
        let found =
            switch value {
            case .scalar(let scalar): "'\(scalar.string)'"
            case .mapping: "a section of keys"
            default: "a list"
            }
        let expected = type.map { "expected " + words(for: $0, base) } ?? context.debugDescription
        let full = key.joined(separator: ".")
        problems.append("\(place(of: full)): \(full) \(verb) \(found), \(expected)")
        return key
    }

    /// What a key takes, shown by its default.
    private func words(for type: Any.Type, _ base: Node?) -> String {
        if let list = base?.sequence {
            return "a list, as in [\(list.compactMap(\.scalar?.string).joined(separator: ", "))]"
        }
        let words = PlainYAML.words(for: type)
        return words == "one value" ? base?.scalar.map { words + ", as in \($0.string)" } ?? "a section of keys" : words
    }

    /// Where the value of a key was given: a line of the file or the command line; the file where it is a default.
    private func place(of key: String) -> String {
        let path = key.split(separator: ".").map(String.init)
        return Self.node(path[...], in: root).map { place(of: $0) } ?? name
    }

    private func place(of node: Node) -> String { node.mark.map { "\(name):\($0.line)" } ?? "command line" }

    // MARK: Trees

    private static func node(_ path: ArraySlice<String>, in node: Node) -> Node? {
        guard let key = path.first else { return node }
        return node.mapping?[Node(key)].flatMap { Self.node(path.dropFirst(), in: $0) }
    }

    private static func replaced(_ path: ArraySlice<String>, in node: Node, by other: Node) -> Node {
        guard let key = path.first, var mapping = node.mapping, let child = mapping[Node(key)] else { return other }
        mapping[Node(key)] = replaced(path.dropFirst(), in: child, by: other)
        return .mapping(mapping)
    }
}
