import Kernels
import Tensors

/// DSIN's session interest extractor and BST's block: self-attention and a feed-forward network, each with a residual and
/// a layer norm (DSIN, 3.3; BST, 2.2; Vaswani and others 2017, 3.1).
///
/// ```
/// y₁ = norm(x_q + attention(x_q, x_k))
/// y₂ = norm(y₁ + f(y₁·W₁ + b₁)·W₂ + b₂)         f = max(·, 0) unless told
/// ```
/// Norms and residuals (the summands x_q and y₁) are switches.
struct Transformer: Sendable {
    /// Which layer norms there are.
    enum Norm: String, Choice {
        /// One behind the attention and one behind the feed-forward network.
        case separate
        /// One that is used twice (the public code, where it is switched on).
        case shared
        /// None (the public code as it is called).
        case none
    }

    /// The switches of the attention and of what is around it.
    struct Options: Codable, Sendable, Equatable {
        /// How many heads, a divisor of d; default 2.
        var heads = 2
        /// What the projections read; default full.
        var projections = MultiHeadAttention.Projections.full
        /// What scores are divided by; default √(d / heads).
        var scale = MultiHeadAttention.Scale.head
        /// Whether WO exists; default true.
        var output = true
        /// Whether a behavior does not attend to itself; default false.
        var blinding = false
        /// Whether x_q and y₁ are added to what is made of them; default true.
        var residual = true
        /// Which layer norms there are; default separate.
        var norm = Norm.separate
        /// ε of the layer norms; default 1e-5.
        var epsilon: Float = 1e-5
        /// Width of the feed-forward network's hidden layer over d; default 4.
        var feedForward = 4
        /// Whether the feed-forward network has biases; default true.
        var feedForwardBias = true
        /// Activation of the feed-forward network's hidden layer; default relu.
        var activation = Activation.Kind.relu
        /// Share of the attention's and of the feed-forward network's outputs that a training step drops; default 0.
        var dropout: Float = 0

        enum CodingKeys: String, CodingKey {
            case heads, projections, scale, output, blinding, residual, norm, epsilon, dropout, activation
            case feedForward = "feed_forward"
            case feedForwardBias = "feed_forward_bias"
        }
    }

    private let attention: MultiHeadAttention
    private let norm1, norm2: LayerNorm?
    private let map1, map2: Dense
    private let activation: Activation
    private let dropoutRate: Float
    private let stream: UInt64
    private let isResidual: Bool

    /// Declares "<name>.query.weight" and so on, "<name>.norm1" and "<name>.norm2" (or "<name>.norm"), "<name>.0.weight" and
    /// "<name>.1.weight" with their biases, "<name>.activation" as far as it has parameters.
    ///
    /// - Parameter stream: which of a model's blocks it is, for dropout's random numbers.
    init(
        _ name: String, width: Int, _ options: Options, stream: UInt64 = 0, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        attention = MultiHeadAttention(name, width: width, options, in: &layout, initial: initial)
        switch options.norm {
        case .separate:
            norm1 = LayerNorm(name + ".norm1", width: width, epsilon: options.epsilon, in: &layout)
            norm2 = LayerNorm(name + ".norm2", width: width, epsilon: options.epsilon, in: &layout)
        case .shared:
            let norm = LayerNorm(name + ".norm", width: width, epsilon: options.epsilon, in: &layout)
            (norm1, norm2) = (norm, norm)
        case .none: (norm1, norm2) = (nil, nil)
        }
        let hidden = options.feedForward * width
        func declare(_ part: String, _ rows: Int, _ columns: Int, _ initial: DenseInitial, if isWanted: Bool) -> Slot {
            layout.matrix("\(name).\(part)", rows: rows, columns: columns, initial: initial, if: isWanted)
        }
        let weight1 = declare("0.weight", width, hidden, initial, if: true)
        let weight2 = declare("1.weight", hidden, width, initial, if: true)
        let hasBias = options.feedForwardBias
        map1 = Dense(weight: weight1, bias: declare("0.bias", 1, hidden, .constant(0), if: hasBias))
        map2 = Dense(weight: weight2, bias: declare("1.bias", 1, width, .constant(0), if: hasBias))
        activation = Activation(name + ".activation", width: hidden, kind: options.activation, in: &layout)
        dropoutRate = options.dropout
        self.stream = 0x300 + 2 * stream
        isResidual = options.residual
    }

    /// Hands y to `above`, [positions × d] as the queries' and the keys' inputs are, which may be one; their gradients are
    /// added.
    func run(
        queries xq: Variable, keys xk: Variable, offsets: UnsafePointer<Int32>, sessions: Int, _ pass: Pass,
        _ above: Above
    ) {
        attention.run(queries: xq, keys: xk, offsets: offsets, sessions: sessions, pass) { attended in
            pass.drop(attended, rate: dropoutRate, stream: stream) { dropped in
                let sum = isResidual ? pass.matrix(like: dropped) : dropped
                if isResidual { combine(xq.value, dropped, sign: 1, into: sum) }
                let dSum = norm1.run(sum, pass) { feedForward($0, pass, above) }
                if isResidual, let dSum { xq.receive(dSum) }
                return dSum
            }
        }
    }

    /// y₂ of y₁ to `above`, and the gradient of y₁.
    private func feedForward(_ middle: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        var dSum: Matrix?
        let dHidden = activation.run(map1.forward(middle, pass), pass) { hidden in
            map2.run(hidden, pass) { second in
                pass.drop(second, rate: dropoutRate, stream: stream + 1) { sum in
                    if isResidual { add(middle, to: sum) }
                    dSum = norm2.run(sum, pass, above)
                    return dSum
                }
            }
        }
        guard let dHidden, let dSum else { return nil }
        map1.learn(dHidden, x: middle, pass)
        let dMiddle = pass.zeros(like: middle)
        if isResidual { add(dSum, to: dMiddle) }
        gemm(dHidden, transposed: pass.parameters[map1.weight], addingTo: dMiddle)
        return dMiddle
    }
}
