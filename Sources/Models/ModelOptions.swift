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

    /// The names of the models.
    package enum Kind: String, Choice { case base, din, dien, dsin }

    /// The key that stands beside a model's own.
    package enum CodingKeys: String, CodingKey { case kind }

    /// The defaults of a model.
    package init(_ kind: Kind = .din) {
        switch kind {
        case .base: self = .base(Base.Options())
        case .din: self = .din(DIN.Options())
        case .dien: self = .dien(DIEN.Options())
        case .dsin: self = .dsin(DSIN.Options())
        }
    }

    /// The options that published experiments were run with; see `Presets`.
    package init(preset name: String) throws(ModelError) {
        guard let options = Presets.all[name] else { throw .preset(name) }
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
        let fit = Presets.all.filter { $0.value.kind.rawValue == kind }.keys.sorted().joined(separator: ", ")
        throw .option("preset", found: shown(preset), expected: "one of model \(kind): \(fit)")
    }

    /// All presets, sorted.
    package static var presetNames: [String] { Presets.all.keys.sorted() }

    /// Which model.
    package var kind: Kind {
        switch self {
        case .base: .base
        case .din: .din
        case .dien: .dien
        case .dsin: .dsin
        }
    }

    /// Throws the first setting that makes no sense, whatever the schema.
    package func validate() throws(ModelError) {
        switch self {
        case .base(let options): try options.validate()
        case .din(let options): try options.validate()
        case .dien(let options): try options.validate()
        case .dsin(let options): try options.validate()
        }
    }

    /// The parts of the top network's input.
    private var input: [InputPart] {
        switch self {
        case .base(let options): options.input
        case .din(let options): options.input
        case .dien(let options): options.input
        case .dsin(let options): options.input
        }
    }

    /// The features of a schema that the model does not take, by group: "context features (city, hour)".
    package func unread(of schema: Schema) -> [String] {
        let takes = Set(input)
        var groups: [(String, [String])] = []
        if !takes.contains(.user) { groups.append(("user", schema.user.map(\.name))) }
        if !takes.contains(.context) { groups.append(("context", schema.context.map(\.name))) }
        if !takes.contains(.numeric) { groups.append(("numeric", schema.numeric)) }
        // The baseline and DIN read of a behavior what the target has too.
        let compares = kind == .base || kind == .din
        if compares { groups.append(("behavior", schema.behavior.dropFirst(schema.comparedCount).map(\.name))) }
        return groups.filter { !$0.1.isEmpty }.map { "\($0.0) features (\($0.1.joined(separator: ", ")))" }
    }

    /// Lays out the model for the features of a schema.
    package func make(schema: Schema) throws(ModelError) -> any Model {
        switch self {
        case .base(let options): try Base(options, schema: schema)
        case .din(let options): try DIN(options, schema: schema)
        case .dien(let options): try DIEN(options, schema: schema)
        case .dsin(let options): try DSIN(options, schema: schema)
        }
    }

    /// Reads whole options; the reader of configurations lays what is given over defaults.
    package init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind) {
        case .base: self = .base(try Base.Options(from: decoder))
        case .din: self = .din(try DIN.Options(from: decoder))
        case .dien: self = .dien(try DIEN.Options(from: decoder))
        case .dsin: self = .dsin(try DSIN.Options(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        switch self {
        case .base(let options): try options.encode(to: encoder)
        case .din(let options): try options.encode(to: encoder)
        case .dien(let options): try options.encode(to: encoder)
        case .dsin(let options): try options.encode(to: encoder)
        }
    }
}

/// How dense weights start; biases start at 0.
package enum WeightInitial: String, Choice {
    /// Uniform in ±√(6 / (inputs + outputs)).
    case glorotUniform = "glorot_uniform"
    /// Normal with variance 2 / (inputs + outputs).
    case glorotNormal = "glorot_normal"

    /// As the layout says it.
    var dense: DenseInitial {
        switch self {
        case .glorotUniform: .glorotUniform
        case .glorotNormal: .glorotNormal
        }
    }
}
