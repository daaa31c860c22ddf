package import Tensors

/// The paper's baseline: embed, pool the history, join, and a multi-layer perceptron (DIN paper, 4.2).
///
/// ```
/// v = pool(e₁ … e_L)                        sum or mean; an empty history gives 0
/// v = norm(v)·W + b                         optional (`Interest`)
/// ```
/// A history is pooled once for all its candidates. The target plays no part in the pooling: that is what DIN changes.
package struct Base: InterestNetwork {
    /// What is configured beside the frame.
    package struct Own: NetworkOptions {
        /// What happens to the pooled history first; default nothing.
        package var interest = Interest.Options()

        package enum CodingKeys: String, CodingKey, CaseIterable { case interest }

        /// The defaults.
        package init() {}

        package func validate() throws(ModelError) {}
    }

    /// Add `history_product` (q∘v) to compare with a DIN that has it: the published code gives the product to DIN alone.
    package static var frame: FrameOptions {
        var frame = FrameOptions()
        frame.input = [.user, .target, .history, .context, .numeric]
        frame.pooling = .mean
        frame.top.activation = .prelu
        return frame
    }
    package static var part: InputPart { .history }
    package static var takesWholeBehaviors: Bool { false }
    package static func width(_ options: Options, compared: Int, behavior: Int) -> Int { compared }

    private let interest: Interest
    private let pooling: Pooling

    package init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        interest = Interest(width: inputs.comparedWidth, options.own.interest, initial: initial, in: &layout)
        pooling = options.frame.pooling
    }

    package func forward(_ s: Scene, _ pass: Pass) -> (y: Matrix, tape: Interest.Tape) {
        let u = interest.forward(s.batch.pool(s.behaviors, pooling, pass), pass)
        return (u.u, u)
    }

    package func backward(_ dy: Matrix, _ tape: Interest.Tape, _ s: Scene, addingTo d: Scene, _ pass: Pass) -> Double {
        s.batch.unpool(interest.backward(dy, tape, pass), pooling, addingTo: d.behaviors, pass)
        return 0
    }

    // MARK: Published options

    package static var presets: [String: Options] {
        ["base-paper": paper, "base-official-amazon": officialAmazon, "base-dien-code": dienCode]
    }

    /// DIN paper, 6.1: width 12, 200-80, PReLU.
    private static var paper: Options {
        var options = Options()
        options.embedding.width = 12
        options.top.activation = .prelu
        return options
    }

    /// The public code of DIN, `base_model/model.py`: no user, no product, mean pooling, then a linear map.
    private static var officialAmazon: Options {
        var options = Options()
        options.input = [.history, .target]
        options.pooling = .mean
        options.interest.norm = .constant
        options.interest.dense = true
        options.frame.followOfficialDIN()
        return options
    }

    /// The public code of DIEN, `Model_DNN`, with padding left out of the sum.
    private static var dienCode: Options {
        var options = Options()
        options.input = [.user, .target, .history]
        options.pooling = .sum
        options.top.inputNorm = .constant
        options.top.activation = .prelu
        options.top.head = .softmax
        options.embedding.width = 18
        return options
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
