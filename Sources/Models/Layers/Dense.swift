import Kernels
import Tensors

/// y = x·W + b, W [inputs × outputs], b [1 × outputs].
struct Dense: Layer {
    /// W.
    let weight: Slot
    /// b, or of no elements.
    let bias: Slot

    /// y of x, [rows × outputs].
    func forward(_ x: Matrix, _ pass: Pass) -> Matrix {
        let y = pass.matrix(rows: x.rows, columns: weight.columns)
        if bias.count == 0 {
            gemm(x, pass.parameters[weight], into: y)
        } else {
            broadcast(pass.parameters[bias], to: y)
            gemm(x, pass.parameters[weight], addingTo: y)
        }
        return y
    }

    /// dW += xᵀ·dy and db += Σ dy.
    func learn(_ dy: Matrix, x: Matrix, _ pass: Pass) {
        gemm(transposed: x, dy, addingTo: pass.gradient[weight])
        if bias.count > 0 { addRows(of: dy, to: pass.gradient[bias]) }
    }

    func run(_ x: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        guard let dy = above(forward(x, pass)) else { return nil }
        learn(dy, x: x, pass)
        let dx = pass.matrix(like: x)
        gemm(dy, transposed: pass.parameters[weight], into: dx)
        return dx
    }
}

extension Dense {
    /// Declares `<name>.weight` and `<name>.bias`; the bias starts at 0.
    init(
        _ name: String, input: Int, output: Int, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        weight = layout.matrix(name + ".weight", rows: input, columns: output, initial: initial)
        bias = layout.matrix(name + ".bias", rows: 1, columns: output, initial: .constant(0))
    }
}

extension Slot {
    /// Of a parameter that is not there.
    static let none = Slot(offset: 0, rows: 0, columns: 0)
}

extension ParameterLayout {
    /// Declares a trainable matrix if it is wanted.
    mutating func matrix(_ name: String, rows: Int, columns: Int, initial: DenseInitial, if isWanted: Bool) -> Slot {
        isWanted ? matrix(name, rows: rows, columns: columns, initial: initial) : .none
    }
}
