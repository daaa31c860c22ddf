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
    package enum Kind: String, Codable, Sendable, CaseIterable { case base, din, dien, dsin }

    /// The keys that stand beside a model's own.
    package enum CodingKeys: String, CodingKey { case kind, preset }

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

    /// Lays out the model for the features of a schema.
    package func make(schema: Schema) throws(ModelError) -> any Model {
        switch self {
        case .base(let options): try Base(options, schema: schema)
        case .din(let options): try DIN(options, schema: schema)
        case .dien(let options): try DIEN(options, schema: schema)
        case .dsin(let options): try DSIN(options, schema: schema)
        }
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let named = try values.decodeIfPresent(Kind.self, forKey: .kind)
        if let preset = try values.decodeIfPresent(String.self, forKey: .preset) {
            self = try ModelOptions(preset: preset)
            guard named == nil || named == kind else {
                throw DecodingError.dataCorruptedError(
                    forKey: .preset, in: values,
                    debugDescription: "preset '\(preset)' is of model '\(kind.rawValue)', not '\(named ?? kind)'")
            }
        } else {
            self.init(named ?? .din)
        }
        switch self {
        case .base(var options):
            try options.update(from: decoder)
            self = .base(options)
        case .din(var options):
            try options.update(from: decoder)
            self = .din(options)
        case .dien(var options):
            try options.update(from: decoder)
            self = .dien(options)
        case .dsin(var options):
            try options.update(from: decoder)
            self = .dsin(options)
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
package enum WeightInitial: String, Codable, Sendable, CaseIterable {
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
