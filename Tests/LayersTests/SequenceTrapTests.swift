import Kernels
import Tensors
import Testing

@testable import Models

/// The known ways to get the layers of DIEN and DSIN wrong, each with the test that catches it.
@Suite struct SequenceTrapTests {
    private let sequence = Sequence([5, 0, 1, 3])

    @Test(
        "trap 9, paper: a = 0 keeps the state to the bit, a = 1 is a GRU, u = 1 is AGRU", arguments: GRU.Reset.allCases)
    func product(reset: GRU.Reset) throws {
        var options = GRU.Options()
        options.reset = reset
        let augru = GRUBench(input: 4, width: 18, mixing: .product, options)
        let (gru, agru) = (
            GRUBench(input: 4, width: 18, options), GRUBench(input: 4, width: 18, mixing: .attention, options)
        )
        gru.copy(from: augru)
        agru.copy(from: augru)
        let x = augru.arena.waves(rows: sequence.positions, columns: 4, 1)
        let ones = [Float](repeating: 1, count: sequence.positions)
        // The first two steps move the state, the others keep it.
        var first = [Float](repeating: 0, count: sequence.positions)
        (first[0], first[1]) = (0.7, 0.4)
        let states = augru.states(x, attention: first, sequence)
        for position in 2..<5 { #expect(Array(states[position * 18..<position * 18 + 18]) == Array(states[18..<36])) }
        #expect(states[18..<36].contains { $0 != 0 })
        #expect(distance(augru.states(x, attention: ones, sequence), gru.states(x, attention: nil, sequence)) < 1e-6)

        let bias = try #require(augru.layout.entry(named: "g.bias")).slot
        for unit in 0..<18 { augru.parameters[bias].base[unit] = 100 }
        let mixed = (0..<sequence.positions).map { 0.1 * Float($0 + 1) }
        #expect(
            distance(augru.states(x, attention: mixed, sequence), agru.states(x, attention: mixed, sequence)) < 1e-6)
    }

    @Test("trap 9, public code: a = 0 is a GRU, a = 1 replaces the state; the two forms differ")
    func union() {
        let (union, gru) = (GRUBench(input: 4, width: 5, mixing: .union), GRUBench(input: 4, width: 5))
        let (agru, product) = (
            GRUBench(input: 4, width: 5, mixing: .attention), GRUBench(input: 4, width: 5, mixing: .product)
        )
        for other in [gru, agru, product] { other.copy(from: union) }
        let x = union.arena.waves(rows: sequence.positions, columns: 4, 1)
        let (zeros, ones) = ([Float](repeating: 0, count: 9), [Float](repeating: 1, count: 9))
        #expect(distance(union.states(x, attention: zeros, sequence), gru.states(x, attention: nil, sequence)) < 1e-6)
        // AGRU with a = 1 is the recursion of candidates alone.
        #expect(distance(union.states(x, attention: ones, sequence), agru.states(x, attention: ones, sequence)) < 1e-6)
        let mixed = (0..<9).map { 0.1 * Float($0) }
        #expect(
            distance(union.states(x, attention: mixed, sequence), product.states(x, attention: mixed, sequence)) > 1e-2)
    }

    @Test("trap 10: AIGRU with a = 1 is a GRU; AGRU with a = 1 is the recursion of candidates")
    func identities() {
        let (aigru, gru) = (GRUBench(input: 4, width: 5, scalesInput: true), GRUBench(input: 4, width: 5))
        gru.copy(from: aigru)
        let x = aigru.arena.waves(rows: 9, columns: 4, 1)
        let ones = [Float](repeating: 1, count: 9)
        #expect(distance(aigru.states(x, attention: ones, sequence), gru.states(x, attention: nil, sequence)) < 1e-6)
        #expect(
            distance(
                aigru.states(x, attention: ones.map { 0.5 * $0 }, sequence), gru.states(x, attention: nil, sequence))
                > 1e-3)

        let agru = GRUBench(input: 4, width: 5, mixing: .attention)
        // n of the last step of a sequence, by hand, from the state before.
        let states = agru.states(x, attention: ones, sequence)
        var kept: [Float] = []
        func value(_ name: String) -> Matrix {
            agru.parameters[agru.layout.entry(named: name)?.slot ?? Slot(offset: 0, rows: 0, columns: 0)]
        }
        let (w, u, b) = (value("g.input.weight"), value("g.hidden.weight"), value("g.bias"))
        for unit in 0..<5 {
            func sum(_ column: Int, _ weight: Matrix, _ row: [Float]) -> Double {
                row.enumerated().reduce(0) { $0 + Double($1.element * weight[$1.offset, column]) }
            }
            let (input, before) = ((0..<4).map { x[4, $0] }, Array(states[15..<20]))
            let r = 1 / (1 + exponential(-(sum(unit, w, input) + sum(unit, u, before) + Double(b[0, unit]))))
            let n = sum(5 + unit, w, input) + Double(b[0, 5 + unit]) + r * sum(5 + unit, u, before)
            kept.append(Float(1 - 2 / (exponential(2 * n) + 1)))
        }
        #expect(distance(kept, Array(states[20..<25])) < 1e-5)
    }

    /// eˣ by its series in pieces of 1/8.
    private func exponential(_ x: Double) -> Double {
        let pieces = Int(abs(x) * 8) + 1
        let r = x / Double(pieces)
        var (term, sum) = (1.0, 1.0)
        for k in 1..<16 {
            term *= r / Double(k)
            sum += term
        }
        return (0..<pieces).reduce(1.0) { value, _ in value * sum }
    }

    // MARK: Auxiliary loss

    /// The auxiliary loss of hand-made histories, and its gradients.
    private struct AuxiliaryBench {
        let layer: AuxiliaryLoss
        let layout: ParameterLayout
        let parameters: DenseVector
        let arena = Arena()

        init(_ options: AuxiliaryLoss.Options, states: Int = 3, behaviors: Int = 2) {
            var layout = ParameterLayout()
            layer = AuxiliaryLoss("a", states: states, behaviors: behaviors, options, in: &layout)
            self.layout = layout
            parameters = FiniteDifferences(layout).parameters
        }

        func train(
            _ h: Matrix, _ e: Matrix, _ sequence: Sequence, behavior: [Int32], negative: [Int32], samplesOf: [Int32],
            into gradient: DenseVector? = nil
        ) -> (loss: Double, dh: [Float], de: [Float]) {
            let pairs = AuxiliaryLoss.Pairs(
                offsets: sequence.offsets, histories: sequence.lengths.count, stateOf: sequence.identity,
                behavior: stable(behavior), negative: stable(negative), samplesOf: stable(samplesOf))
            let pass = pass(parameters, arena, into: gradient ?? DenseVector(count: layout.count))
            let (h, e) = (pass.variable(h), pass.variable(e))
            let samples = samplesOf.reduce(0, +)
            let loss = layer.train(h, e, pairs, factor: Float(samples), pass)
            return (loss / Double(samples), h.gradient.map(elements) ?? [], e.gradient.map(elements) ?? [])
        }
    }

    @Test("trap 12: the last state and the first behavior, as a label, take no part")
    func shift() {
        let bench = AuxiliaryBench(AuxiliaryLoss.Options())
        let sequence = Sequence([4, 1])
        let (h, e) = (bench.arena.waves(rows: 5, columns: 3, 1), bench.arena.waves(rows: 6, columns: 2, 2))
        let result = bench.train(
            h, e, sequence, behavior: [0, 1, 2, 3, 4], negative: [-1, 5, 5, 5, -1], samplesOf: [1, 1])
        for state in 0..<3 { #expect(result.dh[state * 3..<state * 3 + 3].contains { $0 != 0 }) }
        for state in 3..<5 { #expect(result.dh[state * 3..<state * 3 + 3].allSatisfy { $0 == 0 }) }
        for behavior in [0, 4] { #expect(result.de[behavior * 2..<behavior * 2 + 2].allSatisfy { $0 == 0 }) }
        for behavior in [1, 2, 3, 5] { #expect(result.de[behavior * 2..<behavior * 2 + 2].contains { $0 != 0 }) }
    }

    @Test(
        "trap 12: what follows from a state is learnable with the right shift, and with no other", arguments: [0, 1, 2])
    func learnable(shift: Int) {
        // Behaviors walk a circle of 7 at random speed; a state is the behavior's vector at t + shift − 1: the net can tell
        // the next one only if it is handed state and next behavior of one place.
        var options = AuxiliaryLoss.Options()
        options.hidden = [16]
        options.activation = .prelu
        let bench = AuxiliaryBench(options, states: 7, behaviors: 7)
        let count = 400
        var place: UInt64 = 0
        let behavior = (0..<count).map { index -> Int32 in
            place = Philox.below(7, key: 3, 0, UInt64(index))
            return Int32(place)
        }
        let negative = (0..<count).map { index -> Int32 in
            index == 0 ? -1 : (behavior[index] + 1 + Int32(Philox.below(6, key: 4, 0, UInt64(index)))) % 7
        }
        let (h, e) = (bench.arena.zeros(rows: count, columns: 7), bench.arena.zeros(rows: 7, columns: 7))
        for row in 0..<7 { e[row, row] = 1 }
        for row in 0..<count {
            let told = row + shift
            if told < count { h[row, Int(behavior[told])] = 1 }
        }
        let sequence = Sequence([Int32(count)])
        var (loss, moments) = (0.0, [Float](repeating: 0, count: bench.layout.count))
        for _ in 0..<200 {
            let gradient = DenseVector(count: bench.layout.count)
            loss =
                bench.train(
                    h, e, sequence, behavior: behavior, negative: negative, samplesOf: [1], into: gradient
                ).loss
            for index in 0..<gradient.count {
                let g = gradient.base[index]
                moments[index] += g * g
                bench.parameters.base[index] -= 0.1 * g / (moments[index].squareRoot() + 1e-6)
            }
        }
        if shift == 1 { #expect(loss < 0.2) } else { #expect(loss > 0.8) }
    }

    @Test(
        "trap 13: the same histories twice, or shared by twice as many samples, give the same loss",
        arguments: AuxiliaryLoss.Normalization.allCases)
    func normalization(kind: AuxiliaryLoss.Normalization) {
        var options = AuxiliaryLoss.Options()
        options.normalization = kind
        let bench = AuxiliaryBench(options)
        let e = bench.arena.waves(rows: 6, columns: 2, 2)
        let once = bench.arena.waves(rows: 5, columns: 3, 1)
        let twice = bench.arena.matrix(rows: 10, columns: 3)
        for row in 0..<10 { twice[row].update(from: once[row % 5], count: 3) }
        let (behavior, negative): ([Int32], [Int32]) = ([0, 1, 2, 3, 4], [-1, 5, 4, -1, 0])
        let loss = bench.train(once, e, Sequence([3, 2]), behavior: behavior, negative: negative, samplesOf: [1, 1])
            .loss
        let doubled = bench.train(
            twice, e, Sequence([3, 2, 3, 2]), behavior: behavior + behavior, negative: negative + negative,
            samplesOf: [1, 1, 1, 1]
        ).loss
        let shared = bench.train(once, e, Sequence([3, 2]), behavior: behavior, negative: negative, samplesOf: [2, 2])
            .loss
        #expect(abs(doubled - loss) < 1e-6 && abs(shared - loss) < 1e-6 && loss > 0)
        // An empty history of one more sample counts only where the paper's mean over sequences says so.
        let empty = bench.train(
            once, e, Sequence([3, 2, 0]), behavior: behavior, negative: negative, samplesOf: [1, 1, 1]
        ).loss
        #expect((abs(empty - loss) < 1e-6) == (kind == .pairs || kind == .halves))
    }

    @Test("trap 14: logits of ±1000 give a finite loss and finite gradients")
    func saturation() throws {
        let bench = AuxiliaryBench(AuxiliaryLoss.Options())
        let slot = try #require(bench.layout.entry(named: "a.output.bias")).slot
        let (h, e) = (bench.arena.waves(rows: 3, columns: 3, 1), bench.arena.waves(rows: 4, columns: 2, 2))
        for bias in [Float(1000), -1000] {
            bench.parameters[slot].base[0] = bias
            let result = bench.train(
                h, e, Sequence([3]), behavior: [0, 1, 2], negative: [-1, 3, 3], samplesOf: [1])
            #expect(result.loss.isFinite && abs(result.loss - 1000) < 20)
            #expect((result.dh + result.de).allSatisfy { $0.isFinite })
        }
    }

    // MARK: Sessions

    @Test("trap 5: permuted behaviors permute the rows of self-attention", arguments: [true, false])
    func equivariance(blinding: Bool) {
        var options = Transformer.Options()
        options.blinding = blinding
        var layout = ParameterLayout()
        let layer = MultiHeadAttention("m", width: 4, options, in: &layout)
        let (parameters, arena) = (FiniteDifferences(layout).parameters, Arena())
        let x = arena.waves(rows: 5, columns: 4, 1)
        let order: [Int32] = [3, 0, 4, 1, 2]
        let turned = rows(of: x, at: order, arena)
        let offsets = stable([0, 5])
        func y(_ x: Matrix) -> Matrix {
            let pass = pass(parameters, arena)
            let x = pass.variable(x)
            return output { layer.run(queries: x, keys: x, offsets: offsets, sessions: 1, pass, $0) }
        }
        #expect(distance(elements(y(turned)), elements(rows(of: y(x), at: order, arena))) < 1e-6)
    }

    @Test("trap 24: with blinding, a session of one behavior gets nothing from the attention")
    func blinding() {
        var options = Transformer.Options()
        options.blinding = true
        var layout = ParameterLayout()
        let layer = MultiHeadAttention("m", width: 4, options, in: &layout)
        let (parameters, arena) = (FiniteDifferences(layout).parameters, Arena())
        let pass = pass(parameters, arena)
        let x = pass.variable(arena.waves(rows: 3, columns: 4, 1))
        let offsets = stable([0, 1, 3])
        let y = output { layer.run(queries: x, keys: x, offsets: offsets, sessions: 2, pass, $0) }
        #expect(elements(y.rows(0..<1)).allSatisfy { $0 == 0 })
        #expect(elements(y.rows(1..<3)).contains { $0 != 0 })
    }

    @Test("trap 25: two layer norms have two sets of parameters, a shared one has one")
    func norms() {
        for (norm, count) in [(Transformer.Norm.separate, 4), (.shared, 2), (.none, 0)] {
            var options = Transformer.Options()
            options.norm = norm
            var layout = ParameterLayout()
            _ = Transformer("t", width: 4, options, in: &layout)
            #expect(layout.entries.count { $0.name.contains("norm") } == count)
        }
    }

    @Test("trap 26: reversed sessions with swapped directions give reversed output; the mean is half the sum")
    func directions() throws {
        func y(_ x: Matrix, _ merge: BidirectionalLSTM.Merge, swaps: Bool, _ arena: Arena) -> Matrix {
            var options = BidirectionalLSTM.Options()
            options.merge = merge
            var layout = ParameterLayout()
            let layer = BidirectionalLSTM("b", width: 3, options, in: &layout)
            let parameters = FiniteDifferences(layout).parameters
            if swaps {
                for entry in layout.entries where entry.name.hasPrefix("b.forward") {
                    let twin = entry.name.replacing("forward", with: "backward")
                    guard let other = layout.entry(named: twin)?.slot else { continue }
                    for index in 0..<other.count {
                        swap(&parameters[entry.slot].base[index], &parameters[other].base[index])
                    }
                }
            }
            let pass = pass(parameters, arena, key: 1)
            return output { _ = layer.run(x, offsets: sequence.offsets, count: 4, pass, $0) }
        }
        let arena = Arena()
        let x = arena.waves(rows: 9, columns: 3, 1)
        let turned: [Int32] = [4, 3, 2, 1, 0, 5, 8, 7, 6]
        let reversed = rows(of: x, at: turned, arena)
        let plain = y(x, .sum, swaps: false, arena)
        #expect(
            distance(elements(y(reversed, .sum, swaps: true, arena)), elements(rows(of: plain, at: turned, arena)))
                < 1e-6)
        #expect(distance(elements(y(x, .mean, swaps: false, arena)).map { 2 * $0 }, elements(plain)) < 1e-6)
        let both = y(x, .concat, swaps: false, arena)
        let halves = (0..<9).flatMap { row in (0..<3).map { both[row, $0] + both[row, 3 + $0] } }
        #expect(distance(halves, elements(plain)) < 1e-6)
    }
}
