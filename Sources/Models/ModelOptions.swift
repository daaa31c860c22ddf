package import Datasets
import Tensors

/// Which model is trained, and its options: `kind: din` beside the options of that model.
///
/// ```yaml
/// kind: din
/// preset: din-dien-code      # optional: where the options start from
/// top: { hidden: [200, 80] } # over the preset's, or over the defaults
/// ```
///
/// Indirect, as the options of a model are large and copied often.
package indirect enum ModelOptions: Codable, Sendable, Equatable {
    /// The baseline.
    case base(Base.Options)
    /// The Deep Interest Network.
    case din(DIN.Options)
    /// The Deep Interest Evolution Network.
    case dien(DIEN.Options)
    /// The Deep Session Interest Network.
    case dsin(DSIN.Options)
    /// The Behavior Sequence Transformer.
    case bst(BST.Options)

    /// The names of the models.
    package enum Kind: String, Choice { case base, din, dien, dsin, bst }

    /// The key that stands beside a model's own.
    package enum CodingKeys: String, CodingKey { case kind }

    /// The defaults of a model.
    package init(_ kind: Kind = .din) {
        switch kind {
        case .base: self = .base(Base.Options())
        case .din: self = .din(DIN.Options())
        case .dien: self = .dien(DIEN.Options())
        case .dsin: self = .dsin(DSIN.Options())
        case .bst: self = .bst(BST.Options())
        }
    }

    /// Reads whole options; the reader of configurations lays what is given over defaults.
    package init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind) {
        case .base: self = .base(try Base.Options(from: decoder))
        case .din: self = .din(try DIN.Options(from: decoder))
        case .dien: self = .dien(try DIEN.Options(from: decoder))
        case .dsin: self = .dsin(try DSIN.Options(from: decoder))
        case .bst: self = .bst(try BST.Options(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try described.options.encode(to: encoder)
    }

    /// The options that published experiments were run with, by name; what is trained how is not part of them.
    private static let presets: [String: ModelOptions] = [
        Base.presets.mapValues(ModelOptions.base), DIN.presets.mapValues(ModelOptions.din),
        DIEN.presets.mapValues(ModelOptions.dien), DSIN.presets.mapValues(ModelOptions.dsin),
        BST.presets.mapValues(ModelOptions.bst),
    ].reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }

    /// The options of any case, as what they have in common, and which model they are of.
    private var described: (kind: Kind, options: any AnyModelOptions) {
        switch self {
        case .base(let options): (.base, options)
        case .din(let options): (.din, options)
        case .dien(let options): (.dien, options)
        case .dsin(let options): (.dsin, options)
        case .bst(let options): (.bst, options)
        }
    }

    // MARK: Any model

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

    /// Which model.
    package var kind: Kind { described.kind }

    /// Throws the first setting that makes no sense, whatever the schema.
    package func validate() throws(ModelError) { try described.options.validate() }

    /// Lays out the model for the features of a schema.
    package func make(schema: Schema) throws(ModelError) -> any Model { try described.options.make(schema: schema) }

    /// The features of a schema that the model does not take, by group: "context features (city, hour)".
    package func unread(of schema: Schema) -> [String] {
        let options = described.options
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
}
