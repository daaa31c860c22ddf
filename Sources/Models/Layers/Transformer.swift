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

    /// What backward needs; `y` is the result.
    struct Tape: BitwiseCopyable {
        /// [positions × d].
        let y: Matrix
        let attention: MultiHeadAttention.Tape
        let norm1: LayerNorm.Tape?
        let middle: Matrix
        let hidden: Activation.Tape
        let norm2: LayerNorm.Tape?
    }

    private let attention: MultiHeadAttention
    private let norm1, norm2: LayerNorm?
    private let weight1, weight2: Slot
    private let bias1, bias2: Slot?
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
        weight1 = layout.matrix(name + ".0.weight", rows: width, columns: hidden, initial: initial)
        weight2 = layout.matrix(name + ".1.weight", rows: hidden, columns: width, initial: initial)
        let hasBias = options.feedForwardBias
        bias1 = hasBias ? layout.matrix(name + ".0.bias", rows: 1, columns: hidden, initial: .constant(0)) : nil
        bias2 = hasBias ? layout.matrix(name + ".1.bias", rows: 1, columns: width, initial: .constant(0)) : nil
        activation = Activation(name + ".activation", width: hidden, kind: options.activation, in: &layout)
        dropoutRate = options.dropout
        self.stream = 0x300 + 2 * stream
        isResidual = options.residual
    }

    /// y of the queries' and the keys' inputs, [positions × d] each, which may be one.
    func forward(
        queries xq: Matrix, keys xk: Matrix, offsets: UnsafePointer<Int32>, sessions: Int, _ pass: Pass
    ) -> Tape {
        let attended = attention.forward(queries: xq, keys: xk, offsets: offsets, sessions: sessions, pass)
        var first = pass.drop(attended.y, rate: dropoutRate, stream: stream)
        if isResidual {
            let sum = pass.matrix(rows: xq.rows, columns: xq.columns)
            combine(xq, first, sign: 1, into: sum)
            first = sum
        }
        let tape1 = norm1?.forward(first, pass)
        let middle = tape1?.y ?? first

        let sums = pass.matrix(rows: xq.rows, columns: weight1.columns)
        affine(middle, weight1, bias1, into: sums, pass)
        let hidden = activation.forward(sums, pass)
        let second = pass.matrix(rows: xq.rows, columns: xq.columns)
        affine(hidden.y, weight2, bias2, into: second, pass)
        let sum = pass.drop(second, rate: dropoutRate, stream: stream + 1)
        if isResidual { add(middle, to: sum) }
        let tape2 = norm2?.forward(sum, pass)
        return Tape(
            y: tape2?.y ?? sum, attention: attended, norm1: tape1, middle: middle, hidden: hidden, norm2: tape2)
    }

    private func affine(_ x: Matrix, _ weight: Slot, _ bias: Slot?, into y: Matrix, _ pass: Pass) {
        guard let bias else {
            gemm(x, pass.parameters[weight], into: y)
            return
        }
        broadcast(pass.parameters[bias], to: y)
        gemm(x, pass.parameters[weight], addingTo: y)
    }

    /// Gradients by both inputs, added (to the same matrix where they are one); those of the parameters too.
    func backward(
        _ dy: Matrix, _ tape: Tape, queries xq: Matrix, keys xk: Matrix, addingTo dxq: Matrix, _ dxk: Matrix,
        _ pass: Pass
    ) {
        var dSum = dy
        if let norm2, let kept = tape.norm2 { dSum = norm2.backward(dy, kept, pass) }
        let dSecond = pass.drop(dSum, rate: dropoutRate, stream: stream + 1)
        if let bias2 { addRows(of: dSecond, to: pass.gradient[bias2]) }
        gemm(transposed: tape.hidden.y, dSecond, addingTo: pass.gradient[weight2])
        let dHidden = pass.matrix(rows: dy.rows, columns: weight1.columns)
        gemm(dSecond, transposed: pass.parameters[weight2], into: dHidden)
        let dSums = activation.backward(dHidden, tape.hidden, pass)
        if let bias1 { addRows(of: dSums, to: pass.gradient[bias1]) }
        gemm(transposed: tape.middle, dSums, addingTo: pass.gradient[weight1])
        let dMiddle = pass.zeros(rows: dy.rows, columns: dy.columns)
        if isResidual { add(dSum, to: dMiddle) }
        gemm(dSums, transposed: pass.parameters[weight1], addingTo: dMiddle)

        var dFirst = dMiddle
        if let norm1, let kept = tape.norm1 {
            dFirst = norm1.backward(dMiddle, kept, pass)
        }
        if isResidual { add(dFirst, to: dxq) }
        attention.backward(
            pass.drop(dFirst, rate: dropoutRate, stream: stream), tape.attention, queries: xq, keys: xk, addingTo: dxq,
            dxk, pass)
    }
}
