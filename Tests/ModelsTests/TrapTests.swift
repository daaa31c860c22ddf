import Datasets
import Tensors
import Testing

@testable import Models

/// The known ways to get these models wrong, each with the test that catches it.
@Suite struct TrapTests {
    /// Base, DIN with Dice and batch norm, DIN with softmax.
    static let unordered: [ModelOptions] = {
        var base = Base.Options()
        base.input = [.user, .target, .history, .historyProduct]
        base.top.activation = .dice
        base.embedding.width = 4
        base.top.hidden = [12, 6]
        var din = DIN.Options()
        din.attention.activation = .dice
        din.attention.hidden = [8]
        din.top.inputNorm = .batch
        din.top.hidden = [12, 6]
        din.embedding.width = 4
        var soft = din
        soft.attention.normalization = .softmax
        soft.input = [.user, .target, .history, .attention]
        return [.init(kind: .base, options: base), .init(kind: .din, options: din), .init(kind: .din, options: soft)]
    }()

    /// DIEN in each of its forms, DSIN with and without an interacting layer, and BST with two blocks.
    static let ordered: [ModelOptions] = {
        var options: [ModelOptions] = []
        for evolution in Evolution.allCases {
            var dien = DIEN.Options()
            dien.evolution = evolution
            dien.top.hidden = [12, 6]
            dien.embedding.width = 4
            dien.auxiliary.hidden = [10]
            dien.input = evolution == .augru ? [.user, .target, .attention] : [.history, .target, .attention]
            if evolution == .aigru {
                dien.attention.kind = .unit
                dien.attention.hidden = [6]
            }
            options.append(.init(kind: .dien, options: dien))
        }
        var dsin = DSIN.Options()
        dsin.top.hidden = [12, 6]
        dsin.embedding.width = 4
        dsin.attention.hidden = [6]
        options.append(.init(kind: .dsin, options: dsin))
        dsin.interacting.layers = 0
        dsin.attention.kind = .unit
        dsin.input = [.user, .target, .history, .attention]
        options.append(.init(kind: .dsin, options: dsin))
        var bst = BST.Options()
        bst.top.hidden = [12, 6]
        bst.embedding.width = 4
        bst.position.width = 2
        bst.blocks = 2
        bst.input = [.user, .target, .history, .attention]
        options.append(.init(kind: .bst, options: bst))
        return options
    }()

    static let all = unordered + ordered

    private static let samples: [Sample] = [
        Sample(user: 5, item: 20, category: 3, label: 1, history: [(10, 2), (11, 3), (12, 2), (10, 2)]),
        Sample(user: 6, item: 21, category: 2, label: 0, history: []),
        Sample(user: 7, item: 10, category: 2, label: 1, history: [(13, 3)]),
        Sample(
            user: 8, item: 22, category: 4, label: 0, history: [(14, 4), (15, 4), (20, 3), (16, 2), (17, 2), (18, 3)]),
    ]

    @Test("trap 1: the length of a batch mate's history changes no score", arguments: all)
    func padding(options: ModelOptions) throws {
        let trial = try Trial(options)
        let scores = try trial.scores(Self.samples)
        for more in [1, 7, 40] {
            var longer = Self.samples
            longer[3].history += (0..<more).map { (UInt64(100 + $0), UInt64(2)) }
            #expect(distance(Array(try trial.scores(longer).prefix(3)), Array(scores.prefix(3))) < 1e-6)
        }
    }

    @Test("trap 2: empty histories and histories of one behavior, alone or mixed, give finite values", arguments: all)
    func empty(options: ModelOptions) throws {
        let trial = try Trial(options)
        var alone = Self.samples
        for index in alone.indices { alone[index].history = [] }
        for samples in [Self.samples, alone, [Self.samples[1]], [Self.samples[2]]] {
            let bench = try trial.bench(samples)
            #expect(bench.train(key: 1).isFinite)
            if samples.allSatisfy({ $0.history.count < 2 }) { try expectNoAuxiliaryGradient(bench) }
            #expect(bench.logits.allSatisfy(\.isFinite) && bench.rowGradients.allSatisfy(\.isFinite))
            for index in 0..<bench.gradient.count {
                #expect(bench.gradient.base[index].isFinite || isPadding(index, trial))
            }
        }
    }

    /// Trap 2: without a pair the auxiliary loss moves nothing.
    private func expectNoAuxiliaryGradient(_ bench: ModelBench) throws {
        for entry in bench.model.layout.entries where entry.name.hasPrefix("auxiliary.") {
            let floats = UnsafeBufferPointer(start: bench.gradient[entry.slot].base, count: entry.slot.count)
            #expect(floats.allSatisfy { $0 == 0 })
        }
    }

    private func isPadding(_ index: Int, _ trial: Trial) -> Bool {
        !trial.model.layout.entries.contains { ($0.slot.offset..<$0.slot.offset + $0.slot.count).contains(index) }
    }

    @Test("trap 4: the order of a history changes neither Base nor DIN", arguments: unordered)
    func order(options: ModelOptions) throws {
        let trial = try Trial(options)
        var turned = Self.samples
        for index in turned.indices { turned[index].history.reverse() }
        #expect(distance(try trial.scores(turned), try trial.scores(Self.samples)) < 2e-6)
    }

    @Test("trap 4: the order of a history changes DIEN, DSIN and BST", arguments: ordered)
    func changedOrder(options: ModelOptions) throws {
        let trial = try Trial(options)
        var turned = Self.samples
        turned[3].history.reverse()
        let (scores, others) = (try trial.scores(turned), try trial.scores(Self.samples))
        #expect((scores[3] - others[3]).magnitude > 1e-5)
    }

    @Test("trap 4: order inside a session changes DSIN only through the position encoding", arguments: [true, false])
    func orderInSession(hasPositions: Bool) throws {
        var options = DSIN.Options()
        options.position = hasPositions ? .bias : .none
        options.embedding.width = 4
        let trial = try Trial(.init(kind: .dsin, options: options))
        var turned = Self.samples
        turned[3].history.swapAt(2, 3)
        let (scores, others) = (try trial.scores(turned), try trial.scores(Self.samples))
        #expect(((scores[3] - others[3]).magnitude > 1e-6) == hasPositions)
    }

    @Test(
        "trap 5: a permuted history permutes its attention weights", arguments: AttentionNormalization.allCases)
    func equivariance(normalization: AttentionNormalization) throws {
        var layout = ParameterLayout()
        let layer = TargetAttention(
            "t", width: 3, hidden: [5], activation: .sigmoid, normalization: normalization, dropout: 0, in: &layout)
        let (parameters, arena) = (layout.initialDense(seed: 4), Arena())
        let (q, e) = (arena.matrix(rows: 1, columns: 3), arena.matrix(rows: 4, columns: 3))
        for index in 0..<3 { q.base[index] = Float(index) - 1 }
        for index in 0..<12 { e.base[index] = Float(index * index % 7) / 3 - 1 }
        func weights(_ behavior: [Int32]) -> [Float] {
            let (of, offsets): ([Int32], [Int32]) = ([0], [0, Int32(behavior.count)])
            let histories = Histories(
                samples: 1, count: 1, of: stable(of), offsets: stable(offsets), behavior: stable(behavior))
            let pass = Pass(scoring: 1, parameters, arena)
            var weights: [Float] = []
            layer.weigh(pass.variable(q), pass.variable(e), histories, pass) {
                weights = Array(UnsafeBufferPointer(start: $0.base, count: behavior.count))
                return nil
            }
            return weights
        }
        let plain = weights([0, 1, 2, 3])
        #expect(Set(plain).count > 1)
        #expect(distance(weights([2, 0, 3, 1]), [plain[2], plain[0], plain[3], plain[1]]) < 1e-6)
    }

    @Test(
        "trap 6: DIN with constant score 1 is sum pooling, softmax of equal scores mean pooling",
        arguments: [Pooling.sum, .mean])
    func constantScore(pooling: Pooling) throws {
        var din = DIN.Options()
        din.input = [.user, .target, .attention]
        din.attention.hidden = [6]
        din.attention.normalization = pooling == .sum ? .none : .softmax
        var base = Base.Options()
        base.input = [.user, .target, .history]
        base.pooling = pooling
        din.top.activation = .prelu
        let (first, second) = (try Trial(.init(kind: .din, options: din)), try Trial(.init(kind: .base, options: base)))
        let (attentive, plain) = (try first.bench(Self.samples), try second.bench(Self.samples))
        for entry in second.model.layout.entries {
            let slot = try #require(first.model.layout.entry(named: entry.name)).slot
            attentive.parameters[slot].base.update(from: plain.parameters[entry.slot].base, count: slot.count)
        }
        let weight = try #require(first.model.layout.entry(named: "attention.output.weight")).slot
        attentive.parameters[weight].base.update(repeating: 0, count: weight.count)
        let bias = try #require(first.model.layout.entry(named: "attention.output.bias")).slot
        attentive.parameters[bias].base[0] = 1
        attentive.score()
        plain.score()
        #expect(distance(attentive.logits, plain.logits) < 2e-6)
    }

    @Test(
        "trap 7: what DIN, DIEN and DSIN make of a history depends on the target", arguments: ["din", "dien", "dsin"])
    func targetDependence(kind: String) throws {
        let options: ModelOptions
        switch kind {
        case "din":
            var din = DIN.Options()
            din.input = [.attention]
            options = .init(kind: .din, options: din)
        case "dien":
            var dien = DIEN.Options()
            dien.input = [.attention]
            options = .init(kind: .dien, options: dien)
        default:
            var dsin = DSIN.Options()
            dsin.input = [.attention]
            options = .init(kind: .dsin, options: dsin)
        }
        var base = Base.Options()
        base.input = [.history]
        var samples = [Self.samples[0], Self.samples[0]]
        samples[1].item = 33
        samples[1].category = 9
        let attentive = try Trial(options).scores(samples)
        let plain = try Trial(.init(kind: .base, options: base)).scores(samples)
        #expect(plain[0] == plain[1])
        #expect((attentive[0] - attentive[1]).magnitude > 1e-5)
    }

    @Test("trap 8: a doubled history doubles the attention's vector without softmax, and leaves it with softmax")
    func doubled() throws {
        for normalization in [AttentionNormalization.none, .softmax] {
            var layout = ParameterLayout()
            let layer = TargetAttention(
                "t", width: 3, hidden: [5], activation: .sigmoid, normalization: normalization, dropout: 0, in: &layout)
            let (parameters, arena) = (layout.initialDense(seed: 4), Arena())
            let (q, e) = (arena.matrix(rows: 1, columns: 3), arena.matrix(rows: 2, columns: 3))
            for index in 0..<3 { q.base[index] = Float(index) - 1 }
            for index in 0..<6 { e.base[index] = Float(index * index % 5) / 3 - 0.5 }
            func pooled(_ behavior: [Int32]) -> [Float] {
                let (of, offsets): ([Int32], [Int32]) = ([0], [0, Int32(behavior.count)])
                let histories = Histories(
                    samples: 1, count: 1, of: stable(of), offsets: stable(offsets), behavior: stable(behavior))
                let pass = Pass(scoring: 1, parameters, arena)
                var pooled: [Float] = []
                layer.run(pass.variable(q), pass.variable(e), histories, pass) {
                    pooled = Array(UnsafeBufferPointer(start: $0.base, count: 3))
                    return nil
                }
                return pooled
            }
            let factor: Float = normalization == .none ? 2 : 1
            #expect(distance(pooled([0, 1, 0, 1]), pooled([0, 1]).map { factor * $0 }) < 1e-6)
        }
    }

    @Test(
        "traps 16, 19 and 43: a score does not depend on batch mates, on their order, nor on scoring together or alone",
        arguments: all)
    func independence(options: ModelOptions) throws {
        let trial = try Trial(options)
        // Positive and negative of one impression, then another user.
        var samples = Self.samples
        samples[1].history = samples[0].history
        samples[1].user = samples[0].user
        let together = try trial.scores(samples)
        for (index, sample) in samples.enumerated() {
            #expect(distance(try trial.scores([sample]), [together[index]]) < 2e-6)
        }
        #expect(distance(try trial.scores(samples.reversed()), together.reversed()) < 2e-6)
    }

    @Test("trap 41: the published DIN for Amazon has 5,403,522 parameters, the published DIEN 5,369,602")
    func parameterCount() throws {
        let schema = Schema(
            tables: ["item", "category"],
            item: [.init("item", table: "item"), .init("category", table: "category")],
            behavior: [.init("item", table: "item"), .init("category", table: "category")])
        let model = try ModelOptions(preset: "din-bars-amazon").make(schema: schema)
        #expect(model.parameterCount(rows: [63_003, 803]) == 5_403_522)
        let dien = try ModelOptions(preset: "dien-bars-amazon").make(schema: schema)
        #expect(dien.parameterCount(rows: [63_003, 803]) == 5_369_602)
    }

    @Test("trap 45: 64 samples are learned by heart", arguments: all)
    func overfit(options: ModelOptions) throws {
        let samples = (0..<64).map { index -> Sample in
            let history = (0..<index % 6).map { place -> (item: UInt64, category: UInt64) in
                let item = 30 + (index * 3 + place * 5) % 17
                return (UInt64(item), UInt64(2 + place % 5))
            }
            return Sample(
                user: UInt64(2 + index % 13), item: UInt64(30 + index % 17), category: UInt64(2 + index % 5),
                label: index * index % 7 < 3 ? 1 : 0, history: history)
        }
        let trial = try Trial(options)
        let bench = try trial.bench(samples)
        let adam = TinyAdam(bench)
        var loss = 0.0
        for step in 1...600 {
            _ = bench.train(key: 1)
            loss = bench.crossEntropy / 64
            adam.step(step)
        }
        #expect(loss < 0.05)
    }

    @Test("trap 47: where the number of like behaviors decides, attention without softmax sees it and softmax does not")
    func intensity() throws {
        func loss(_ normalization: AttentionNormalization) throws -> Double {
            var options = DIN.Options()
            options.input = [.target, .attention]
            options.attention.normalization = normalization
            options.attention.hidden = [8]
            options.top.activation = .prelu
            options.top.hidden = [8]
            options.embedding.width = 4
            // Behaviors of one item only: softmax weighs them to the same vector however many there are.
            let samples = (0..<64).map { index -> Sample in
                let history = [(item: UInt64, category: UInt64)](repeating: (31, 3), count: 1 + index % 8)
                return Sample(item: 30, category: 3, label: index % 8 >= 4 ? 1 : 0, history: history)
            }
            let bench = try Trial(.init(kind: .din, options: options)).bench(samples)
            let adam = TinyAdam(bench)
            var loss = 0.0
            for step in 1...300 {
                loss = bench.train(key: 1) / 64
                adam.step(step)
            }
            return loss
        }
        #expect(try loss(.none) < 0.2)
        #expect(try loss(.softmax) > 0.6)
    }
}
