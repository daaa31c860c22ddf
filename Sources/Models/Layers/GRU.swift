import Kernels
import Tensors

/// A gated recurrent unit over ragged sequences, and its relatives whose steps an attention weighs (DIEN, equations 2 to 5
/// and 11 to 14).
///
/// ```
/// u = σ(x·Wu + bu + h·Uu)          r = σ(x·Wr + br + h·Ur)
/// n = tanh(x·Wn + bn + r∘(h·Un))   or, with the reset before the product, tanh(x·Wn + bn + (r∘h)·Un)
/// h' = h + w∘(n − h)               w = u, a, a·u or 1 − (1 − a)(1 − u): see `GRUMixing`; h₀ = 0
/// ```
/// Time-major over sequences sorted by length (`TimeMajor`): a step is one GEMM over the sequences that are that long.
/// x·W is computed once for every distinct row of x, however many sequences or samples hold it.
struct GRU: Sendable {
    /// Where the reset gate acts.
    enum Reset: String, Choice {
        /// On h·Un, as the paper prints it and torch computes it.
        case after
        /// On h, before the product with Un, as TensorFlow's first GRUCell.
        case before
    }

    /// What the update gate at 1 does.
    enum Update: String, Choice {
        /// Takes the candidate (the paper).
        case take
        /// Keeps the state (TensorFlow, torch).
        case keep
    }

    /// The conventions in which the paper and the codes differ, and the width.
    struct Options: Codable, Sendable, Equatable {
        /// H; default 0: the width of a behavior.
        var hidden = 0
        /// Where the reset gate acts; default after.
        var reset = Reset.after
        /// What the update gate at 1 does; default take.
        var update = Update.take
        /// Whether h·U has a bias of its own; default false.
        var hiddenBias = false
        /// Where the biases of the gates start, that of the candidate at 0; default 0.
        var gateBias: Float = 0

        enum CodingKeys: String, CodingKey {
            case hidden, reset, update
            case hiddenBias = "hidden_bias"
            case gateBias = "gate_bias"
        }
    }

    /// What backward needs; `states` is the result.
    struct Tape {
        /// The state after every step, time-major [rows × H].
        let states: Matrix
        let projected: Matrix
        let index: UnsafeMutablePointer<Int32>
        let inputs: Matrix
        let kept: Matrix
        let weights: Matrix
        let zeros: Matrix
    }

    private let input: Slot
    private let hidden: Slot
    private let bias: Slot
    private let hiddenBias: Slot
    private let mixing: GRUMixing
    private let scalesInput: Bool
    private let options: Options
    /// H.
    let width: Int
    private var gates: Int { input.columns }
    private var takesAttention: Bool { mixing != .gate || scalesInput }

    /// Declares "<name>.input.weight" [inputs × gates], "<name>.hidden.weight" [H × gates], "<name>.bias" and, if asked,
    /// "<name>.hidden.bias"; gate columns are u|r|n, without u where the mixing has no update gate.
    ///
    /// - Parameter scalesInput: whether the attention multiplies the input instead (AIGRU).
    init(
        _ name: String, input inputs: Int, width: Int, mixing: GRUMixing = .gate, scalesInput: Bool = false,
        _ options: Options, in layout: inout ParameterLayout, initial: DenseInitial = .glorotUniform
    ) {
        let gates = (mixing == .attention ? 2 : 3) * width
        self.width = width
        self.mixing = mixing
        self.scalesInput = scalesInput
        self.options = options
        input = layout.matrix(name + ".input.weight", rows: inputs, columns: gates, initial: initial)
        hidden = layout.matrix(name + ".hidden.weight", rows: width, columns: gates, initial: initial)
        let gate = options.gateBias
        bias = layout.matrix(
            name + ".bias", rows: 1, columns: gates,
            initial: .blocks(mixing == .attention ? [gate, 0] : [gate, gate, 0]))
        hiddenBias =
            options.hiddenBias
            ? layout.matrix(name + ".hidden.bias", rows: 1, columns: gates, initial: .constant(0))
            : Slot(offset: 0, rows: 1, columns: 0)
    }

    /// The columns of the candidate among the gates'.
    private var candidate: Range<Int> { gates - width..<gates }
    private var isEarly: Bool { options.reset == .before }

    private func step(
        _ number: Int, _ time: TimeMajor, inputs: Matrix, recurrent: Matrix, states: Matrix, kept: Matrix,
        weights: Matrix, zeros: Matrix, _ pass: Pass
    ) -> GRUStep {
        let rows = time.rows(ofStep: number)
        let before = number > 0 ? Int(time.starts[number - 1]) : 0
        let previous = number > 0 ? states.rows(before..<before + rows.count) : zeros.rows(0..<rows.count)
        return GRUStep(
            input: inputs.rows(rows), recurrent: recurrent.rows(0..<rows.count), bias: pass.parameters[bias],
            hiddenBias: pass.parameters[hiddenBias], previous: previous, kept: kept.rows(rows),
            attention: weights.base + rows.lowerBound, mixing: mixing,
            sign: options.update == .take ? 1 : -1)
    }

    // MARK: Forward

    /// The states of all sequences.
    ///
    /// - Parameters:
    ///   - x: distinct inputs, [R × inputs].
    ///   - rowOf: position → row of x.
    ///   - attention: a of every position, where it is used.
    func forward(
        _ x: Matrix, rowOf: UnsafePointer<Int32>, attention: UnsafePointer<Float>?, _ time: TimeMajor, _ pass: Pass
    ) -> Tape {
        let projected = pass.matrix(rows: x.rows, columns: gates)
        gemm(x, pass.parameters[input], into: projected)
        let index = pass.ints(time.rows)
        for row in 0..<time.rows { index[row] = rowOf[Int(time.positionOf[row])] }
        let weights = pass.matrix(rows: 1, columns: time.rows)
        let attention = takesAttention ? attention : nil
        for row in 0..<time.rows { weights.base[row] = attention.map { $0[Int(time.positionOf[row])] } ?? 1 }
        let inputs = pass.matrix(rows: time.rows, columns: gates)
        gatherRows(of: projected, at: index, into: inputs)
        if scalesInput { scaleRows(of: inputs, by: weights.base) }

        let states = pass.matrix(rows: time.rows, columns: width)
        let kept = pass.matrix(rows: time.rows, columns: gates + width)
        let most = time.steps > 0 ? time.active(0) : 0
        let zeros = pass.zeros(rows: most, columns: width)
        pass.arena.scratch {
            let recurrent = pass.zeros(rows: most, columns: gates)
            let resetState = pass.matrix(rows: isEarly ? most : 0, columns: width)
            let product = pass.matrix(rows: isEarly ? most : 0, columns: width)
            for number in 0..<time.steps {
                let step = step(
                    number, time, inputs: inputs, recurrent: recurrent, states: states, kept: kept, weights: weights,
                    zeros: zeros, pass)
                let count = step.previous.rows
                let u = pass.parameters[hidden]
                if isEarly {
                    let (r, t) = (resetState.rows(0..<count), product.rows(0..<count))
                    let early = 0..<gates - width
                    if number > 0 { gemm(step.previous, u.columns(early), into: step.recurrent.columns(early)) }
                    gruGates(step, resetState: r)
                    gemm(r, u.columns(candidate), into: t)
                    gruState(step, candidate: t, into: states.rows(time.rows(ofStep: number)))
                } else {
                    if number > 0 { gemm(step.previous, u, into: step.recurrent) }
                    gruGates(step, resetState: nil)
                    gruState(step, candidate: nil, into: states.rows(time.rows(ofStep: number)))
                }
            }
        }
        return Tape(
            states: states, projected: projected, index: index, inputs: inputs, kept: kept, weights: weights,
            zeros: zeros)
    }

    // MARK: Backward

    /// Gradients of the states, which are used up; those of x, of the attention and of the parameters are added.
    ///
    /// - Parameters:
    ///   - dStates: time-major [rows × H]; afterwards it holds what reached each state from all later steps.
    ///   - dAttention: by position.
    func backward(
        _ dStates: Matrix, _ tape: Tape, _ x: Matrix, _ time: TimeMajor, addingTo dx: Matrix,
        _ dAttention: UnsafeMutablePointer<Float>?, _ pass: Pass
    ) {
        let dWeights = pass.zeros(rows: 1, columns: time.rows)
        let dInputs = pass.matrix(rows: time.rows, columns: gates)
        pass.arena.scratch { unroll(dStates, tape, time, dInputs, dWeights, pass) }
        addRows(of: dInputs, to: pass.gradient[bias])
        if scalesInput {
            rowProducts(of: dInputs, gatheredFrom: tape.projected, at: tape.index, addingTo: dWeights.base)
            scaleRows(of: dInputs, by: tape.weights.base)
        }
        let dProjected = pass.zeros(rows: x.rows, columns: gates)
        scatterAddRows(of: dInputs, at: tape.index, addingTo: dProjected)
        gemm(transposed: x, dProjected, addingTo: pass.gradient[input])
        gemm(dProjected, transposed: pass.parameters[input], addingTo: dx)
        if takesAttention, let dAttention {
            for row in 0..<time.rows { dAttention[Int(time.positionOf[row])] += dWeights.base[row] }
        }
    }

    /// From the last step to the first: gradients of the gates' inputs, of U and of its bias.
    private func unroll(
        _ dStates: Matrix, _ tape: Tape, _ time: TimeMajor, _ dInputs: Matrix, _ dWeights: Matrix, _ pass: Pass
    ) {
        let most = time.steps > 0 ? time.active(0) : 0
        let dPrevious = pass.matrix(rows: most, columns: width)
        let dRecurrent = pass.matrix(rows: most, columns: gates)
        let resetState = pass.matrix(rows: isEarly ? most : 0, columns: width)
        let u = pass.parameters[hidden]
        let early = 0..<gates - width
        for number in stride(from: time.steps - 1, through: 0, by: -1) {
            let step = step(
                number, time, inputs: tape.inputs, recurrent: dRecurrent, states: tape.states, kept: tape.kept,
                weights: tape.weights, zeros: tape.zeros, pass)
            let rows = time.rows(ofStep: number)
            let d = dInputs.rows(rows)
            let before = dPrevious.rows(0..<rows.count)
            gruStateBackward(
                dStates.rows(rows), step, into: d, before, addingTo: dWeights.base + rows.lowerBound)
            if isEarly {
                let r = resetState.rows(0..<rows.count)
                gemm(d.columns(candidate), transposed: u.columns(candidate), into: r)
                gruEarlyResetBackward(r, step, into: d, addingTo: before)
                if number > 0 { gemm(d.columns(early), transposed: u.columns(early), addingTo: before) }
                multiply(step.kept.columns(gates - 2 * width..<gates - width), step.previous, into: r)
                gemm(transposed: r, d.columns(candidate), addingTo: pass.gradient[hidden].columns(candidate))
                gemm(transposed: step.previous, d.columns(early), addingTo: pass.gradient[hidden].columns(early))
                if options.hiddenBias { addRows(of: d, to: pass.gradient[hiddenBias]) }
            } else {
                let side = dRecurrent.rows(0..<rows.count)
                gruResetBackward(step, dInput: d, into: side)
                if number > 0 {
                    gemm(side, transposed: u, addingTo: before)
                    gemm(transposed: step.previous, side, addingTo: pass.gradient[hidden])
                }
                if options.hiddenBias { addRows(of: side, to: pass.gradient[hiddenBias]) }
            }
            if number > 0 {
                let first = Int(time.starts[number - 1])
                add(before, to: dStates.rows(first..<first + rows.count))
            }
        }
    }
}
