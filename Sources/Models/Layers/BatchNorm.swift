import Kernels
import Tensors

/// Batch norm over valid rows: y = γ·(x − mean)/√(variance + ε) + β.
///
/// `constant` takes mean 0 and variance 1 for ever, which is what the public code of DIN and DIEN computes because it
/// never runs its update operations; there ε = 1e-3, otherwise 1e-5.
struct BatchNorm: Layer {
    private let gamma: Slot
    private let beta: Slot
    private let statistics: RowStatistics?

    /// Declares `<name>.gamma`, `<name>.beta` and, for `batch`, the running statistics.
    init(_ name: String, width: Int, kind: NormOptions, in layout: inout ParameterLayout) {
        gamma = layout.matrix(name + ".gamma", rows: 1, columns: width, initial: .constant(1))
        beta = layout.matrix(name + ".beta", rows: 1, columns: width, initial: .constant(0))
        statistics = kind == .batch ? RowStatistics(name, columns: width, in: &layout) : nil
    }

    func run(_ x: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        let inverse = pass.matrix(rows: 1, columns: x.columns)
        let moments = statistics?.values(of: x, pass)
        let mean = moments?.mean ?? pass.zeros(rows: 1, columns: x.columns)
        inverseRoots(of: moments?.variance ?? mean, epsilon: moments == nil ? 1.001 : 1e-5, into: inverse)
        let standardized = pass.matrix(like: x)
        standardize(x, mean: mean, inverse: inverse, into: standardized)
        let y = pass.matrix(like: x)
        affine(standardized, scale: pass.parameters[gamma], shift: pass.parameters[beta], into: y)
        guard let dy = above(y) else { return nil }
        let dx = pass.matrix(like: dy)
        normBackward(
            dy, standardized: standardized, gamma: pass.parameters[gamma], inverse: inverse, ofRows: moments != nil,
            addingTo: pass.gradient[gamma], pass.gradient[beta], into: dx)
        if let moments { statistics?.report(moments, pass) }
        return dx
    }

    // MARK: Constant, a range of columns

    /// γ·x/√1.001 + β for x that holds only the columns `columns` of the norm's.
    func constantForward(_ x: Matrix, columns: Range<Int>, _ pass: Pass) -> Matrix {
        let scale = pass.zeros(rows: 1, columns: x.columns)
        add(pass.parameters[gamma].columns(columns), times: BatchNorm.constantInverse, to: scale)
        let y = pass.matrix(like: x)
        affine(x, scale: scale, shift: pass.parameters[beta].columns(columns), into: y)
        return y
    }

    /// dx of dy for such x; dγ and dβ are added.
    func constantBackward(_ dy: Matrix, _ x: Matrix, columns: Range<Int>, _ pass: Pass) -> Matrix {
        let inverse = pass.matrix(rows: 1, columns: x.columns)
        let standardized = pass.zeros(like: x)
        for column in 0..<x.columns { inverse[0, column] = BatchNorm.constantInverse }
        add(x, times: BatchNorm.constantInverse, to: standardized)
        let dx = pass.matrix(like: x)
        normBackward(
            dy, standardized: standardized, gamma: pass.parameters[gamma].columns(columns), inverse: inverse,
            ofRows: false, addingTo: pass.gradient[gamma].columns(columns), pass.gradient[beta].columns(columns),
            into: dx)
        return dx
    }

    private static let constantInverse = 1 / (1.001 as Float).squareRoot()
}
