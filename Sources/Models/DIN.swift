package import Tensors

/// Deep Interest Network: the target decides what of the history counts (Zhou et al., KDD 2018, equation 3).
///
/// ```
/// u = Σ_t a(e_t, q)·e_t                         a: a small network on [q; e; q−e; q∘e], its output not normalized
/// u = norm(u)·W + b                             optional (`Interest`)
/// ```
/// Weights are not normalized over t unless asked: their sum is the intensity of the interest. An empty history gives
/// u = 0 in every mode.
package struct DIN: InterestNetwork {
    /// What is configured beside the frame.
    package struct Own: NetworkOptions {
        /// The attention unit.
        package var attention = AttentionOptions()
        /// What happens to the attention's vector first; default nothing.
        package var interest = Interest.Options()

        package enum CodingKeys: String, CodingKey, CaseIterable { case attention, interest }

        /// The defaults.
        package init() {}

        package func validate() throws(ModelError) { try attention.validate() }
    }

    /// What backward needs.
    package struct Tape {
        let attention: TargetAttention.Tape
        let interest: Interest.Tape
    }

    package static var frame: FrameOptions { FrameOptions() }
    package static var takesWholeBehaviors: Bool { false }
    package static func width(_ options: Options, compared: Int, behavior: Int) -> Int { compared }

    private let attention: TargetAttention
    private let interest: Interest

    package init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        attention = options.own.attention.layer(width: inputs.comparedWidth, initial: initial, in: &layout)
        interest = Interest(width: inputs.comparedWidth, options.own.interest, initial: initial, in: &layout)
    }

    package func forward(_ s: Scene, _ pass: Pass) -> (y: Matrix, tape: Tape) {
        let a = attention.forward(s.comparedTarget, s.behaviors, s.batch.histories, pass)
        let u = interest.forward(a.pooled, pass)
        return (u.u, Tape(attention: a, interest: u))
    }

    package func backward(_ dy: Matrix, _ tape: Tape, _ s: Scene, addingTo d: Scene, _ pass: Pass) -> Double {
        attention.backward(
            interest.backward(dy, tape.interest, pass), tape.attention, s.comparedTarget, s.behaviors,
            s.batch.histories, addingTo: d.comparedTarget, d.behaviors, pass)
        return 0
    }

    // MARK: Published options

    package static var presets: [String: Options] {
        [
            "din-paper": paper, "din-official-amazon": officialAmazon, "din-dien-code": dienCode,
            "din-bars-amazon": barsAmazon,
        ]
    }

    /// DIN paper: attention not normalized, 36 units (its figure 2), Dice, 200-80.
    private static var paper: Options {
        var options = Options()
        options.attention.hidden = [36]
        options.attention.activation = .dice
        options.attention.normalization = .none
        options.top.activation = .dice
        options.embedding.width = 12
        return options
    }

    /// The public code of DIN, `din/model.py`: softmax of scores / √d, a linear map, and the product q∘u.
    private static var officialAmazon: Options {
        var options = Options()
        options.input = [.attention, .target, .attentionProduct]
        options.attention.normalization = .softmaxScaled
        options.interest.norm = .constant
        options.interest.dense = true
        options.frame.followOfficialDIN()
        return options
    }

    /// The public code of DIEN, `Model_DIN`: x = [user; q; Σe; q∘Σe; u], softmax, Dice 200-80.
    private static var dienCode: Options {
        var options = Options()
        options.input = [.user, .target, .history, .historyProduct, .attention, .context, .numeric]
        options.pooling = .sum
        options.attention.normalization = .softmax
        options.top.inputNorm = .constant
        options.top.activation = .dice
        options.top.head = .softmax
        options.embedding.width = 18
        return options
    }

    /// The best DIN of BARS on AmazonElectronics_x1: 5,403,522 parameters with its 63,003 items and 803 categories.
    private static var barsAmazon: Options {
        var options = Options()
        options.input = [.target, .attention]
        options.attention.hidden = [512, 256]
        options.attention.activation = .dice
        options.attention.normalization = .softmax
        options.attention.dropout = 0.1
        options.frame.followBARS()
        options.top.activation = .dice
        return options
    }
}

extension FrameOptions {
    /// What BARS found best for DIN and DIEN alike on AmazonElectronics_x1.
    mutating func followBARS() {
        top.hidden = [1024, 512, 256]
        top.hiddenNorm = .batch
        top.dropout = 0.1
        embedding.width = 64
        embedding.scale = 1e-4
        denseInitial = .glorotNormal
    }
}
