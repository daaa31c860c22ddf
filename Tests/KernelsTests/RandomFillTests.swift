import Tensors
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

    @Test("uniform deviates differ from column to column, and fill their range evenly")
    func evenly() {
        var row = [Float](repeating: 0, count: 100_000)
        fillUniform(&row, count: row.count, limit: 0.5, key: 3, stream: 1, id: 99)
        #expect(row.allSatisfy { $0 >= -0.5 && $0 < 0.5 })
        #expect(zip(row, row.dropFirst()).count { $0 == $1 } < 10)
        for tenth in 0..<10 {
            let (low, high) = (Float(tenth) / 10 - 0.5, Float(tenth + 1) / 10 - 0.5)
            #expect(abs(row.count { $0 >= low && $0 < high } - 10_000) < 500)
        }
        var short = [Float](repeating: 0, count: 7)
        fillUniform(&short, count: 7, limit: 0.5, key: 3, stream: 1, id: 99)
        #expect(short == Array(row.prefix(7)))
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

    @Test("the largest and the smallest uniform become normal deviates beyond four deviations, and finite")
    func ends() {
        var row = [Float](repeating: 0, count: 16)
        // A word whose upper 24 bits are all ones; one in 16 million is.
        #expect(Philox.words(key: 1, 3, 1_001_653)[3] >> 8 == 0xff_ffff)
        fillNormal(&row, count: 16, deviation: 1, key: 1, stream: 0, id: 1_001_653)
        #expect(row[15] > 4 && row[15] < 7, "\(row[15])")
        #expect(row.allSatisfy { $0.isFinite })
        let low = inverseErrorFunction(Vector(repeating: 2 * 0x1p-25 - 1))[0]
        #expect(low < -3 && low.isFinite)
    }

    @Test("uniform deviates fill their interval")
    func uniform() {
        var values = [Float](repeating: 0, count: 10_000)
        fillUniform(&values, count: values.count, limit: 0.1, key: 5, stream: 0, id: 1)
        #expect(values.allSatisfy { $0 >= -0.1 && $0 < 0.1 })
        #expect(abs(values.reduce(0, +) / 10_000) < 0.003)
    }
}
