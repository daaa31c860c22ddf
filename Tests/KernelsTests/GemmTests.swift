import Tensors
import Testing

@testable import Kernels

@Suite struct GemmTests {
    private let arena = Arena()

    private func filled(_ rows: Int, _ columns: Int, _ seed: UInt64) -> Matrix {
        // A column block of a wider matrix: the stride has to be honored.
        let matrix = arena.zeros(rows: rows, columns: columns + 3).columns(1..<columns + 1)
        for row in 0..<rows {
            fillUniform(matrix[row], count: columns, limit: 1, key: seed, stream: 0, id: UInt64(row))
        }
        return matrix
    }

    @Test(
        "all transpositions agree with the definition, strides honored",
        arguments: [(1, 1, 1), (5, 7, 3), (33, 18, 40)])
    func definition(m: Int, n: Int, k: Int) {
        let (a, b, at, bt) = (filled(m, k, 1), filled(k, n, 2), filled(k, m, 3), filled(n, k, 4))
        func expect(_ c: Matrix, start: Float, _ term: (Int, Int, Int) -> Float) {
            for i in 0..<m {
                for j in 0..<n {
                    let sum = (0..<k).reduce(Double(start)) { $0 + Double(term(i, j, $1)) }
                    #expect(abs(Double(c[i, j]) - sum) < 1e-5)
                }
            }
        }
        let c = arena.zeros(rows: m, columns: n + 2).columns(0..<n)
        gemm(a, b, into: c)
        expect(c, start: 0) { a[$0, $2] * b[$2, $1] }
        for i in 0..<m { for j in 0..<n { c[i, j] = 1 } }
        gemm(transposed: at, b, addingTo: c)
        expect(c, start: 1) { at[$2, $0] * b[$2, $1] }
        gemm(a, transposed: bt, into: c)
        expect(c, start: 0) { a[$0, $2] * bt[$1, $2] }
    }

    @Test("an empty inner dimension clears, an empty result does nothing")
    func empty() {
        let c = arena.matrix(rows: 2, columns: 2)
        gemm(arena.matrix(rows: 2, columns: 0), arena.matrix(rows: 0, columns: 2), into: c)
        #expect((0..<4).allSatisfy { c.base[$0] == 0 })
        gemm(arena.matrix(rows: 0, columns: 2), c, into: arena.matrix(rows: 0, columns: 2))
    }

    @Test("rows gathered and scattered, duplicates adding up")
    func rows() {
        let source = filled(4, 5, 9)
        let index = arena.ints(3)
        (index[0], index[1], index[2]) = (3, 1, 3)
        let gathered = arena.matrix(rows: 3, columns: 5)
        gatherRows(of: source, at: index, into: gathered)
        let sums = arena.zeros(rows: 4, columns: 5)
        scatterAddRows(of: gathered, at: index, addingTo: sums)
        for column in 0..<5 {
            #expect(gathered[0, column] == source[3, column] && gathered[1, column] == source[1, column])
            #expect(sums[3, column] == 2 * source[3, column] && sums[1, column] == source[1, column])
            #expect(sums[0, column] == 0)
        }
        let total = arena.zeros(rows: 1, columns: 5)
        addRows(of: source, to: total)
        for column in 0..<5 {
            let sum = ((source[0, column] + source[1, column]) + source[2, column]) + source[3, column]
            #expect(total[0, column] == sum)
        }
    }
}
