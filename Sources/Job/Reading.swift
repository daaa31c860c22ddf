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

    /// The configuration, as far as it can be told; it is good if there are no problems.
    mutating func config() -> JobConfig? {
        do {
            guard let defaults = defaults(), let base = try PlainYAML.compose(defaults.yaml()) else { return nil }
            var whole = laid(root, over: base, [])
            while problems.count < 1000 {
                do {
                    var config = try YAMLDecoder().decode(JobConfig.self, from: whole)
                    if problems.isEmpty { problems = config.problems.map { "\(place(of: $0.key)): \($0.text)" } }
                    config.places = Places(name: name, places(in: root, []))
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
        guard let keys = given.mapping, let known = base.mapping, !known.isEmpty else {
            refuseOldNumbers(in: given, where: base, path)
            return given
        }
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

    /// Complains of numbers that mean something else to YAML than to people; a text may look like one.
    private mutating func refuseOldNumbers(in given: Node, where base: Node, _ path: [String]) {
        if let keys = given.mapping {
            for (key, value) in keys { refuseOldNumbers(in: value, where: "0", path + [key.string ?? "?"]) }
        } else if let list = given.sequence {
            for value in list { refuseOldNumbers(in: value, where: base.sequence?.first ?? "0", path) }
        } else if base.scalar.map({ Double($0.string) != nil }) ?? true, let problem = PlainYAML.oldNumber(given) {
            problems.append("\(place(of: given)): \(clipped(path.joined(separator: "."))) \(problem)")
        }
    }

    // MARK: Complaints

    private mutating func complain(unknown text: String, _ key: Node, among names: [String], _ path: [String]) {
        let text = clipped(text)
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
        var value = Self.node(key[...], in: root)
        var verb = "is"
        let index = context.codingPath.dropFirst(key.count).first?.intValue
        if let index, let list = value?.sequence { (value, verb) = (list[index], "holds") }
        let found =
            switch value {
            case .scalar(let scalar): shown(scalar.string)
            case .mapping: "a section of keys"
            default: "a list"
            }
        let expected =
            type.map { "expected " + words(for: $0, key, of: base, isElement: index != nil) }
            ?? context.debugDescription
        let full = key.joined(separator: ".")
        problems.append("\(place(of: full)): \(clipped(full)) \(verb) \(found), \(expected)")
        return key
    }

    /// What a key takes, shown by its default and by the range that it is held to.
    private func words(for type: Any.Type, _ key: [String], of base: Node, isElement: Bool) -> String {
        let known = Self.node(key[...], in: base)
        var words = PlainYAML.words(for: type)
        if let list = known?.sequence, !isElement || words == "one value" {
            let example = list.compactMap(\.scalar?.string).joined(separator: ", ")
            words = "\(isElement ? "single values" : "a list"), as in [\(example)]"
        } else if words == "one value" {
            words = known?.scalar.map { "one value, as in \($0.string)" } ?? "a section of keys"
        }
        guard let range = range(of: key, in: base) else { return words }
        return range.hasPrefix(words) ? range : words + ", " + range
    }

    /// The range of a number, in the words of the complaint about one that is far outside; nil of what has none.
    private func range(of key: [String], in base: Node) -> String? {
        let full = key.joined(separator: ".")
        for probe in ["-1000000000000000", "[-1000000000000000]"] {
            let whole = try? PlainYAML.compose(probe).map { Self.replaced(key[...], in: base, by: $0) }
            guard let whole else { continue }
            do {
                let config = try YAMLDecoder().decode(JobConfig.self, from: whole)
                if let problem = config.problems.first(where: { $0.key == full }) { return problem.expected }
            } catch DecodingError.dataCorrupted(let found) {
                // No choice.
                return found.debugDescription.replacing("expected ", with: "")
            } catch {
                continue
            }
        }
        return nil
    }

    /// Where the value of a key was given: a line of the file or the command line; the file where it is a default.
    private func place(of key: String) -> String {
        let path = key.split(separator: ".").map(String.init)
        return Self.node(path[...], in: root).map { place(of: $0) } ?? name
    }

    /// The places of all keys that were given.
    private func places(in node: Node, _ path: [String]) -> [String: String] {
        var found = path.isEmpty ? [:] : [path.joined(separator: "."): place(of: node)]
        for (key, value) in node.mapping ?? [:] {
            found.merge(places(in: value, path + [key.string ?? "?"])) { $1 }
        }
        return found
    }

    private func place(of node: Node) -> String { node.mark.map { "\(name):\($0.line)" } ?? "command line" }

    // MARK: Trees

    private static func node(_ path: ArraySlice<String>, in node: Node) -> Node? {
        guard let key = path.first else { return node }
        return node.mapping?[Node(key)].flatMap { Self.node(path.dropFirst(), in: $0) }
    }

    private static func replaced(_ path: ArraySlice<String>, in node: Node, by other: Node) -> Node {
        guard let key = path.first, var mapping = node.mapping else { return other }
        mapping[Node(key)] = mapping[Node(key)].map { replaced(path.dropFirst(), in: $0, by: other) } ?? other
        return .mapping(mapping)
    }
}
