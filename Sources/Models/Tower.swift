import Kernels
import Tensors

/// The top network: x → norm → perceptron → one logit.
struct Tower: Sendable {
    /// The shape and the switches of the top network.
    struct Options: Codable, Sendable, Equatable {
        /// Normalization of the input; default none.
        var inputNorm = NormOptions.none
        /// Widths of the hidden layers; default 200, 80.
        var hidden = [200, 80]
        /// Normalization between the map of a hidden layer and its activation; default none.
        var hiddenNorm = NormOptions.none
        /// Activation of the hidden layers; default prelu.
        var activation = Activation.Kind.prelu
        /// What PReLU multiplies negative values by at the start; default 0.1.
        var slope: Float = 0.1
        /// Share of the hidden units that a training step drops; default 0.
        var dropout: Float = 0
        /// One logit or two; default logit.
        var head = Head.logit

        enum CodingKeys: String, CodingKey {
            case hidden, activation, slope, dropout, head
            case inputNorm = "input_norm"
            case hiddenNorm = "hidden_norm"
        }

        /// Throws the first setting that makes no sense.
        func validate() throws(ModelError) {
            try checkHidden(hidden, "top.hidden", layers: 0...32)
            try check(dropout >= 0 && dropout < 1, "top.dropout", dropout, "at least 0 and below 1")
            try check(slope.isFinite, "top.slope", slope, "a number")
        }
    }

    private let norm: BatchNorm?
    private let network: Perceptron
    private let head: Head

    /// Declares "top.norm", "top.0.weight" and so on, "top.output".
    init(input: Int, _ options: Options, initial: DenseInitial, in layout: inout ParameterLayout) {
        norm = options.inputNorm.layer("top.norm", width: input, in: &layout)
        head = options.head
        network = Perceptron(
            "top", input: input, hidden: options.hidden, outputs: head.outputs, activation: options.activation,
            slope: options.slope, norm: options.hiddenNorm, dropout: options.dropout, in: &layout,
            initial: initial)
    }

    /// Sets the logits of x, those of the head plus the biases, [samples × 1] both, and hands them to `above`; returns dx.
    func run(_ x: Matrix, biases: Matrix, logits: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        norm.run(x, pass) { x in
            network.first.run(x, pass) { sums in
                network.run(sums: sums, pass) { y in
                    head.run(y, into: logits, pass) { z in
                        add(biases, to: z)
                        return above(z)
                    }
                }
            }
        }
    }
}
