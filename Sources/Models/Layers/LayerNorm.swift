import Kernels
import Tensors

/// Layer norm of every row: y = γ∘(x − mean)/√(variance + ε) + β (Ba and others 2016).
struct LayerNorm: Layer {
    private let gamma: Slot
    private let beta: Slot
    private let epsilon: Float

    /// Declares `<name>.gamma` and `<name>.beta`.
    init(_ name: String, width: Int, epsilon: Float, in layout: inout ParameterLayout) {
        gamma = layout.matrix(name + ".gamma", rows: 1, columns: width, initial: .constant(1))
        beta = layout.matrix(name + ".beta", rows: 1, columns: width, initial: .constant(0))
        self.epsilon = epsilon
    }

    func run(_ x: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        let (y, standardized) = (pass.matrix(like: x), pass.matrix(like: x))
        let inverse = pass.matrix(rows: x.rows, columns: 1)
        layerNorm(
            x, gamma: pass.parameters[gamma], beta: pass.parameters[beta], epsilon: epsilon,
            standardized: standardized, inverse: inverse, into: y)
        guard let dy = above(y) else { return nil }
        let dx = pass.matrix(like: dy)
        layerNormBackward(
            dy, gamma: pass.parameters[gamma], standardized: standardized, inverse: inverse,
            addingTo: pass.gradient[gamma], pass.gradient[beta], into: dx)
        return dx
    }
}
