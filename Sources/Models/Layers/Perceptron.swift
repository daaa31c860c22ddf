import Kernels
import Tensors

/// How many logits a network ends in.
enum Head: String, Choice {
    /// One, z.
    case logit
    /// Two whose softmax is the probability, as papers print it: z = z₀ − z₁, column 0 is the click.
    case softmax

    /// Columns of the network's output.
    var outputs: Int { self == .softmax ? 2 : 1 }

    /// Sets z of the outputs y, [rows × 1]; returns dy.
    func run(_ y: Matrix, into z: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        for row in 0..<z.rows { z[row, 0] = self == .softmax ? y[row, 0] - y[row, 1] : y[row, 0] }
        let dz = above(z)
        guard let dz, self == .softmax else { return dz }
        let dy = pass.matrix(rows: dz.rows, columns: 2)
        for row in 0..<dz.rows { (dy[row, 0], dy[row, 1]) = (dz[row, 0], -dz[row, 0]) }
        return dy
    }
}

/// A multi-layer perceptron: dense → norm → activation → dropout for each hidden layer, then a dense map.
///
/// It takes the sums of its first layer, x·W + b, and gives back their gradient: who has that product cheaper than by
/// forming x computes it (`TargetAttention`, `AuxiliaryLoss`).
struct Perceptron: Sendable {
    private struct Hidden {
        let norm: BatchNorm?
        let activation: Activation
        /// The map of the layer above.
        let next: Dense
    }

    /// The map of the first layer.
    let first: Dense
    private let layers: [Hidden]
    private let dropout: Float
    private let stream: UInt64

    /// Declares "<name>.0.weight", "<name>.0.norm", "<name>.0.activation" and so on, "<name>.output".
    ///
    /// - Parameters:
    ///   - hidden: widths of the hidden layers.
    ///   - slope: where the α of PReLU starts.
    ///   - dropout: share of the hidden units that a training step drops.
    ///   - stream: of dropout's random numbers, its own for each network of a model.
    init(
        _ name: String, input: Int, hidden: [Int], outputs: Int, activation: Activation.Kind, slope: Float = 0.1,
        norm: NormOptions = .none, dropout: Float = 0, stream: UInt64 = 0, in layout: inout ParameterLayout,
        initial: DenseInitial
    ) {
        var width = input
        var units: [(dense: Dense, norm: BatchNorm?, activation: Activation)] = []
        for (number, count) in hidden.enumerated() {
            let name = "\(name).\(number)"
            let dense = Dense(name, input: width, output: count, in: &layout, initial: initial)
            let norm = norm.layer(name + ".norm", width: count, in: &layout)
            let activation = Activation(name + ".activation", width: count, kind: activation, in: &layout, slope: slope)
            units.append((dense, norm, activation))
            width = count
        }
        let output = Dense(name + ".output", input: width, output: outputs, in: &layout, initial: initial)
        let maps = units.map(\.dense) + [output]
        first = maps[0]
        layers = zip(units, maps.dropFirst()).map { Hidden(norm: $0.norm, activation: $0.activation, next: $1) }
        self.dropout = dropout
        self.stream = stream
    }

    /// The gradient of the first layer's sums, [rows × units]; `above` takes the outputs, [rows × outputs].
    func run(sums: Matrix, from number: Int = 0, _ pass: Pass, _ above: Above) -> Matrix? {
        guard number < layers.count else { return above(sums) }
        let layer = layers[number]
        return layer.norm.run(sums, pass) { normed in
            layer.activation.run(normed, pass) { unit in
                pass.drop(unit, rate: dropout, stream: stream + UInt64(number)) { output in
                    layer.next.run(output, pass) { run(sums: $0, from: number + 1, pass, above) }
                }
            }
        }
    }
}
