import Tensors
import Testing

@testable import Models

/// Values made by independent code in double precision, inputs by the rule of `wave`.
@Suite struct GoldenTests {
    private func matrix(_ arena: Arena, _ start: Double, _ rows: Int, _ columns: Int, times factor: Float = 1) -> Matrix
    {
        let x = arena.matrix(rows: rows, columns: columns)
        for index in 0..<x.count { x.base[index] = factor * wave(start, index) }
        return x
    }

    private func expect(_ x: Matrix, _ golden: [Double], within tolerance: Double = 2e-6) {
        for (index, value) in golden.enumerated() {
            #expect(abs(Double(x.base[index]) - value) <= tolerance * max(1, abs(value)), "[\(index)]")
        }
    }

    @Test("trap 16: Dice in training, its statistics part of the gradient")
    func dice() throws {
        let arena = Arena()
        var layout = ParameterLayout()
        let layer = Activation("a", width: 2, kind: .dice, in: &layout)
        let parameters = DenseVector(count: layout.count)
        let alpha = try #require(layout.entry(named: "a.alpha")).slot
        for index in 0..<2 { parameters[alpha].base[index] = wave(2, index) }
        let x = matrix(arena, 1, 4, 2)
        let gradient = DenseVector(count: layout.count)
        var y = x
        let dx = layer.run(x, pass(parameters, arena, into: gradient, samples: 4)) {
            y = $0
            return matrix(arena, 3, 4, 2)
        }
        expect(
            y,
            [
                0.814666706, 0.899875208, 0.961089813, 0.776349599, 0.587315265, 0.238719633, -0.072378219,
                -0.325626518,
            ])
        expect(
            try #require(dx),
            [
                0.158961518, -0.173119333, -0.555295297, -0.775639766, -0.950636240, -0.836740785, -0.803453143,
                -0.470392722,
            ], within: 1e-5)
        expect(gradient[alpha], [-0.344253466, -0.214205823])
        let mean = try #require(layout.entry(named: "a.mean")).slot
        let sum = (0..<4).reduce(Float(0)) { $0 + x[$1, 0] }
        #expect(abs(gradient[mean][0, 0] - sum) < 1e-5)
    }

    @Test("trap 17: α = 1 is the identity; one row, and a column without variance, stay finite")
    func diceLimits() throws {
        let arena = Arena()
        var layout = ParameterLayout()
        let layer = Activation("a", width: 3, kind: .dice, in: &layout)
        let parameters = DenseVector(count: layout.count)
        let alpha = try #require(layout.entry(named: "a.alpha")).slot
        let gradient = DenseVector(count: layout.count)
        for rows in [1, 5] {
            let x = matrix(arena, 1, rows, 3)
            for row in 0..<rows { x[row, 1] = 0.7 }
            for value in [Float(1), 0.3] {
                for index in 0..<3 { parameters[alpha].base[index] = value }
                var y = x
                let dx = try #require(
                    layer.run(x, pass(parameters, arena, into: gradient, samples: rows)) {
                        y = $0
                        return matrix(arena, 2, rows, 3)
                    })
                for index in 0..<x.count {
                    #expect(y.base[index].isFinite && dx.base[index].isFinite)
                    if value == 1 { #expect(abs(y.base[index] - x.base[index]) < 1e-6) }
                }
            }
        }
    }

    @Test(
        "the attention unit of DIN: pooled vectors with and without softmax",
        arguments: [
            (AttentionNormalization.softmax, [0.652395364, 0.367391455]), (.none, [-1.704379018, -0.952118198]),
        ])
    func attention(normalization: AttentionNormalization, golden: [Double]) throws {
        let arena = Arena()
        var layout = ParameterLayout()
        let layer = TargetAttention(
            "t", width: 2, hidden: [4], activation: .sigmoid, normalization: normalization, dropout: 0, in: &layout)
        let parameters = DenseVector(count: layout.count)
        func slot(_ name: String) throws -> Matrix { parameters[try #require(layout.entry(named: name)).slot] }
        let (weight, bias) = (try slot("t.0.weight"), try slot("t.0.bias"))
        let (last, constant) = (try slot("t.output.weight"), try slot("t.output.bias"))
        for unit in 0..<4 {
            for input in 0..<8 { weight[input, unit] = 0.5 * wave(3, unit * 8 + input) }
            bias[0, unit] = 0.1 * wave(4, unit)
            last[unit, 0] = wave(5, unit)
        }
        constant[0, 0] = wave(6, 0)
        let (of, offsets, behavior): ([Int32], [Int32], [Int32]) = ([0], [0, 2], [0, 1])
        let histories = Histories(
            samples: 1, count: 1, of: stable(of), offsets: stable(offsets), behavior: stable(behavior))
        let pass = pass(parameters, arena, key: 0)
        let (q, e) = (pass.variable(matrix(arena, 1, 1, 2)), pass.variable(matrix(arena, 2, 3, 2)))
        expect(output { layer.run(q, e, histories, pass, $0) }, golden)
        let weights = output { layer.weigh(q, e, histories, pass, $0) }
        // Trap 3: weights over exactly the two valid positions.
        if normalization == .softmax {
            expect(weights, [0.504444839, 0.495555161])
            #expect(weights.rows == 2)
        } else {
            expect(weights, [-1.305531753, -1.323311578])
        }
    }
}
