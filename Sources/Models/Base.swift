import Tensors

/// The paper's baseline: embed, pool the history, join, and a multi-layer perceptron (DIN paper, 4.2).
///
/// ```
/// v = pool(e₁ … e_L)                        sum or mean; an empty history gives 0
/// v = norm(v)·W + b                         optional (`Interest`)
/// ```
/// A history is pooled once for all its candidates. The target plays no part in the pooling: that is what DIN changes.
struct Base: InterestNetwork {
    /// What is configured beside the frame.
    struct Own: NetworkOptions {
        /// What happens to the pooled history first; default nothing.
        var interest = Interest.Options()

        func validate() throws(ModelError) {}
    }

    /// Add `history_product` (q∘v) to compare with a DIN that has it: the published code gives the product to DIN alone.
    static var frame: FrameOptions {
        FrameOptions(input: [.user, .target, .history, .context, .numeric], pooling: .mean, top: Tower.Options())
    }
    static var part: InputPart { .history }
    static var takesWholeBehaviors: Bool { false }

    private let interest: Interest
    private let pooling: Pooling

    init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        interest = Interest(width: inputs.comparedWidth, options.own.interest, initial: initial, in: &layout)
        pooling = options.frame.pooling
    }

    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double {
        s.batch.pool(s.behaviors, pooling, pass) { interest.run($0, pass, above) }
        return 0
    }

    // MARK: Published options

    static var presets: [String: Options] {
        [
            // DIN paper, 6.1: width 12, 200-80, PReLU.
            "base-paper": Options {
                $0.embedding.width = 12
                $0.top.activation = .prelu
            },
            // The public code of DIN, `base_model/model.py`: no user, no product, mean pooling, then a linear map.
            "base-official-amazon": Options {
                $0.input = [.history, .target]
                $0.pooling = .mean
                $0.interest.norm = .constant
                $0.interest.dense = true
                $0.frame.followOfficialDIN()
            },
            // The public code of DIEN, `Model_DNN`, with padding left out of the sum.
            "base-dien-code": Options {
                $0.input = [.user, .target, .history]
                $0.pooling = .sum
                $0.top.inputNorm = .constant
                $0.top.activation = .prelu
                $0.top.head = .softmax
                $0.embedding.width = 18
            },
        ]
    }
}

extension FrameOptions {
    /// What the public code of DIN gives the baseline and DIN alike.
    ///
    /// 80-40 with sigmoid over constant statistics, item biases, width 64; the code draws by Glorot over the table's size,
    /// about ±0.01 for 63,001 items.
    mutating func followOfficialDIN() {
        top = Tower.Options()
        top.inputNorm = .constant
        top.hidden = [80, 40]
        top.activation = .sigmoid
        itemBias = true
        embedding.width = 64
        embedding.initial = .uniform
        embedding.scale = 0.01
    }
}
