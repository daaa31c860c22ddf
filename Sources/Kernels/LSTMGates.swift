package import Tensors

/// One step of an LSTM (Hochreiter and Schmidhuber 1997, with forget gate): gate columns i|f|g|o.
///
/// With peepholes (Gers and others 2002; DSIN, equation 7) the cell before enters i and f, the cell after enters o, each
/// by a diagonal.
package struct LSTMStep {
    /// [n × 4H]: the pre-activations without peepholes; read by the forward pass.
    package let sums: Matrix
    /// [n × 4H]: σ(i)|σ(f)|tanh g|σ(o), kept for the backward pass.
    package let gates: Matrix
    /// [n × H]: c, the cell before.
    package let previous: Matrix
    /// [n × H]: c'.
    package let cell: Matrix
    /// [3 × H]: of i, f and o; of no rows without peepholes.
    package let peephole: Matrix

    package init(sums: Matrix, gates: Matrix, previous: Matrix, cell: Matrix, peephole: Matrix) {
        self.sums = sums
        self.gates = gates
        self.previous = previous
        self.cell = cell
        self.peephole = peephole
    }

    fileprivate var width: Int { cell.columns }

    @inline(__always)
    fileprivate func weights(_ gate: Int, _ block: ColumnBlock) -> Vector {
        peephole.rows > 0 ? peephole.load(gate, block) : Vector.zero
    }
}

/// c' = σ(f)∘c + σ(i)∘tanh(g), h' = σ(o)∘tanh(c').
package func lstmState(_ step: LSTMStep, into state: Matrix) {
    let width = step.width
    columnBlocks(width) { block in
        let (pi, pf, po) = (step.weights(0, block), step.weights(1, block), step.weights(2, block))
        for row in 0..<state.rows {
            let c = step.previous.load(row, block)
            let i = logistic(step.sums.load(row, 0, block) + pi * c)
            let f = logistic(step.sums.load(row, width, block) + pf * c)
            let g = hyperbolicTangent(step.sums.load(row, 2 * width, block))
            let next = f * c + i * g
            let o = logistic(step.sums.load(row, 3 * width, block) + po * next)
            step.gates.store(i, row, 0, block)
            step.gates.store(f, row, width, block)
            step.gates.store(g, row, 2 * width, block)
            step.gates.store(o, row, 3 * width, block)
            step.cell.store(next, row, block)
            state.store(o * hyperbolicTangent(next), row, block)
        }
    }
}

/// Gradients of a step: by the pre-activations (set), by c (set), and by the peepholes (added).
///
/// do = g∘tanh(c')∘o(1 − o); dc = gc + g∘o∘(1 − tanh²c') + p_o∘do; di, df, dg from dc; dc_before = dc∘f + p_i∘di + p_f∘df.
///
/// - Parameters:
///   - g: by h', [n × H].
///   - gc: by c', from the step after, [n × H]; its memory may not be that of `dPrevious`.
package func lstmStateBackward(
    _ g: Matrix, _ gc: Matrix, _ step: LSTMStep, into dGates: Matrix, _ dPrevious: Matrix, addingTo dPeephole: Matrix
) {
    let width = step.width
    columnBlocks(width) { block in
        let (pi, pf, po) = (step.weights(0, block), step.weights(1, block), step.weights(2, block))
        var sums = (i: Vector.zero, f: Vector.zero, o: Vector.zero)
        for row in 0..<g.rows {
            let (i, f) = (step.gates.load(row, 0, block), step.gates.load(row, width, block))
            let (z, o) = (step.gates.load(row, 2 * width, block), step.gates.load(row, 3 * width, block))
            let (c, next) = (step.previous.load(row, block), step.cell.load(row, block))
            let (d, t) = (g.load(row, block), hyperbolicTangent(next))
            let dOut = d * t * o * (1 - o)
            let dc = gc.load(row, block) + d * o * (1 - t * t) + po * dOut
            let di = dc * z * i * (1 - i)
            let df = dc * c * f * (1 - f)
            dGates.store(di, row, 0, block)
            dGates.store(df, row, width, block)
            dGates.store(dc * i * (1 - z * z), row, 2 * width, block)
            dGates.store(dOut, row, 3 * width, block)
            dPrevious.store(dc * f + pi * di + pf * df, row, block)
            sums.i += di * c
            sums.f += df * c
            sums.o += dOut * next
        }
        guard dPeephole.rows > 0 else { return }
        dPeephole.rows(0..<1).add(sums.i, block)
        dPeephole.rows(1..<2).add(sums.f, block)
        dPeephole.rows(2..<3).add(sums.o, block)
    }
}
