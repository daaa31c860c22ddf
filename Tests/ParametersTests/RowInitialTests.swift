import Tensors
import Testing

@testable import Parameters

private func draw(
    _ initial: RowInitial, width: Int = 18, seed: UInt64 = 1, table: UInt32 = 0, id: UInt64
) -> [Float] {
    var row = [Float](repeating: .nan, count: width)
    initial.fill(&row, width: width, seed: seed, table: table, id: id)
    return row
}

@Test("an initial value depends on seed, table and id, and on nothing else")
func initialValuesArePure() {
    let normal = RowInitial.normal(deviation: 0.01)
    let reference = draw(normal, id: 42)
    #expect(bits(draw(normal, id: 42)) == bits(reference))
    #expect(draw(normal, seed: 2, id: 42) != reference)
    #expect(draw(normal, table: 1, id: 42) != reference)
    #expect(draw(normal, id: 43) != reference)
    #expect(draw(normal, id: 42 | 1 << 63) != reference)
    #expect(Set(bits(reference)).count == 18, "columns differ")
}

@Test("a narrower row starts like the first columns of a wider one")
func initialValuesDependOnTheColumn() {
    for initial in [RowInitial.normal(deviation: 1), .uniform(limit: 1)] {
        #expect(bits(draw(initial, width: 5, id: 9)) == bits(Array(draw(initial, width: 40, id: 9).prefix(5))))
    }
}

@Test("normal values have mean 0 and the wanted deviation")
func normalMoments() {
    var (sum, squares, beyond) = (0.0, 0.0, 0)
    let (rows, width) = (5_000, 18)
    for id in 1...UInt64(rows) {
        for x in draw(.normal(deviation: 0.5), id: id) {
            sum += Double(x)
            squares += Double(x) * Double(x)
            if abs(x) > 1 { beyond += 1 }
        }
    }
    let count = Double(rows * width)
    #expect(abs(sum / count) < 0.5 * 4 / count.squareRoot())
    #expect(abs(squares / count - 0.25) < 0.25 * 6 / count.squareRoot())
    #expect(abs(Double(beyond) / count - 0.0455) < 0.004, "two deviations")
}

@Test("uniform values fill ±limit evenly, zero is zero")
func uniformMoments() {
    var (sum, squares) = (0.0, 0.0)
    for id in 1...5_000 as ClosedRange<UInt64> {
        for x in draw(.uniform(limit: 0.2), id: id) {
            #expect(abs(x) <= 0.2)
            sum += Double(x)
            squares += Double(x) * Double(x)
        }
    }
    #expect(abs(sum / 90_000) < 0.002)
    #expect(abs(squares / 90_000 - 0.04 / 3) < 0.0003)
    #expect(draw(.zero, id: 1) == [Float](repeating: 0, count: 18))
}
