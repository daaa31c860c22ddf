import Datasets
import Tensors

/// The part in which the papers differ: from targets and behaviors to columns of the top network's input.
///
/// Everything around it (embeddings, pooling, top network, loss) is `SequenceModel`, the same for all.
protocol InterestNetwork: Sendable {
    /// The options that the paper adds to those of the frame.
    associatedtype Own: NetworkOptions
    /// Where the frame's options start for this model.
    static var frame: FrameOptions { get }
    /// The part of the input that its vector is.
    static var part: InputPart { get }
    /// Whether it reads all fields of a behavior, not only those that a target has too.
    static var takesWholeBehaviors: Bool { get }
    /// The options of published experiments, by name.
    static var presets: [String: Options] { get }

    /// The width of its vector, by those of the compared part and of a whole behavior.
    static func width(_ options: Options, compared: Int, behavior: Int) -> Int

    /// Declares its parameters; throws where options and features do not agree.
    init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError)

    /// What micro-batches have to hold for it.
    var needs: BatchNeeds { get }

    /// Hands y, the vector of every sample, [samples × width], to `above`; adds gradients to the scene's and the pass's, and
    /// returns its own loss, a sum over samples.
    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double
}

extension InterestNetwork {
    /// The options of the whole model.
    typealias Options = FramedOptions<Self>

    /// Those that all models start from.
    static var frame: FrameOptions { FrameOptions() }
    /// The attention.
    static var part: InputPart { .attention }
    /// All.
    static var takesWholeBehaviors: Bool { true }
    /// As wide as the part that is compared.
    static func width(_ options: Options, compared: Int, behavior: Int) -> Int { compared }
    /// Nothing.
    var needs: BatchNeeds { BatchNeeds() }
}
