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
        hiddenBias = layout.matrix(
            name + ".hidden.bias", rows: 1, columns: gates, initial: .constant(0), if: options.hiddenBias)
    }

    /// The columns of the candidate among the gates'.
    private var candidate: Range<Int> { gates - width..<gates }
    /// The columns of the gates alone.
    private var early: Range<Int> { 0..<gates - width }
    private var isEarly: Bool { options.reset == .before }

    /// Hands the states of all sequences, time-major [rows × H], to `above`; gradients of x and of the attention are added.
    ///
    /// - Parameters:
    ///   - x: distinct inputs, [R × inputs].
    ///   - rowOf: position → row of x.
    ///   - attention: a of every position, where it is used.
    ///   - above: the gradient that it gives is used up: afterwards it holds what reached each state from all later steps.
    func run(
        _ x: Variable, rowOf: UnsafePointer<Int32>, attention: Variable?, _ time: TimeMajor, _ pass: Pass,
        _ above: Above
    ) {
        let projected = pass.matrix(rows: x.value.rows, columns: gates)
        gemm(x.value, pass.parameters[input], into: projected)
        let index = pass.ints(time.rows)
        for row in 0..<time.rows { index[row] = rowOf[Int(time.positionOf[row])] }
        let weights = pass.matrix(rows: 1, columns: time.rows)
        let attention = takesAttention ? attention : nil
        for row in 0..<time.rows {
            weights.base[row] = attention.map { $0.value.base[Int(time.positionOf[row])] } ?? 1
        }
        let inputs = pass.matrix(rows: time.rows, columns: gates)
        gatherRows(of: projected, at: index, into: inputs)
        if scalesInput { scaleRows(of: inputs, by: weights.base) }

        guard let (dInputs, dWeights) = recur(inputs, weights, time, pass, above), let dx = x.gradient else { return }
        addRows(of: dInputs, to: pass.gradient[bias])
        if scalesInput {
            rowProducts(of: dInputs, gatheredFrom: projected, at: index, addingTo: dWeights.base)
            scaleRows(of: dInputs, by: weights.base)
        }
        let dProjected = pass.zeros(like: projected)
        scatterAddRows(of: dInputs, at: index, addingTo: dProjected)
        gemm(transposed: x.value, dProjected, addingTo: pass.gradient[input])
        gemm(dProjected, transposed: pass.parameters[input], addingTo: dx)
        if let dAttention = attention?.gradient {
            for row in 0..<time.rows { dAttention.base[Int(time.positionOf[row])] += dWeights.base[row] }
        }
    }

    /// From the first step to the last and back: the gradients of the gates' inputs and of the attention.
    private func recur(
        _ inputs: Matrix, _ weights: Matrix, _ time: TimeMajor, _ pass: Pass, _ above: Above
    ) -> (inputs: Matrix, weights: Matrix)? {
        let states = pass.matrix(rows: time.rows, columns: width)
        let kept = pass.matrix(rows: time.rows, columns: gates + width)
        let zeros = pass.zeros(rows: time.widest, columns: width)
        let side = pass.zeros(rows: time.widest, columns: gates)
        let resetState = pass.matrix(rows: isEarly ? time.widest : 0, columns: width)
        // (r∘h)·Un on the way up, the gradient of h on the way down.
        let product = pass.matrix(like: zeros)
        func step(_ number: Int) -> GRUStep {
            let rows = time.rows(ofStep: number)
            return GRUStep(
                input: inputs.rows(rows), recurrent: side.rows(0..<rows.count), bias: pass.parameters[bias],
                hiddenBias: pass.parameters[hiddenBias], previous: time.before(number, of: states, zeros),
                kept: kept.rows(rows), attention: weights.base + rows.lowerBound, mixing: mixing,
                sign: options.update == .take ? 1 : -1)
        }
        for number in 0..<time.steps {
            let (step, isFirst) = (step(number), number == 0)
            let reset = isEarly ? resetState.rows(0..<step.previous.rows) : nil
            advance(step, isFirst: isFirst, reset, product, into: states.rows(time.rows(ofStep: number)), pass)
        }
        guard let dStates = above(states) else { return nil }

        let (dInputs, dWeights) = (pass.matrix(like: inputs), pass.zeros(rows: 1, columns: time.rows))
        for number in stride(from: time.steps - 1, through: 0, by: -1) {
            let rows = time.rows(ofStep: number)
            let (step, d, before) = (step(number), dInputs.rows(rows), product.rows(0..<rows.count))
            gruStateBackward(dStates.rows(rows), step, into: d, before, addingTo: dWeights.base + rows.lowerBound)
            let reset = isEarly ? resetState.rows(0..<rows.count) : nil
            retreat(step, isFirst: number == 0, reset, d, before, pass)
            if number > 0 { add(before, to: time.before(number, of: dStates, zeros)) }
        }
        return (dInputs, dWeights)
    }

    /// One step forward; r∘h goes into `reset` where the reset comes before the candidate's product.
    private func advance(
        _ step: GRUStep, isFirst: Bool, _ reset: Matrix?, _ product: Matrix, into state: Matrix, _ pass: Pass
    ) {
        let u = pass.parameters[hidden]
        guard let reset else {
            if !isFirst { gemm(step.previous, u, into: step.recurrent) }
            gruGates(step, resetState: nil)
            gruState(step, candidate: nil, into: state)
            return
        }
        let product = product.rows(0..<reset.rows)
        if !isFirst { gemm(step.previous, u.columns(early), into: step.recurrent.columns(early)) }
        gruGates(step, resetState: reset)
        gemm(reset, u.columns(candidate), into: product)
        gruState(step, candidate: product, into: state)
    }

    /// One step back from the gradients d of candidate and update gate: those of the reset gate, of h, of U and of its bias.
    private func retreat(
        _ step: GRUStep, isFirst: Bool, _ reset: Matrix?, _ d: Matrix, _ before: Matrix, _ pass: Pass
    ) {
        let (u, du) = (pass.parameters[hidden], pass.gradient[hidden])
        guard let reset else {
            let side = step.recurrent
            gruResetBackward(step, dInput: d, into: side)
            if !isFirst {
                gemm(side, transposed: u, addingTo: before)
                gemm(transposed: step.previous, side, addingTo: du)
            }
            if options.hiddenBias { addRows(of: side, to: pass.gradient[hiddenBias]) }
            return
        }
        gemm(d.columns(candidate), transposed: u.columns(candidate), into: reset)
        gruEarlyResetBackward(reset, step, into: d, addingTo: before)
        if !isFirst { gemm(d.columns(early), transposed: u.columns(early), addingTo: before) }
        multiply(step.kept.columns(gates - 2 * width..<gates - width), step.previous, into: reset)
        gemm(transposed: reset, d.columns(candidate), addingTo: du.columns(candidate))
        gemm(transposed: step.previous, d.columns(early), addingTo: du.columns(early))
        if options.hiddenBias { addRows(of: d, to: pass.gradient[hiddenBias]) }
    }
}
