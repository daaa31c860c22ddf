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
        peephole = layout.matrix(
            name + ".peephole", rows: 3, columns: width, initial: .constant(0), if: hasPeephole)
    }

    /// dx of x, time-major, [rows × inputs]; `above` takes the states of all sequences, [rows × H], and the gradient that
    /// it gives is used up.
    func run(_ x: Matrix, _ time: TimeMajor, _ pass: Pass, _ above: Above) -> Matrix? {
        let sums = pass.matrix(rows: time.rows, columns: 4 * width)
        broadcast(pass.parameters[bias], to: sums)
        gemm(x, pass.parameters[input], addingTo: sums)
        let (states, gates) = (pass.matrix(rows: time.rows, columns: width), pass.matrix(like: sums))
        let cells = pass.matrix(like: states)
        let zeros = pass.zeros(rows: time.widest, columns: width)
        func step(_ number: Int, sums: Matrix) -> LSTMStep {
            let rows = time.rows(ofStep: number)
            return LSTMStep(
                sums: sums.rows(rows), gates: gates.rows(rows), previous: time.before(number, of: cells, zeros),
                cell: cells.rows(rows), peephole: pass.parameters[peephole])
        }
        for number in 0..<time.steps {
            let rows = time.rows(ofStep: number)
            if number > 0 {
                gemm(time.before(number, of: states, zeros), pass.parameters[hidden], addingTo: sums.rows(rows))
            }
            lstmState(step(number, sums: sums), into: states.rows(rows))
        }
        guard let dStates = above(states) else { return nil }

        let dGates = pass.matrix(like: gates)
        // What reaches the cell from the step after, and what leaves for the step before, in turn.
        var (dCell, dBefore) = (pass.zeros(like: zeros), pass.zeros(like: zeros))
        for number in stride(from: time.steps - 1, through: 0, by: -1) {
            let rows = time.rows(ofStep: number)
            let d = dGates.rows(rows)
            lstmStateBackward(
                dStates.rows(rows), dCell.rows(0..<rows.count), step(number, sums: dGates), into: d,
                dBefore.rows(0..<rows.count), addingTo: pass.gradient[peephole])
            swap(&dCell, &dBefore)
            guard number > 0 else { continue }
            gemm(transposed: time.before(number, of: states, zeros), d, addingTo: pass.gradient[hidden])
            gemm(d, transposed: pass.parameters[hidden], addingTo: time.before(number, of: dStates, zeros))
        }
        addRows(of: dGates, to: pass.gradient[bias])
        gemm(transposed: x, dGates, addingTo: pass.gradient[input])
        let dx = pass.matrix(like: x)
        gemm(dGates, transposed: pass.parameters[input], into: dx)
        return dx
    }
}

extension TimeMajor {
    /// The most sequences that a step has.
    var widest: Int { steps > 0 ? active(0) : 0 }

    /// The rows of the step before, for the sequences that have this one; those of h₀ before the first.
    func before(_ step: Int, of states: Matrix, _ zeros: Matrix) -> Matrix {
        guard step > 0 else { return zeros.rows(0..<active(step)) }
        let first = Int(starts[step - 1])
        return states.rows(first..<first + active(step))
    }
}
