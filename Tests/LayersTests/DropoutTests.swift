import Tensors
import Testing

@testable import Models

@Suite struct DropoutTests {
    @Test("dropout keeps the expectation, is a function of its key, and a second draw is the same mask")
    func mask() {
        let arena = Arena()
        let x = arena.matrix(rows: 400, columns: 50)
        for index in 0..<x.count { x.base[index] = 1 }
        let none = DenseVector(count: 0)
        let y = pass(none, arena, key: 7).drop(x, rate: 0.3, stream: 1)
        let again = pass(none, arena, key: 7).drop(x, rate: 0.3, stream: 1)
        let other = pass(none, arena, key: 8).drop(x, rate: 0.3, stream: 1)
        #expect(Pass(scoring: 400, none, arena).drop(x, rate: 0.3, stream: 1).base == x.base)
        var (zeros, differences) = (0, 0)
        for index in 0..<x.count {
            #expect(y.base[index] == again.base[index])
            #expect(y.base[index] == 0 || abs(y.base[index] - 1 / 0.7) < 1e-6)
            if y.base[index] == 0 { zeros += 1 }
            if y.base[index] != other.base[index] { differences += 1 }
        }
        #expect(abs(Double(zeros) / 20_000 - 0.3) < 0.02)
        #expect(differences > 5_000)
    }
}
