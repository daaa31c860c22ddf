import Kernels
import Tensors
import Testing

@testable import Models

/// Finite differences of the layers of DIEN and DSIN, at widths whose last block of lanes overlaps the one before, and at
/// lengths of 0, 1 and more than one vector.
@Suite struct SequenceGradientTests {
    private static var sequence: Sequence { Sequence([3, 0, 1, 4]) }

    /// Kind, whether the attention scales the input, and where the reset acts.
    static let recurrent: [(GRUMixing, Bool, GRU.Reset)] = [
        (.gate, false, .after), (.gate, false, .before), (.gate, true, .after), (.gate, true, .before),
        (.attention, false, .after), (.attention, false, .before), (.product, false, .after),
        (.product, false, .before), (.union, false, .after), (.union, false, .before),
    ]

    @Test(
        "GRU, AIGRU, AGRU, AUGRU: gradients equal central differences", arguments: recurrent,
        [GRU.Update.take, .keep])
    func gru(kind: (GRUMixing, Bool, GRU.Reset), update: GRU.Update) {
        var options = GRU.Options()
        options.reset = kind.2
        options.update = update
        options.hiddenBias = update == .keep
        var layout = ParameterLayout()
        let layer = GRU("g", input: 3, width: 18, mixing: kind.0, scalesInput: kind.1, options, in: &layout)
        let check = FiniteDifferences(layout)
        let arena = check.arena
        let sequence = Self.sequence
        // Positions 1 and 5 read one row of x: its gradient is a sum.
        var rowOf = (0..<Int32(sequence.positions)).map { $0 }
        rowOf[5] = rowOf[1]
        let x = arena.waves(rows: sequence.positions, columns: 3, 1)
        let a = arena.matrix(rows: sequence.positions, columns: 1)
        for index in 0..<a.rows { a.base[index] = 0.1 + 0.1 * Float(index) }
        let time = sequence.time(arena)
        check.check([x, a]) { pass, above in
            let (x, a) = (pass.variable(x), pass.variable(a))
            layer.run(x, rowOf: rowOf, attention: a, time, pass, above)
            return [x.gradient, a.gradient]
        }
    }

    @Test("LSTM: gradients equal central differences", arguments: [true, false])
    func lstm(peephole: Bool) {
        var layout = ParameterLayout()
        let layer = LSTM(
            "l", input: 4, width: 18, peephole: peephole, forgetBias: 1, otherBias: 0, in: &layout)
        let check = FiniteDifferences(layout)
        let time = Self.sequence.time(check.arena)
        let x = check.arena.waves(rows: time.rows, columns: 4, 1)
        check.check([x]) { [layer.run(x, time, $0, $1)] }
    }

    @Test(
        "Bi-LSTM: gradients equal central differences", arguments: BidirectionalLSTM.Merge.allCases, [1, 2])
    func bidirectional(merge: BidirectionalLSTM.Merge, layers: Int) {
        var options = BidirectionalLSTM.Options()
        options.merge = merge
        options.layers = layers
        options.dropout = 0.2
        var layout = ParameterLayout()
        let layer = BidirectionalLSTM("b", width: 5, options, in: &layout)
        let check = FiniteDifferences(layout)
        let sequence = Self.sequence
        let x = check.arena.waves(rows: sequence.positions, columns: 5, 1)
        check.check([x], key: 3) {
            [layer.run(x, offsets: sequence.offsets, count: sequence.lengths.count, $0, $1)]
        }
    }

    @Test("Bi-LSTM: scoring drops nothing, whatever the key")
    func bidirectionalScoring() {
        var options = BidirectionalLSTM.Options()
        let sequence = Self.sequence
        func y(_ dropout: Float, training: Bool, key: UInt64) -> [Float] {
            options.dropout = dropout
            var layout = ParameterLayout()
            let layer = BidirectionalLSTM("b", width: 5, options, in: &layout)
            let check = FiniteDifferences(layout)
            let x = check.arena.waves(rows: sequence.positions, columns: 5, 1)
            let pass = check.pass(key: key, training: training)
            let y = output { _ = layer.run(x, offsets: sequence.offsets, count: sequence.lengths.count, pass, $0) }
            return (0..<y.rows).flatMap { row in (0..<y.columns).map { y[row, $0] } }
        }
        let plain = y(0, training: true, key: 1)
        #expect(y(0.4, training: false, key: 1) == plain && y(0.4, training: false, key: 2) == plain)
        #expect(y(0.4, training: true, key: 1) != plain)
    }

    @Test("layer norm: gradients equal central differences", arguments: [5, 16, 21])
    func layerNorm(width: Int) {
        var layout = ParameterLayout()
        let layer = LayerNorm("n", width: width, epsilon: 1e-5, in: &layout)
        let check = FiniteDifferences(layout)
        let x = check.arena.waves(rows: 4, columns: width, 1)
        check.check([x]) { [layer.run(x, $0, $1)] }
    }

    @Test(
        "multi-head attention: gradients by queries and keys equal central differences",
        arguments: [[3, 1, 2], [18, 1]] as [[Int32]], [true, false])
    func attention(lengths: [Int32], blinding: Bool) {
        var options = Transformer.Options()
        options.blinding = blinding
        options.projections = blinding ? .sliced : .full
        var layout = ParameterLayout()
        let layer = MultiHeadAttention("m", width: 6, options, in: &layout)
        let check = FiniteDifferences(layout)
        let arena = check.arena
        let sequence = Sequence(lengths)
        let (q, k) = (
            arena.waves(rows: sequence.positions, columns: 6, 1), arena.waves(rows: sequence.positions, columns: 6, 2)
        )
        check.check([q, k]) { pass, above in
            let (q, k) = (pass.variable(q), pass.variable(k))
            layer.run(queries: q, keys: k, offsets: sequence.offsets, sessions: lengths.count, pass, above)
            return [q.gradient, k.gradient]
        }
    }

    @Test(
        "transformer block: gradients equal central differences",
        arguments: [(.separate, true), (.shared, true), (.none, true), (.separate, false), (.none, false)]
            as [(Transformer.Norm, Bool)])
    func transformer(norm: Transformer.Norm, residual: Bool) {
        var options = Transformer.Options()
        options.residual = residual
        options.norm = norm
        options.dropout = 0.1
        options.feedForward = 2
        var layout = ParameterLayout()
        let layer = Transformer("t", width: 4, options, in: &layout)
        let check = FiniteDifferences(layout)
        // Hidden units far from the kink of max(x, 0), on either side.
        if let bias = layout.entry(named: "t.0.bias")?.slot {
            for unit in 0..<bias.count { check.parameters[bias].base[unit] = unit % 2 == 0 ? 4 : -4 }
        }
        // Small outputs, whose rounding the differences do not see.
        for entry in layout.entries where entry.name.hasSuffix(".0.weight") || entry.name.hasSuffix(".1.weight") {
            for index in 0..<entry.slot.count { check.parameters[entry.slot].base[index] *= 0.4 }
        }
        // Norms that hardly bend: a difference of 4e-3 sees their slope.
        for entry in layout.entries where entry.name.hasSuffix("gamma") {
            for unit in 0..<4 { check.parameters[entry.slot].base[unit] = 1 + 0.2 * wave(2, unit) }
        }
        let arena = check.arena
        let sequence = Sequence([3, 1, 2])
        let x = arena.waves(rows: sequence.positions, columns: 4, 1)
        check.check([x], step: 2e-3, key: 5) { pass, above in
            let x = pass.variable(x)
            layer.run(queries: x, keys: x, offsets: sequence.offsets, sessions: 3, pass, above)
            return [x.gradient]
        }
    }

    @Test("position encodings: gradients equal central differences", arguments: PositionEncoding.Kind.allCases)
    func position(kind: PositionEncoding.Kind) {
        var layout = ParameterLayout()
        let layer = PositionEncoding("p", kind: kind, width: 3, sessions: 3, length: 4, in: &layout)
        let check = FiniteDifferences(layout)
        let arena = check.arena
        let (sequence, ofHistory) = (Sequence([2, 4, 1, 3]), [0, 3, 3, 4] as [Int32])
        let sessions = Sessions(histories: 3, count: 4, offsets: sequence.offsets, ofHistory: stable(ofHistory))
        let x = arena.waves(rows: sequence.positions, columns: 3, 1)
        check.check([x]) { pass, above in
            // Queries and keys side by side, so that both tables are seen.
            let (q, k) = layer.forward(x, sessions, pass)
            let y = arena.matrix(rows: x.rows, columns: 6)
            for row in 0..<x.rows {
                y[row].update(from: q[row], count: 3)
                (y[row] + 3).update(from: k[row], count: 3)
            }
            guard let dy = above(y) else { return [] }
            let (dq, dk) = (arena.zeros(rows: x.rows, columns: 3), arena.zeros(rows: x.rows, columns: 3))
            add(dy.columns(0..<3), to: dq)
            add(dy.columns(3..<6), to: layer.isSplit ? dk : dq)
            layer.backward(queries: dq, keys: dk, sessions, pass)
            add(dk, to: dq)
            return [dq]
        }
    }

    @Test("auxiliary loss: gradients equal central differences", arguments: AuxiliaryLoss.Normalization.allCases)
    func auxiliary(normalization: AuxiliaryLoss.Normalization) {
        var options = AuxiliaryLoss.Options()
        options.hidden = [18, 3]
        options.normalization = normalization
        options.inputNorm = normalization == .pairs ? .constant : .none
        options.head = normalization == .slots ? .softmax : .logit
        var layout = ParameterLayout()
        let layer = AuxiliaryLoss("a", states: 3, behaviors: 2, options, in: &layout)
        let check = FiniteDifferences(layout)
        let arena = check.arena
        let sequence = Self.sequence
        let (h, e) = (arena.waves(rows: sequence.positions, columns: 3, 1), arena.waves(rows: 5, columns: 2, 2))
        let (behavior, negative) = (stable([0, 1, 2, 3, 0, 4, 1, 2]), stable([-1, 3, 0, -1, -1, 1, 1, 4]))
        let samplesOf = stable([2, 1, 1, 1])
        let pairs = AuxiliaryLoss.Pairs(
            offsets: sequence.offsets, histories: 4, stateOf: sequence.identity, behavior: behavior,
            negative: negative, samplesOf: samplesOf)
        check.check([h, e]) { pass, above in
            let (h, e) = (pass.variable(h), pass.variable(e))
            let y = arena.matrix(rows: 1, columns: 1)
            y.base[0] = Float(layer.train(h, e, pairs, factor: 2, pass))
            guard let dy = above(y), let dh = h.gradient, let de = e.gradient else { return [] }
            for index in 0..<pass.gradient.count { pass.gradient.base[index] *= dy.base[0] }
            for index in 0..<dh.count { dh.base[index] *= dy.base[0] }
            for index in 0..<de.count { de.base[index] *= dy.base[0] }
            return [dh, de]
        }
    }

    @Test(
        "interest attention: gradients equal central differences", arguments: InterestAttention.Kind.allCases,
        [InterestAttention.Query.prelu, .none])
    func interest(kind: InterestAttention.Kind, query: InterestAttention.Query) {
        var options = InterestAttention.Options()
        options.kind = kind
        options.query = query
        options.hidden = [4]
        var layout = ParameterLayout()
        let target = kind == .unit && query == .none ? 3 : 5
        let layer = InterestAttention("i", width: 3, target: target, options, in: &layout)
        let check = FiniteDifferences(layout)
        let arena = check.arena
        let (q, s) = (arena.waves(rows: 3, columns: target, 1), arena.waves(rows: 4, columns: 3, 2))
        let (of, offsets, rowOf): ([Int32], [Int32], [Int32]) = ([0, 1, 0], [0, 3, 3], [2, 0, 1])
        let histories = Histories(
            samples: 3, count: 2, of: stable(of), offsets: stable(offsets), behavior: stable(rowOf))
        check.check([q, s]) { pass, above in
            let (q, s) = (pass.variable(q), pass.variable(s))
            layer.run(q, s, histories, pass, above)
            return [q.gradient, s.gradient]
        }
    }
}
