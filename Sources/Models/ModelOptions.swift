package import Datasets
import Tensors

/// Which model is trained, and its options: `kind: din` beside the options of that model.
///
/// ```yaml
/// kind: din
/// preset: din-dien-code      # optional: where the options start from
/// top: { hidden: [200, 80] } # over the preset's, or over the defaults
/// ```
package struct ModelOptions: Codable, Sendable {
    /// The names of the models.
    package enum Kind: String, Choice {
        /// The baseline, then the Deep Interest Network and its successors.
        case base, din, dien, dsin, bst

        /// What the paper adds to the frame.
        fileprivate var network: any InterestNetwork.Type {
            switch self {
            case .base: Base.self
            case .din: DIN.self
            case .dien: DIEN.self
            case .dsin: DSIN.self
            case .bst: BST.self
            }
        }
    }

    /// The key that stands beside a model's own.
    package enum CodingKeys: String, CodingKey { case kind }

    /// Which model.
    package let kind: Kind
    /// Its options: `FramedOptions` of its network.
    let options: any AnyModelOptions

    /// The options that published experiments were run with, by name; what is trained how is not part of them.
    private static let presets = Kind.allCases.reduce(into: [String: ModelOptions]()) { all, kind in
        for (name, options) in kind.network.published { all[name] = ModelOptions(kind: kind, options: options) }
    }
}

extension ModelOptions: Equatable {
    /// All presets, sorted.
    package static var presetNames: [String] { presets.keys.sorted() }

    /// The options that published experiments were run with.
    package init(preset name: String) throws(ModelError) {
        guard let options = Self.presets[name] else { throw .preset(name) }
        self = options
    }

    /// What the keys `kind` and `preset` choose: options that those of the user are laid over; DIN's unless told.
    package init(kind: String?, preset: String?) throws(ModelError) {
        let kinds = Kind.allCases.map(\.rawValue)
        if let kind { try check(kinds.contains(kind), "kind", shown(kind), "one of \(kinds.joined(separator: ", "))") }
        guard let preset else {
            self.init(kind.flatMap(Kind.init) ?? .din)
            return
        }
        try self.init(preset: preset)
        guard let kind, kind != self.kind.rawValue else { return }
        let fit = Self.presets.filter { $0.value.kind.rawValue == kind }.keys.sorted().joined(separator: ", ")
        throw .option("preset", found: shown(preset), expected: "one of model \(kind): \(fit)")
    }

    /// Throws the first setting that makes no sense, whatever the schema.
    package func validate() throws(ModelError) { try options.validate() }

    /// Lays out the model for the features of a schema.
    package func make(schema: Schema) throws(ModelError) -> any Model { try options.make(schema: schema) }

    /// The features of a schema that the model does not take, by group: "context features (city, hour)".
    package func unread(of schema: Schema) -> [String] {
        let takes = Set(options.frame.input)
        var groups: [(String, [String])] = []
        if !takes.contains(.user) { groups.append(("user", schema.user.map(\.name))) }
        if !takes.contains(.context) { groups.append(("context", schema.context.map(\.name))) }
        if !takes.contains(.numeric) { groups.append(("numeric", schema.numeric)) }
        if !options.takesWholeBehaviors {
            groups.append(("behavior", schema.behavior.dropFirst(schema.comparedCount).map(\.name)))
        }
        return groups.filter { !$0.1.isEmpty }.map { "\($0.0) features (\($0.1.joined(separator: ", ")))" }
    }

    /// The defaults of a model.
    package init(_ kind: Kind = .din) { self.init(kind: kind, options: kind.network.defaults) }

    /// Reads whole options; the reader of configurations lays what is given over defaults.
    package init(from decoder: any Decoder) throws {
        kind = try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind)
        options = try kind.network.options(from: decoder)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try options.encode(to: encoder)
    }

    package static func == (a: Self, b: Self) -> Bool { a.options.equals(b.options) }
}

extension InterestNetwork {
    /// The options of published experiments, of whichever model.
    fileprivate static var published: [String: any AnyModelOptions] { presets }
    /// The defaults of the model.
    fileprivate static var defaults: any AnyModelOptions { Options() }
    /// Whole options of the model.
    fileprivate static func options(from decoder: any Decoder) throws -> any AnyModelOptions {
        try Options(from: decoder)
    }
}

extension Equatable {
    /// Whether another value is of this type and equal.
    fileprivate func equals(_ other: any Equatable) -> Bool { self == other as? Self }
}
