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

    /// z of the outputs y, [rows × 1].
    func logits(of y: Matrix, into z: Matrix) {
        for row in 0..<z.rows { z[row, 0] = self == .softmax ? y[row, 0] - y[row, 1] : y[row, 0] }
    }

    /// dy of dz.
    func backward(_ dz: Matrix, _ pass: Pass) -> Matrix {
        guard self == .softmax else { return dz }
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
    /// What backward needs; `y` is the result.
    struct Tape {
        /// [rows × outputs].
        let y: Matrix
        fileprivate let layers: UnsafeMutablePointer<LayerTape>
    }

    fileprivate struct LayerTape: BitwiseCopyable {
        let norm: BatchNorm.Tape?
        let activation: Activation.Tape
        let output: Matrix
    }

    private struct Layer {
        let norm: BatchNorm?
        let activation: Activation
        /// The map of the layer above.
        let next: Dense
    }

    /// The map of the first layer.
    let first: Dense
    private let layers: [Layer]
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
        layers = zip(units, maps.dropFirst()).map { Layer(norm: $0.norm, activation: $0.activation, next: $1) }
        self.dropout = dropout
        self.stream = stream
    }

    /// The outputs of the first layer's sums, [rows × units].
    func forward(sums: Matrix, _ pass: Pass) -> Tape {
        let tapes = pass.array(of: LayerTape.self, count: layers.count)
        var z = sums
        for (number, layer) in layers.enumerated() {
            let norm = layer.norm?.forward(z, pass)
            let unit = layer.activation.forward(norm?.y ?? z, pass)
            let output = pass.drop(unit.y, rate: dropout, stream: stream + UInt64(number))
            (tapes + number).initialize(to: LayerTape(norm: norm, activation: unit, output: output))
            z = layer.next.forward(output, pass)
        }
        return Tape(y: z, layers: tapes)
    }

    /// The gradient of the first layer's sums, of dy; gradients of the parameters above it are added.
    func backward(_ dy: Matrix, _ tape: Tape, _ pass: Pass) -> Matrix {
        var d = dy
        for (number, layer) in layers.enumerated().reversed() {
            let kept = tape.layers[number]
            let da = layer.next.backward(d, x: kept.output, pass)
            d = layer.activation.backward(
                pass.drop(da, rate: dropout, stream: stream + UInt64(number)), kept.activation, pass)
            if let norm = layer.norm, let inner = kept.norm { d = norm.backward(d, inner, pass) }
        }
        return d
    }
}
