import Tensors

/// Deep Interest Network: the target decides what of the history counts (Zhou et al., KDD 2018, equation 3).
///
/// ```
/// u = Σ_t a(e_t, q)·e_t                         a: a small network on [q; e; q−e; q∘e], its output not normalized
/// u = norm(u)·W + b                             optional (`Interest`)
/// ```
/// Weights are not normalized over t unless asked: their sum is the intensity of the interest. An empty history gives
/// u = 0 in every mode.
struct DIN: InterestNetwork {
    /// What is configured beside the frame.
    struct Own: NetworkOptions {
        /// The attention unit.
        var attention = AttentionOptions()
        /// What happens to the attention's vector first; default nothing.
        var interest = Interest.Options()

        func validate() throws(ModelError) { try attention.validate() }
    }

    static var takesWholeBehaviors: Bool { false }

    private let attention: TargetAttention
    private let interest: Interest

    init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        let unit = options.own.attention
        attention = TargetAttention(
            "attention", width: inputs.comparedWidth, hidden: unit.hidden, activation: unit.activation,
            normalization: unit.normalization, dropout: unit.dropout, in: &layout, initial: initial)
        interest = Interest(width: inputs.comparedWidth, options.own.interest, initial: initial, in: &layout)
    }

    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double {
        attention.run(s.comparedTarget, s.behaviors, s.batch.histories, pass) { interest.run($0, pass, above) }
        return 0
    }

    // MARK: Published options

    static var presets: [String: Options] {
        [
            // DIN paper: attention not normalized, 36 units (its figure 2), Dice, 200-80.
            "din-paper": Options {
                $0.attention.hidden = [36]
                $0.attention.activation = .dice
                $0.attention.normalization = .none
                $0.top.activation = .dice
                $0.embedding.width = 12
            },
            // The public code of DIN, `din/model.py`: softmax of scores / √d, a linear map, and the product q∘u.
            "din-official-amazon": Options {
                $0.input = [.attention, .target, .attentionProduct]
                $0.attention.normalization = .softmaxScaled
                $0.interest.norm = .constant
                $0.interest.dense = true
                $0.frame.followOfficialDIN()
            },
            // The public code of DIEN, `Model_DIN`: x = [user; q; Σe; q∘Σe; u], softmax, Dice 200-80.
            "din-dien-code": Options {
                $0.input = [.user, .target, .history, .historyProduct, .attention, .context, .numeric]
                $0.pooling = .sum
                $0.attention.normalization = .softmax
                $0.top.inputNorm = .constant
                $0.top.activation = .dice
                $0.top.head = .softmax
                $0.embedding.width = 18
            },
            // The best DIN of BARS on AmazonElectronics_x1: 5,403,522 parameters with its 63,003 items and 803 categories.
            "din-bars-amazon": Options {
                $0.input = [.target, .attention]
                $0.attention.hidden = [512, 256]
                $0.attention.activation = .dice
                $0.attention.normalization = .softmax
                $0.attention.dropout = 0.1
                $0.frame.followBARS()
                $0.top.activation = .dice
            },
        ]
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
