import Kernels
import Tensors

/// y = x·W + b, W [inputs × outputs], b [1 × outputs].
struct Dense: Sendable {
    /// W.
    let weight: Slot
    /// b.
    let bias: Slot

    /// Declares `<name>.weight` and `<name>.bias`; the bias starts at 0.
    init(
        _ name: String, input: Int, output: Int, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        weight = layout.matrix(name + ".weight", rows: input, columns: output, initial: initial)
        bias = layout.matrix(name + ".bias", rows: 1, columns: output, initial: .constant(0))
    }

    /// y of x, [rows × outputs].
    func forward(_ x: Matrix, _ pass: Pass) -> Matrix {
        let y = pass.matrix(rows: x.rows, columns: weight.columns)
        broadcast(pass.parameters[bias], to: y)
        gemm(x, pass.parameters[weight], addingTo: y)
        return y
    }

    /// dx of dy; dW += xᵀ·dy and db += Σ dy.
    func backward(_ dy: Matrix, x: Matrix, _ pass: Pass) -> Matrix {
        gemm(transposed: x, dy, addingTo: pass.gradient[weight])
        addRows(of: dy, to: pass.gradient[bias])
        let dx = pass.matrix(rows: x.rows, columns: x.columns)
        gemm(dy, transposed: pass.parameters[weight], into: dx)
        return dx
    }
}
