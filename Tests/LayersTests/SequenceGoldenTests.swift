import Kernels
import Tensors
import Testing

@testable import Models

/// Values of the recurrent and session layers made by independent code in double precision, inputs by the rule of `wave`.
@Suite struct SequenceGoldenTests {
    private let arena = Arena()

    private func matrix(_ start: Double, _ rows: Int, _ columns: Int, times factor: Float = 1) -> Matrix {
        let x = arena.matrix(rows: rows, columns: columns)
        for index in 0..<x.count { x.base[index] = factor * wave(start, index) }
        return x
    }

    private func expect(_ x: [Float], _ golden: [Double]) {
        #expect(x.count == golden.count)
        for (found, value) in zip(x, golden) { #expect(abs(Double(found) - value) < 2e-6) }
    }

    /// Mixing, update, reset, and h' of one step from h = F(12) with a = 0.3.
    static let steps: [(GRUMixing, GRU.Update, GRU.Reset, [Double])] = [
        (.product, .take, .before, [-0.427955858, -0.066539685, 0.286061109]),
        (.product, .take, .after, [-0.451783708, -0.103430436, 0.210581701]),
        (.union, .keep, .before, [0.286214994, 0.533556224, 0.596908234]),
        (.union, .keep, .after, [0.105716024, 0.324480954, 0.314350502]),
        (.attention, .take, .before, [-0.213704602, 0.113489088, 0.379315247]),
        (.attention, .take, .after, [-0.284533789, 0.024942981, 0.241712341]),
        (.gate, .take, .before, [-0.174516050, 0.233460027, 0.550434345]),
        (.gate, .take, .after, [-0.253942219, 0.110490858, 0.298836317]),
    ]

    @Test(
        "trap 11: one step of GRU, AGRU and both AUGRUs, reset before and after; gates that keep are not gates that take",
        arguments: steps)
    func gru(mixing: GRUMixing, update: GRU.Update, reset: GRU.Reset, golden: [Double]) {
        // U and W are given as [H × I] there, so they are transposed here; columns are u|r|n.
        let gates = mixing == .attention ? 2 : 3
        func stack(_ starts: [Double], _ inputs: Int) -> Matrix {
            let x = arena.matrix(rows: inputs, columns: gates * 3)
            for (gate, start) in starts.suffix(gates).enumerated() {
                for unit in 0..<3 {
                    for input in 0..<inputs { x[input, gate * 3 + unit] = wave(start, unit * inputs + input) }
                }
            }
            return x
        }
        let (h, x) = (matrix(12, 1, 3), matrix(11, 1, 2))
        let (input, recurrent) = (arena.zeros(rows: 1, columns: gates * 3), arena.zeros(rows: 1, columns: gates * 3))
        gemm(x, stack([1, 2, 3], 2), into: input)
        let u = stack([4, 5, 6], 3)
        gemm(h, u, into: recurrent)
        let bias = arena.matrix(rows: 1, columns: gates * 3)
        let hiddenBias = arena.zeros(rows: 1, columns: gates * 3)
        for (gate, start) in [7.0, 8, 9].suffix(gates).enumerated() {
            for unit in 0..<3 { bias[0, gate * 3 + unit] = wave(start, unit) }
        }
        if reset == .after { for unit in 0..<3 { hiddenBias[0, (gates - 1) * 3 + unit] = wave(10, unit) } }
        let a = arena.matrix(rows: 1, columns: 1)
        a.base[0] = 0.3
        func state(_ sign: Float) -> [Float] {
            let step = GRUStep(
                input: input, recurrent: recurrent, bias: bias, hiddenBias: hiddenBias, previous: h,
                kept: arena.matrix(rows: 1, columns: gates * 3 + 3), attention: a.base, mixing: mixing, sign: sign)
            let (rh, product) = (arena.matrix(rows: 1, columns: 3), arena.matrix(rows: 1, columns: 3))
            gruGates(step, resetState: reset == .before ? rh : nil)
            if reset == .before { gemm(rh, u.columns(gates * 3 - 3..<gates * 3), into: product) }
            let next = arena.matrix(rows: 1, columns: 3)
            gruState(step, candidate: reset == .before ? product : nil, into: next)
            return elements(next)
        }
        expect(state(update == .take ? 1 : -1), golden)
        if mixing != .attention {
            #expect(distance(state(update == .take ? -1 : 1), golden.map(Float.init)) > 1e-2)
        }
    }

    @Test("layer norm")
    func layerNorm() throws {
        var layout = ParameterLayout()
        let layer = LayerNorm("n", width: 4, epsilon: 1e-5, in: &layout)
        let parameters = DenseVector(count: layout.count)
        let gamma = try #require(layout.entry(named: "n.gamma")).slot
        let beta = try #require(layout.entry(named: "n.beta")).slot
        for index in 0..<4 {
            parameters[gamma].base[index] = wave(2, index)
            parameters[beta].base[index] = wave(3, index)
        }
        expect(
            elements(output { _ = layer.run(matrix(1, 2, 4), pass(parameters, arena), $0) }),
            [
                -0.876368520, 0.436737246, -0.157600801, -0.851467331, 1.338580919, 0.111079604, -0.738432957,
                -0.866721119,
            ])
    }

    @Test("trap 21: the sinusoids; columns 2i and 2i + 1 share a frequency")
    func sinusoid() {
        let table = arena.matrix(rows: 3, columns: 4)
        for position in 0..<3 { fillSinusoid(table[position], position: position, count: 4) }
        expect(
            elements(table),
            [
                0, 1, 0, 1, 0.841470985, 0.540302306, 0.009999833, 0.999950000, 0.909297427, -0.416146837, 0.019998667,
                0.999800007,
            ])
        let wide = arena.matrix(rows: 9, columns: 6)
        for position in 0..<9 { fillSinusoid(wide[position], position: position, count: 6) }
        for position in 0..<9 {
            for pair in 0..<3 {
                let (sine, cosine) = (wide[position, 2 * pair], wide[position, 2 * pair + 1])
                #expect(abs(sine * sine + cosine * cosine - 1) < 1e-6)
            }
        }
    }

    @Test("trap 20: the bias encoding, its gradient, and the shift from one vector to another that changes nothing")
    func biasEncoding() throws {
        var layout = ParameterLayout()
        let layer = PositionEncoding("p", kind: .bias, width: 2, sessions: 2, length: 2, in: &layout)
        let parameters = DenseVector(count: layout.count)
        func slot(_ name: String) throws -> Slot { try #require(layout.entry(named: "p." + name)).slot }
        let (k, t, c) = (try slot("session"), try slot("behavior"), try slot("unit"))
        for index in 0..<2 {
            parameters[k].base[index] = wave(1, index)
            parameters[t].base[index] = wave(2, index)
            parameters[c].base[index] = wave(3, index)
        }
        let (offsets, ofHistory): ([Int32], [Int32]) = ([0, 2, 4], [0, 2])
        let sessions = Sessions(histories: 1, count: 2, offsets: stable(offsets), ofHistory: stable(ofHistory))
        let zeros = arena.zeros(rows: 4, columns: 2)
        let y = elements(layer.forward(zeros, sessions, pass(parameters, arena)).queries)
        // Golden rows are by k; here the oldest session, k = 1, comes first.
        let golden = [
            1.891888420, 1.524341890, 1.679868731, 1.312322201, 2.030325496, 1.662778966, 1.818305808, 1.450759278,
        ]
        expect(y, Array(golden[4...] + golden[..<4]))
        for index in 0..<2 {
            parameters[k].base[index] += 0.7
            parameters[t].base[index] -= 0.7
        }
        #expect(distance(elements(layer.forward(zeros, sessions, pass(parameters, arena)).queries), y) < 1e-6)
        let gradient = DenseVector(count: layout.count)
        let dy = matrix(4, 4, 2)
        layer.backward(queries: dy, keys: dy, sessions, pass(parameters, arena, into: gradient))
        #expect(abs(gradient[k].base[1] - (dy[0, 0] + dy[0, 1] + dy[1, 0] + dy[1, 1])) < 1e-6)
        #expect(abs(gradient[t].base[0] - (dy[0, 0] + dy[0, 1] + dy[2, 0] + dy[2, 1])) < 1e-6)
        #expect(abs(gradient[c].base[0] - (dy[0, 0] + dy[1, 0] + dy[2, 0] + dy[3, 0])) < 1e-6)
    }

    @Test("trap 23: multi-head attention is scaled by √(width of a head), not √(width)")
    func attention() throws {
        func y(_ scale: MultiHeadAttention.Scale, heads: Int) throws -> [Float] {
            var options = Transformer.Options()
            options.output = false
            options.scale = scale
            options.heads = heads
            var layout = ParameterLayout()
            let layer = MultiHeadAttention("m", width: 4, options, in: &layout)
            let parameters = DenseVector(count: layout.count)
            for (name, start) in [("query", 2.0), ("key", 3), ("value", 4)] {
                let slot = try #require(layout.entry(named: "m.\(name).weight")).slot
                for index in 0..<16 { parameters[slot].base[index] = 0.5 * wave(start, index) }
            }
            let offsets = stable([0, 2])
            let pass = pass(parameters, arena)
            let x = pass.variable(matrix(1, 3, 4).rows(0..<2))
            return elements(output { layer.run(queries: x, keys: x, offsets: offsets, sessions: 1, pass, $0) })
        }
        expect(
            try y(.head, heads: 2),
            [
                -0.280803005, -0.226732275, -0.152025427, -0.046067049, -0.269414338, -0.214395650, -0.158618066,
                -0.051357740,
            ])
        #expect(distance(try y(.head, heads: 2), try y(.model, heads: 2)) > 1e-4)
        #expect(try y(.head, heads: 1) == (try y(.model, heads: 1)))
    }

    @Test("one step of the LSTM")
    func lstm() {
        func transposed(_ start: Double, _ inputs: Int) -> Matrix {
            let x = arena.matrix(rows: inputs, columns: 8)
            for unit in 0..<8 { for input in 0..<inputs { x[input, unit] = wave(start, unit * inputs + input) } }
            return x
        }
        let sums = matrix(3, 1, 8)
        gemm(matrix(4, 1, 2), transposed(1, 2), addingTo: sums)
        gemm(matrix(5, 1, 2), transposed(2, 2), addingTo: sums)
        let (cell, state) = (arena.matrix(rows: 1, columns: 2), arena.matrix(rows: 1, columns: 2))
        let step = LSTMStep(
            sums: sums, gates: arena.matrix(rows: 1, columns: 8), previous: matrix(6, 1, 2), cell: cell,
            peephole: arena.matrix(rows: 0, columns: 2))
        lstmState(step, into: state)
        expect(elements(state), [-0.021516119, 0.013954801])
        expect(elements(cell), [-0.054552520, 0.156339657])
    }
}
