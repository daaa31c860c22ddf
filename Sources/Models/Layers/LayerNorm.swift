import Kernels
import Tensors

/// Layer norm of every row: y = γ∘(x − mean)/√(variance + ε) + β (Ba and others 2016).
struct LayerNorm: Sendable {
    /// What backward needs; `y` is the result.
    struct Tape: BitwiseCopyable {
        /// The output.
        let y: Matrix
        let standardized: Matrix
        let inverse: Matrix
    }

    private let gamma: Slot
    private let beta: Slot
    private let epsilon: Float

    /// Declares `<name>.gamma` and `<name>.beta`.
    init(_ name: String, width: Int, epsilon: Float, in layout: inout ParameterLayout) {
        gamma = layout.matrix(name + ".gamma", rows: 1, columns: width, initial: .constant(1))
        beta = layout.matrix(name + ".beta", rows: 1, columns: width, initial: .constant(0))
        self.epsilon = epsilon
    }

    /// y of x.
    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        let tape = Tape(
            y: pass.matrix(rows: x.rows, columns: x.columns),
            standardized: pass.matrix(rows: x.rows, columns: x.columns), inverse: pass.matrix(rows: x.rows, columns: 1))
        layerNorm(
            x, gamma: pass.parameters[gamma], beta: pass.parameters[beta], epsilon: epsilon,
            standardized: tape.standardized, inverse: tape.inverse, into: tape.y)
        return tape
    }

    /// dx of dy; dγ and dβ are added.
    func backward(_ dy: Matrix, _ tape: Tape, _ pass: Pass) -> Matrix {
        let dx = pass.matrix(rows: dy.rows, columns: dy.columns)
        layerNormBackward(
            dy, gamma: pass.parameters[gamma], standardized: tape.standardized, inverse: tape.inverse,
            addingTo: pass.gradient[gamma], pass.gradient[beta], into: dx)
        return dx
    }
}
