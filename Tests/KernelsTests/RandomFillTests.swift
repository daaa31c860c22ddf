import Testing

@testable import Kernels

@Suite struct RandomFillTests {
    @Test("a column depends on nothing but its own coordinates")
    func columns() {
        var long = [Float](repeating: 0, count: 40)
        var short = [Float](repeating: 0, count: 7)
        fillNormal(&long, count: 40, deviation: 0.5, key: 3, stream: 1, id: 99)
        fillNormal(&short, count: 7, deviation: 0.5, key: 3, stream: 1, id: 99)
        #expect(Array(long.prefix(7)) == short)
        fillNormal(&short, count: 7, deviation: 0.5, key: 3, stream: 1, id: 100)
        #expect(Array(long.prefix(7)) != short)
    }

    @Test("normal deviates have the moments and tails of a normal distribution")
    func moments() {
        var values = [Float](repeating: 0, count: 200_000)
        fillNormal(&values, count: values.count, deviation: 2, key: 5, stream: 0, id: 1)
        let z = values.map { Double($0) / 2 }
        let n = Double(z.count)
        #expect(abs(z.reduce(0, +) / n) < 0.01)
        #expect(abs(z.reduce(0) { $0 + $1 * $1 } / n - 1) < 0.015)
        #expect(abs(z.reduce(0) { $0 + $1 * $1 * $1 * $1 } / n - 3) < 0.1)
        #expect(abs(Double(z.count { abs($0) > 1.959_964 }) / n - 0.05) < 0.002)
    }

    @Test("uniform deviates fill their interval")
    func uniform() {
        var values = [Float](repeating: 0, count: 10_000)
        fillUniform(&values, count: values.count, limit: 0.1, key: 5, stream: 0, id: 1)
        #expect(values.allSatisfy { $0 >= -0.1 && $0 < 0.1 })
        #expect(abs(values.reduce(0, +) / 10_000) < 0.003)
    }
}
