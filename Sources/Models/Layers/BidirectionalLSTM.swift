import Kernels
import Tensors

/// DSIN's interest interacting layer: an LSTM over the sessions in each direction, their states merged (DSIN, 3.4).
///
/// Each direction is a stack of its own, as in the public code: the second forward layer reads the first forward layer.
/// Sequences are ragged; the backward direction starts at each sequence's own end.
struct BidirectionalLSTM: Sendable {
    /// How the states of the two directions become one.
    enum Merge: String, Choice {
        /// Forward + backward.
        case sum
        /// Half the sum (the public code).
        case mean
        /// Side by side.
        case concat
    }

    /// The shape and the switches.
    struct Options: Codable, Sendable, Equatable {
        /// Layers of each direction; default 1, 0 leaves the interacting layer out.
        var layers = 1
        /// How the directions are merged; default sum.
        var merge = Merge.sum
        /// Whether the cell enters its gates; default false.
        var peephole = false
        /// Share of the input's elements that a training step drops; default 0.
        var dropout: Float = 0
        /// Where the biases of the forget gates start; default 1.
        var forgetBias: Float = 1
        /// Where the other biases start; default 0.
        var bias: Float = 0

        enum CodingKeys: String, CodingKey {
            case layers, merge, peephole, dropout, bias
            case forgetBias = "forget_bias"
        }
    }

    /// What backward needs; `y` is the result.
    struct Tape {
        /// By position, [positions × outputs].
        let y: Matrix
        let forward: Direction
        let backward: Direction
    }

    struct Direction {
        let time: TimeMajor
        let layers: UnsafeMutablePointer<LSTM.Tape>
    }

    private let ahead: [LSTM]
    private let back: [LSTM]
    private let merge: Merge
    private let width: Int
    private let dropoutRate: Float
    /// Columns of the result.
    var outputs: Int { merge == .concat ? 2 * width : width }

    /// Declares "<name>.forward.0…" and "<name>.backward.0…"; the width stays that of the input.
    init(
        _ name: String, width: Int, _ options: Options, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        func stack(_ direction: String) -> [LSTM] {
            (0..<options.layers).map { layer in
                LSTM(
                    "\(name).\(direction).\(layer)", input: width, width: width, peephole: options.peephole,
                    forgetBias: options.forgetBias, otherBias: options.bias, in: &layout, initial: initial)
            }
        }
        (ahead, back) = (stack("forward"), stack("backward"))
        merge = options.merge
        self.width = width
        dropoutRate = options.dropout
    }

    /// The merged states of every position.
    ///
    /// - Parameters:
    ///   - x: by position, [positions × width].
    ///   - offsets: where each of `count` sequences begins, and the total.
    func forward(_ x: Matrix, offsets: UnsafePointer<Int32>, count: Int, _ pass: Pass) -> Tape {
        let input = pass.drop(x, rate: dropoutRate, stream: 0x200)
        let y = pass.zeros(rows: x.rows, columns: outputs)
        func run(_ stack: [LSTM], reversed: Bool) -> Direction {
            let time = TimeMajor(offsets: offsets, count: count, reversed: reversed, pass.arena)
            let tapes = pass.array(of: LSTM.Tape.self, count: stack.count)
            var states = pass.matrix(rows: time.rows, columns: width)
            gatherRows(of: input, at: time.positionOf, into: states)
            for (number, layer) in stack.enumerated() {
                let tape = layer.forward(states, time, pass)
                (tapes + number).initialize(to: tape)
                states = tape.states
            }
            scatterAddRows(of: states, at: time.positionOf, addingTo: part(of: y, reversed: reversed))
            return Direction(time: time, layers: tapes)
        }
        let (first, second) = (run(ahead, reversed: false), run(back, reversed: true))
        if merge == .mean { for row in 0..<y.rows { for column in 0..<width { y[row, column] *= 0.5 } } }
        return Tape(y: y, forward: first, backward: second)
    }

    /// The columns of a direction.
    private func part(of y: Matrix, reversed: Bool) -> Matrix {
        merge == .concat ? y.columns(reversed ? width..<2 * width : 0..<width) : y
    }

    /// dx of dy, by position; gradients of the parameters are added.
    func backward(_ dy: Matrix, _ tape: Tape, _ pass: Pass) -> Matrix {
        let dx = pass.zeros(rows: dy.rows, columns: width)
        func run(_ stack: [LSTM], _ direction: Direction, reversed: Bool) {
            var d = pass.matrix(rows: direction.time.rows, columns: width)
            gatherRows(of: part(of: dy, reversed: reversed), at: direction.time.positionOf, into: d)
            if merge == .mean { for row in 0..<d.rows { for column in 0..<width { d[row, column] *= 0.5 } } }
            for number in stack.indices.reversed() {
                d = stack[number].backward(d, direction.layers[number], direction.time, pass)
            }
            scatterAddRows(of: d, at: direction.time.positionOf, addingTo: dx)
        }
        run(ahead, tape.forward, reversed: false)
        run(back, tape.backward, reversed: true)
        return pass.drop(dx, rate: dropoutRate, stream: 0x200)
    }
}
