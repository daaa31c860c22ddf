import Kernels
import Tensors

/// Mean and variance of columns: of the rows at hand in training, running values in evaluation.
///
/// Only valid rows are ever passed, so padding cannot enter. The running values are statistic slots:
/// a micro-batch reports samples × its statistic, and the server averages and smooths.
struct RowStatistics: Sendable {
    private let mean: Slot
    private let variance: Slot

    /// Declares `<name>.mean`, from 0, and `<name>.variance`, from 1.
    init(_ name: String, columns: Int, in layout: inout ParameterLayout) {
        mean = layout.statistic(name + ".mean", columns: columns, initial: 0)
        variance = layout.statistic(name + ".variance", columns: columns, initial: 1)
    }

    /// Mean and biased variance, each [1 × columns]; the running ones in evaluation and where there is no row.
    func values(of x: Matrix, _ pass: Pass) -> (mean: Matrix, variance: Matrix) {
        guard pass.isTraining, x.rows > 0 else { return (pass.parameters[mean], pass.parameters[variance]) }
        let (m, v) = (pass.matrix(rows: 1, columns: x.columns), pass.matrix(rows: 1, columns: x.columns))
        columnMoments(of: x, mean: m, variance: v)
        return (m, v)
    }

    /// Reports samples × statistic.
    func report(_ values: (mean: Matrix, variance: Matrix), _ pass: Pass) {
        let (m, v) = (pass.gradient[mean], pass.gradient[variance])
        for column in 0..<m.columns {
            m[0, column] = values.mean[0, column] * Float(pass.samples)
            v[0, column] = values.variance[0, column] * Float(pass.samples)
        }
    }
}
