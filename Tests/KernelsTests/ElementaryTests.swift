import Foundation
import Tensors
import Testing

@testable import Kernels

@Suite struct ElementaryTests {
    /// Runs a kernel over values and returns what it makes of them.
    private func run(_ kernel: (Matrix, Matrix) -> Void, _ values: [Float]) -> [Float] {
        let arena = Arena()
        let x = arena.matrix(rows: 1, columns: values.count)
        let y = arena.matrix(rows: 1, columns: values.count)
        for (index, value) in values.enumerated() { x.base[index] = value }
        kernel(x, y)
        return (0..<values.count).map { y.base[$0] }
    }

    /// Floats over the whole range: every 9,973rd bit pattern.
    static let sweep: [Float] = stride(from: UInt32(0), through: 0xff7f_ffff, by: 9973).map(Float.init(bitPattern:))
        .filter(\.isFinite)

    private func worst(_ kernel: (Matrix, Matrix) -> Void, _ values: [Float], _ exact: (Double) -> Double) -> Double {
        zip(values, run(kernel, values)).reduce(0) { worst, pair in
            let wanted = exact(Double(pair.0))
            // Where the true value is no normal float there is no relative accuracy to ask for.
            guard abs(wanted) >= 1.2e-38, abs(wanted) < 3.4e38 else { return worst }
            return max(worst, abs(Double(pair.1) - wanted) / abs(wanted))
        }
    }

    @Test("exp, log and the logistic function are within 2e-7 of the truth over the whole range")
    func accuracy() {
        #expect(worst(exponential, Self.sweep, Foundation.exp) <= 2e-7)
        #expect(worst(logarithm, Self.sweep.filter { $0 > 0 }, Foundation.log) <= 2e-7)
        #expect(worst(logistic, Self.sweep) { 1 / (1 + Foundation.exp(-$0)) } <= 2e-7)
        let near = (0..<200_000).map { Float($0) * 1e-3 - 100 }
        #expect(worst(exponential, near, Foundation.exp) <= 2e-7)
        #expect(worst(logistic, near) { 1 / (1 + Foundation.exp(-$0)) } <= 2e-7)
        #expect(worst(logarithm, near.map { 1 + $0 * 1e-4 }, Foundation.log) <= 2e-7)
    }

    @Test("infinities, zero and NaN are defined")
    func edges() {
        let edges: [Float] = [.infinity, -.infinity, .nan, 0]
        let e = run(exponential, edges)
        #expect(e[0] == .infinity && e[1] == 0 && e[2].isNaN && e[3] == 1)
        let l = run(logarithm, edges)
        #expect(l[0] == .infinity && l[1].isNaN && l[2].isNaN && l[3] == -.infinity)
        let s = run(logistic, edges)
        #expect(s[0] == 1 && s[1] == 0 && s[2].isNaN && s[3] == 0.5)
    }

    @Test("an element has the same bits wherever it stands")
    func placement() {
        let values = (0..<37).map { Float($0) * 0.37 - 5 }
        let whole = run(logistic, values)
        for index in values.indices { #expect(run(logistic, [values[index]])[0] == whole[index]) }
    }
}
