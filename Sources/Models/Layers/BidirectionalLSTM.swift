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

    /// dx of x, by position, [positions × width]; `above` takes the merged states, [positions × outputs].
    ///
    /// - Parameter offsets: where each of `count` sequences begins, and the total.
    func run(_ x: Matrix, offsets: UnsafePointer<Int32>, count: Int, _ pass: Pass, _ above: Above) -> Matrix? {
        pass.drop(x, rate: dropoutRate, stream: 0x200) { input in
            let (input, y) = (pass.variable(input), pass.zeros(rows: x.rows, columns: outputs))
            let (first, second) = (
                TimeMajor(offsets: offsets, count: count, pass.arena),
                TimeMajor(offsets: offsets, count: count, reversed: true, pass.arena)
            )
            run(back, second, input, into: part(of: y, reversed: true), pass) {
                var dy: Matrix?
                run(ahead, first, input, into: part(of: y, reversed: false), pass) {
                    if merge == .mean { halve(y) }
                    dy = above(y)
                    return dy.map { part(of: $0, reversed: false) }
                }
                return dy.map { part(of: $0, reversed: true) }
            }
            return input.gradient
        }
    }

    /// Adds the last states of a direction to its part of the result; `above` gives that part's gradient.
    private func run(
        _ stack: [LSTM], _ time: TimeMajor, _ x: Variable, into part: Matrix, _ pass: Pass, _ above: () -> Matrix?
    ) {
        let states = pass.matrix(rows: time.rows, columns: width)
        gatherRows(of: x.value, at: time.positionOf, into: states)
        let d = climb(stack, from: 0, states, time, pass) { last in
            scatterAddRows(of: last, at: time.positionOf, addingTo: part)
            guard let dy = above() else { return nil }
            let d = pass.matrix(like: last)
            gatherRows(of: dy, at: time.positionOf, into: d)
            if merge == .mean { halve(d) }
            return d
        }
        if let d, let dx = x.gradient { scatterAddRows(of: d, at: time.positionOf, addingTo: dx) }
    }

    private func climb(
        _ stack: [LSTM], from number: Int, _ x: Matrix, _ time: TimeMajor, _ pass: Pass, _ above: Above
    ) -> Matrix? {
        guard number < stack.count else { return above(x) }
        return stack[number].run(x, time, pass) { climb(stack, from: number + 1, $0, time, pass, above) }
    }

    private func halve(_ x: Matrix) {
        for row in 0..<x.rows { for column in 0..<x.columns { x[row, column] *= 0.5 } }
    }

    /// The columns of a direction.
    private func part(of y: Matrix, reversed: Bool) -> Matrix {
        merge == .concat ? y.columns(reversed ? width..<2 * width : 0..<width) : y
    }
}
