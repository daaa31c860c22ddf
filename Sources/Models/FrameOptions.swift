import Datasets
import Tensors

/// The options that all models have, under the same keys.
struct FrameOptions: Codable, Sendable, Equatable {
    /// Parts of x in order; default user, target, the model's own part, context, numeric.
    var input: [InputPart] = [.user, .target, .attention, .context, .numeric]
    /// How the history becomes one vector; default sum, of the baseline mean.
    var pooling = Pooling.sum
    /// The top network; its activation is dice by default, of the baseline prelu.
    var top = Tower.Options(activation: .dice)
    /// Whether the schema's bias fields, rows of width 1, are added to the logit; default false.
    var itemBias = false
    /// Widths and initial values of the tables.
    var embedding = EmbeddingOptions()
    /// How the dense weights start; default glorot_uniform.
    var denseInitial = WeightInitial.glorotUniform

    enum CodingKeys: String, CodingKey {
        case input, pooling, top, embedding
        case itemBias = "item_bias"
        case denseInitial = "dense_initial"
    }

    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try top.validate()
        try embedding.validate()
    }
}

/// The options that a paper adds.
protocol NetworkOptions: Codable, Sendable, Equatable {
    init()
    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError)
}

/// The options of a model, under one section of keys: the frame's, and those of its network.
@dynamicMemberLookup
struct FramedOptions<Network: InterestNetwork>: Sendable {
    /// Those that all models have.
    var frame = Network.frame
    /// Those that the paper adds.
    var own = Network.Own()

    /// An option of the frame.
    subscript<Value>(dynamicMember path: WritableKeyPath<FrameOptions, Value>) -> Value {
        get { frame[keyPath: path] }
        set { frame[keyPath: path] = newValue }
    }

    /// An option of the network.
    subscript<Value>(dynamicMember path: WritableKeyPath<Network.Own, Value>) -> Value {
        get { own[keyPath: path] }
        set { own[keyPath: path] = newValue }
    }
}

/// What can be done with the options of any model.
protocol AnyModelOptions: Codable, Sendable, Equatable {
    /// Those that all models have.
    var frame: FrameOptions { get }
    /// Whether the model reads all fields of a behavior.
    var takesWholeBehaviors: Bool { get }
    /// Throws the first setting that makes no sense, whatever the schema.
    func validate() throws(ModelError)
    /// Lays out the model for the features of a schema.
    func make(schema: Schema) throws(ModelError) -> any Model
}

extension FramedOptions: AnyModelOptions {
    /// The defaults of the model, changed.
    init(_ change: (inout Self) -> Void) {
        self.init()
        change(&self)
    }

    init(from decoder: any Decoder) throws {
        self.init(frame: try FrameOptions(from: decoder), own: try Network.Own(from: decoder))
    }

    func encode(to encoder: any Encoder) throws {
        try frame.encode(to: encoder)
        try own.encode(to: encoder)
    }

    var takesWholeBehaviors: Bool { Network.takesWholeBehaviors }

    func validate() throws(ModelError) {
        try frame.validate()
        try own.validate()
    }

    func make(schema: Schema) throws(ModelError) -> any Model {
        try SequenceModel<Network>(self, schema: schema)
    }
}

/// How dense weights start; biases start at 0.
enum WeightInitial: String, Choice {
    /// Uniform in ±√(6 / (inputs + outputs)).
    case glorotUniform = "glorot_uniform"
    /// Normal with variance 2 / (inputs + outputs).
    case glorotNormal = "glorot_normal"

    /// As the layout says it.
    var dense: DenseInitial { self == .glorotNormal ? .glorotNormal : .glorotUniform }
}
