import Kernels
import Tensors

/// A long short-term memory over ragged sequences: gates i|f|g|o (Hochreiter and Schmidhuber 1997; DSIN, equation 7).
///
/// ```
/// i = σ(x·Wi + h·Ui + bi + pi∘c)   f = σ(x·Wf + h·Uf + bf + pf∘c)   g = tanh(x·Wg + h·Ug + bg)
/// c' = f∘c + i∘g                   o = σ(x·Wo + h·Uo + bo + po∘c')   h' = o∘tanh(c')        h₀ = c₀ = 0
/// ```
/// The peepholes p are a switch. Time-major over sequences sorted by length, as in `GRU`.
struct LSTM: Sendable {
    /// What backward needs; `states` is the result.
    struct Tape: BitwiseCopyable {
        /// The state after every step, time-major [rows × H].
        let states: Matrix
        let inputs: Matrix
        let gates: Matrix
        let cells: Matrix
        let zeros: Matrix
    }

    private let input: Slot
    private let hidden: Slot
    private let bias: Slot
    private let peephole: Slot
    private let width: Int

    /// Declares "<name>.input.weight" [inputs × 4H], "<name>.hidden.weight" [H × 4H], "<name>.bias" and, if asked,
    /// "<name>.peephole" [3 × H] of i, f and o.
    init(
        _ name: String, input inputs: Int, width: Int, peephole hasPeephole: Bool, forgetBias: Float, otherBias: Float,
        in layout: inout ParameterLayout, initial: DenseInitial = .glorotUniform
    ) {
        self.width = width
        input = layout.matrix(name + ".input.weight", rows: inputs, columns: 4 * width, initial: initial)
        hidden = layout.matrix(name + ".hidden.weight", rows: width, columns: 4 * width, initial: initial)
        bias = layout.matrix(
            name + ".bias", rows: 1, columns: 4 * width,
            initial: .blocks([otherBias, forgetBias, otherBias, otherBias]))
        peephole =
            hasPeephole
            ? layout.matrix(name + ".peephole", rows: 3, columns: width, initial: .constant(0))
            : Slot(offset: 0, rows: 0, columns: width)
    }

    private func step(
        _ number: Int, _ time: TimeMajor, sums: Matrix, gates: Matrix, cells: Matrix, zeros: Matrix, _ pass: Pass
    ) -> LSTMStep {
        let rows = time.rows(ofStep: number)
        return LSTMStep(
            sums: sums.rows(rows), gates: gates.rows(rows), previous: previous(number, of: cells, zeros, time),
            cell: cells.rows(rows), peephole: pass.parameters[peephole])
    }

    /// The rows of the step before, for the sequences that have this step.
    private func previous(_ number: Int, of states: Matrix, _ zeros: Matrix, _ time: TimeMajor) -> Matrix {
        let count = time.active(number)
        guard number > 0 else { return zeros.rows(0..<count) }
        let first = Int(time.starts[number - 1])
        return states.rows(first..<first + count)
    }

    /// The states of all sequences; x is time-major, [rows × inputs].
    func forward(_ x: Matrix, _ time: TimeMajor, _ pass: Pass) -> Tape {
        let sums = pass.matrix(rows: time.rows, columns: 4 * width)
        broadcast(pass.parameters[bias], to: sums)
        gemm(x, pass.parameters[input], addingTo: sums)
        let states = pass.matrix(rows: time.rows, columns: width)
        let gates = pass.matrix(rows: time.rows, columns: 4 * width)
        let cells = pass.matrix(rows: time.rows, columns: width)
        let zeros = pass.zeros(rows: time.steps > 0 ? time.active(0) : 0, columns: width)
        for number in 0..<time.steps {
            let rows = time.rows(ofStep: number)
            let before = previous(number, of: states, zeros, time)
            if number > 0 { gemm(before, pass.parameters[hidden], addingTo: sums.rows(rows)) }
            let step = step(number, time, sums: sums, gates: gates, cells: cells, zeros: zeros, pass)
            lstmState(step, into: states.rows(rows))
        }
        return Tape(states: states, inputs: x, gates: gates, cells: cells, zeros: zeros)
    }

    /// dx, time-major, of the gradients of the states, which are used up; those of the parameters are added.
    func backward(_ dStates: Matrix, _ tape: Tape, _ time: TimeMajor, _ pass: Pass) -> Matrix {
        let dGates = pass.matrix(rows: time.rows, columns: 4 * width)
        let most = time.steps > 0 ? time.active(0) : 0
        // What reaches the cell from the step after, and what leaves for the step before, in turn.
        var (dCell, dBefore) = (pass.zeros(rows: most, columns: width), pass.zeros(rows: most, columns: width))
        for number in stride(from: time.steps - 1, through: 0, by: -1) {
            let rows = time.rows(ofStep: number)
            let step = step(number, time, sums: dGates, gates: tape.gates, cells: tape.cells, zeros: tape.zeros, pass)
            let d = dGates.rows(rows)
            lstmStateBackward(
                dStates.rows(rows), dCell.rows(0..<rows.count), step, into: d, dBefore.rows(0..<rows.count),
                addingTo: pass.gradient[peephole])
            swap(&dCell, &dBefore)
            guard number > 0 else { continue }
            gemm(transposed: previous(number, of: tape.states, tape.zeros, time), d, addingTo: pass.gradient[hidden])
            let first = Int(time.starts[number - 1])
            gemm(d, transposed: pass.parameters[hidden], addingTo: dStates.rows(first..<first + rows.count))
        }
        addRows(of: dGates, to: pass.gradient[bias])
        gemm(transposed: tape.inputs, dGates, addingTo: pass.gradient[input])
        let dx = pass.matrix(rows: time.rows, columns: tape.inputs.columns)
        gemm(dGates, transposed: pass.parameters[input], into: dx)
        return dx
    }
}
