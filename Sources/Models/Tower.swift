import Kernels
package import Layers
import Tensors

/// The top network: x → norm → (dense → norm → activation → dropout) for each hidden layer → one logit.
///
/// Forward and backward of a layer stand in one function, around the call for the layers above it: what backward needs
/// lives on the stack and nothing is collected.
package struct Tower: Sendable {
    /// The last map.
    package enum Head: String, Choice {
        /// One logit z.
        case logit
        /// Two logits whose softmax is the probability, as papers print it: z = z₀ − z₁, column 0 is the click.
        case softmax
    }

    /// The shape and the switches of the top network.
    package struct Options: Codable, Sendable, Equatable {
        /// Normalization of the input; default none.
        package var inputNorm = NormOptions.none
        /// Widths of the hidden layers; default 200, 80.
        package var hidden = [200, 80]
        /// Normalization between the map of a hidden layer and its activation; default none.
        package var hiddenNorm = NormOptions.none
        /// Activation of the hidden layers; default prelu.
        package var activation = Activation.Kind.prelu
        /// What PReLU multiplies negative values by at the start; default 0.1.
        package var slope: Float = 0.1
        /// Share of the hidden units that a training step drops; default 0.
        package var dropout: Float = 0
        /// One logit or two; default logit.
        package var head = Head.logit

        package enum CodingKeys: String, CodingKey, CaseIterable {
            case hidden, activation, slope, dropout, head
            case inputNorm = "input_norm"
            case hiddenNorm = "hidden_norm"
        }

        /// The defaults.
        package init() {}

        /// The defaults with another activation.
        init(activation: Activation.Kind) { self.activation = activation }

        /// Throws the first setting that makes no sense.
        func validate() throws(ModelError) {
            try check(hidden.allSatisfy { (1...65536).contains($0) }, "top.hidden", hidden, "widths of 1 to 65536")
            try check(hidden.count <= 32, "top.hidden", hidden, "at most 32 layers")
            try check(dropout >= 0 && dropout < 1, "top.dropout", dropout, "at least 0 and below 1")
            try check(slope.isFinite, "top.slope", slope, "a number")
        }
    }

    /// What a training step of the tower yields.
    struct Step {
        /// Sum of the losses.
        let loss: Double
        /// Gradient by x.
        let dx: Matrix
        /// Gradient by the logits, [samples × 1].
        let dz: Matrix
    }

    /// What stays the same from layer to layer in one step.
    private struct Context {
        let biases: Matrix
        let labels: UnsafePointer<Float>
        let logits: Matrix
        let parameters: DenseVector
        let gradient: DenseVector
        let key: UInt64
        let arena: Arena
    }

    private struct Layer {
        let dense: Dense
        let norm: BatchNorm?
        let activation: Activation
    }

    private let inputNorm: BatchNorm?
    private let layers: [Layer]
    private let output: Dense
    private let dropout: Float

    /// Declares "top.norm", "top.0.weight" and so on, "top.output".
    init(input: Int, _ options: Options, initial: DenseInitial, in layout: inout ParameterLayout) {
        inputNorm = options.inputNorm.layer("top.norm", width: input, in: &layout)
        var width = input
        var layers: [Layer] = []
        for (number, units) in options.hidden.enumerated() {
            let name = "top.\(number)"
            let dense = Dense(name, input: width, output: units, in: &layout, initial: initial)
            let norm = options.hiddenNorm.layer(name + ".norm", width: units, in: &layout)
            let activation = Activation(
                name + ".activation", width: units, kind: options.activation, in: &layout, slope: options.slope)
            layers.append(Layer(dense: dense, norm: norm, activation: activation))
            width = units
        }
        self.layers = layers
        output = Dense(
            "top.output", input: width, output: options.head == .softmax ? 2 : 1, in: &layout, initial: initial)
        dropout = options.dropout
    }

    // MARK: Training

    /// Logits, loss and gradients of one micro-batch.
    ///
    /// - Parameters:
    ///   - biases: added to the logits, [samples × 1].
    ///   - logits: set, [samples × 1].
    ///   - gradient: added to.
    func train(
        _ x: Matrix, biases: Matrix, labels: UnsafePointer<Float>, logits: Matrix, _ parameters: DenseVector,
        into gradient: DenseVector, key: UInt64, _ arena: Arena
    ) -> Step {
        let context = Context(
            biases: biases, labels: labels, logits: logits, parameters: parameters, gradient: gradient, key: key,
            arena: arena)
        guard let inputNorm else { return train(x, from: 0, context) }
        let tape = inputNorm.forward(x, parameters, training: true, arena)
        let step = train(tape.y, from: 0, context)
        let dx = inputNorm.backward(step.dx, tape, parameters, into: gradient, samples: x.rows, arena)
        return Step(loss: step.loss, dx: dx, dz: step.dz)
    }

    /// The layers from `number` up.
    private func train(_ x: Matrix, from number: Int, _ context: Context) -> Step {
        guard number < layers.count else { return trainHead(x, context) }
        let (layer, parameters, gradient) = (layers[number], context.parameters, context.gradient)
        let arena = context.arena
        let s = layer.dense.forward(x, parameters, arena)
        let norm = layer.norm?.forward(s, parameters, training: true, arena)
        let tape = layer.activation.forward(norm?.y ?? s, parameters, training: true, arena)
        let a = drop(tape.y, number, context)

        let above = train(a, from: number + 1, context)

        let da = drop(above.dx, number, context)
        var ds = layer.activation.backward(da, tape, parameters, into: gradient, samples: x.rows, arena)
        if let norm, let used = layer.norm {
            ds = used.backward(ds, norm, parameters, into: gradient, samples: x.rows, arena)
        }
        let dx = layer.dense.backward(ds, x: x, parameters, into: gradient, arena)
        return Step(loss: above.loss, dx: dx, dz: above.dz)
    }

    /// Dropout of a layer's units; backward draws the same mask again.
    private func drop(_ a: Matrix, _ number: Int, _ context: Context) -> Matrix {
        guard dropout > 0 else { return a }
        return Layers.dropout(a, rate: dropout, key: context.key, stream: UInt64(number), context.arena)
    }

    private func trainHead(_ x: Matrix, _ context: Context) -> Step {
        let arena = context.arena
        let y = output.forward(x, context.parameters, arena)
        fill(context.logits, from: y, context.biases)
        let dz = arena.matrix(rows: x.rows, columns: 1)
        let loss = crossEntropy(context.logits, labels: context.labels, gradient: dz)
        let dy = arena.matrix(rows: x.rows, columns: y.columns)
        for row in 0..<dy.rows {
            dy[row, 0] = dz[row, 0]
            if y.columns == 2 { dy[row, 1] = -dz[row, 0] }
        }
        let dx = output.backward(dy, x: x, context.parameters, into: context.gradient, arena)
        return Step(loss: loss, dx: dx, dz: dz)
    }

    // MARK: Evaluation

    /// The logits by running statistics, [samples × 1].
    func score(_ x: Matrix, biases: Matrix, logits: Matrix, _ parameters: DenseVector, _ arena: Arena) {
        var a = inputNorm?.forward(x, parameters, training: false, arena).y ?? x
        for layer in layers {
            let s = layer.dense.forward(a, parameters, arena)
            let normalized = layer.norm?.forward(s, parameters, training: false, arena).y ?? s
            a = layer.activation.forward(normalized, parameters, training: false, arena).y
        }
        fill(logits, from: output.forward(a, parameters, arena), biases)
    }

    private func fill(_ logits: Matrix, from y: Matrix, _ biases: Matrix) {
        for row in 0..<logits.rows {
            let z = y.columns == 2 ? y[row, 0] - y[row, 1] : y[row, 0]
            logits[row, 0] = z + biases[row, 0]
        }
    }
}
