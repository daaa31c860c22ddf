import Foundation
import Tensors
import Testing

@testable import Kernels

@Suite struct MoreElementaryTests {
    private func run(_ kernel: (Matrix, Matrix) -> Void, _ values: [Float]) -> [Float] {
        let arena = Arena()
        let (x, y) = (arena.matrix(rows: 1, columns: values.count), arena.matrix(rows: 1, columns: values.count))
        for (index, value) in values.enumerated() { x.base[index] = value }
        kernel(x, y)
        return (0..<values.count).map { y.base[$0] }
    }

    private func worst(_ kernel: (Matrix, Matrix) -> Void, _ values: [Float], _ exact: (Double) -> Double) -> (
        Double, Float
    ) {
        zip(values, run(kernel, values)).reduce((0, 0)) { worst, pair in
            let wanted = exact(Double(pair.0))
            guard abs(wanted) >= 1.2e-38, abs(wanted) < 3.4e38 else { return worst }
            let error = abs(Double(pair.1) - wanted) / abs(wanted)
            return error > worst.0 ? (error, pair.0) : worst
        }
    }

    @Test("tanh and ln(1 + x) are within 2e-7 of the truth over the whole range")
    func accuracy() {
        let near = (0..<200_000).map { Float($0) * 1e-4 - 10 }
        for values in [ElementaryTests.sweep, near, near.map { $0 * 1e-4 }] {
            let tanh = worst(hyperbolicTangent, values, Foundation.tanh)
            #expect(tanh.0 <= 2e-7, "tanh at \(tanh.1)")
            let log = worst(logarithmOfOnePlus, values.filter { $0 > -1 }, Foundation.log1p)
            #expect(log.0 <= 2e-7, "log1p at \(log.1)")
        }
    }

    @Test("infinities, the pole and NaN are defined")
    func edges() {
        let edges: [Float] = [.infinity, -.infinity, .nan, 0, -1, -2]
        let t = run(hyperbolicTangent, edges)
        #expect(t[0] == 1 && t[1] == -1 && t[2].isNaN && t[3] == 0)
        let l = run(logarithmOfOnePlus, edges)
        #expect(l[0] == .infinity && l[1].isNaN && l[2].isNaN && l[3] == 0 && l[4] == -.infinity && l[5].isNaN)
    }

    @Test(
        "column moments are those of the definition, whatever the block a column falls into",
        arguments: [1, 5, 16, 21, 40])
    func moments(columns: Int) {
        let arena = Arena()
        let x = arena.matrix(rows: 150, columns: columns)
        for index in 0..<x.count { x.base[index] = Float(index * 7919 % 1000) / 500 - 1 }
        let (mean, variance) = (arena.matrix(rows: 1, columns: columns), arena.matrix(rows: 1, columns: columns))
        columnMoments(of: x, mean: mean, variance: variance)
        for column in 0..<columns {
            let values = (0..<150).map { Double(x[$0, column]) }
            let m = values.reduce(0, +) / 150
            let v = values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / 150
            #expect(abs(Double(mean[0, column]) - m) < 1e-6 && abs(Double(variance[0, column]) - v) < 1e-6)
        }
    }
}
