import Kernels
import Tensors

/// Batch norm over valid rows: y = γ·(x − mean)/√(variance + ε) + β.
///
/// `constant` takes mean 0 and variance 1 for ever, which is what the public code of DIN and DIEN computes because it
/// never runs its update operations; there ε = 1e-3, otherwise 1e-5.
struct BatchNorm: Sendable {
    /// What backward needs; `y` is the result.
    struct Tape: BitwiseCopyable {
        /// The output.
        let y: Matrix
        let standardized: Matrix
        let inverse: Matrix
        let mean: Matrix
        let variance: Matrix
        let ofRows: Bool
    }

    private let gamma: Slot
    private let beta: Slot
    private let statistics: RowStatistics?

    /// Declares `<name>.gamma`, `<name>.beta` and, for `batch`, the running statistics.
    init(_ name: String, width: Int, kind: NormOptions, in layout: inout ParameterLayout) {
        gamma = layout.matrix(name + ".gamma", rows: 1, columns: width, initial: .constant(1))
        beta = layout.matrix(name + ".beta", rows: 1, columns: width, initial: .constant(0))
        statistics = kind == .batch ? RowStatistics(name, columns: width, in: &layout) : nil
    }

    /// y of x.
    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        let inverse = pass.matrix(rows: 1, columns: x.columns)
        var (mean, variance) = (inverse, inverse)
        if let statistics {
            (mean, variance) = statistics.values(of: x, pass)
            inverseRoots(of: variance, epsilon: 1e-5, into: inverse)
        } else {
            mean = pass.zeros(rows: 1, columns: x.columns)
            inverseRoots(of: mean, epsilon: 1.001, into: inverse)
        }
        let standardized = pass.matrix(rows: x.rows, columns: x.columns)
        standardize(x, mean: mean, inverse: inverse, into: standardized)
        let y = pass.matrix(rows: x.rows, columns: x.columns)
        affine(standardized, scale: pass.parameters[gamma], shift: pass.parameters[beta], into: y)
        return Tape(
            y: y, standardized: standardized, inverse: inverse, mean: mean, variance: variance,
            ofRows: statistics != nil && pass.isTraining)
    }

    /// dx of dy; dγ and dβ are added, running statistics reported.
    func backward(_ dy: Matrix, _ tape: Tape, _ pass: Pass) -> Matrix {
        let dx = pass.matrix(rows: dy.rows, columns: dy.columns)
        normBackward(
            dy, standardized: tape.standardized, gamma: pass.parameters[gamma], inverse: tape.inverse,
            ofRows: tape.ofRows, addingTo: pass.gradient[gamma], pass.gradient[beta], into: dx)
        statistics?.report(tape.mean, tape.variance, pass)
        return dx
    }

    // MARK: Constant, a range of columns

    /// γ·x/√1.001 + β for x that holds only the columns `columns` of the norm's.
    func constantForward(_ x: Matrix, columns: Range<Int>, _ pass: Pass) -> Matrix {
        let scale = pass.zeros(rows: 1, columns: x.columns)
        add(pass.parameters[gamma].columns(columns), times: BatchNorm.constantInverse, to: scale)
        let y = pass.matrix(rows: x.rows, columns: x.columns)
        affine(x, scale: scale, shift: pass.parameters[beta].columns(columns), into: y)
        return y
    }

    /// dx of dy for such x; dγ and dβ are added.
    func constantBackward(_ dy: Matrix, _ x: Matrix, columns: Range<Int>, _ pass: Pass) -> Matrix {
        let inverse = pass.matrix(rows: 1, columns: x.columns)
        let standardized = pass.zeros(rows: x.rows, columns: x.columns)
        for column in 0..<x.columns { inverse[0, column] = BatchNorm.constantInverse }
        add(x, times: BatchNorm.constantInverse, to: standardized)
        let dx = pass.matrix(rows: x.rows, columns: x.columns)
        normBackward(
            dy, standardized: standardized, gamma: pass.parameters[gamma].columns(columns), inverse: inverse,
            ofRows: false, addingTo: pass.gradient[gamma].columns(columns), pass.gradient[beta].columns(columns),
            into: dx)
        return dx
    }

    private static let constantInverse = 1 / (1.001 as Float).squareRoot()
}
