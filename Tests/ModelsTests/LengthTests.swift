import Datasets
import Tensors
import Testing

@testable import Models

/// Histories of every length, each sample's gradient as if it were alone.
@Suite struct LengthTests {
    /// A history of a length, over 40 items.
    private static func sample(_ number: Int, length: Int, session: Int = 7) -> Sample {
        let history = (0..<length).map { place -> (item: UInt64, category: UInt64) in
            (UInt64(10 + (place * 7 + number * 3) % 40), UInt64(2 + place % 5))
        }
        return Sample(
            user: UInt64(5 + number), item: UInt64(10 + number), category: UInt64(2 + number % 5),
            label: Float(number % 2), history: history, session: session)
    }

    /// Without statistics of the batch, and with an auxiliary loss that is a sum, samples do not touch one another.
    static let options: [ModelOptions] = {
        var din = DIN.Options()
        din.embedding.width = 4
        din.top.activation = .prelu
        var all: [ModelOptions] = [.init(kind: .din, options: din)]
        for evolution in Evolution.allCases {
            var dien = DIEN.Options()
            dien.evolution = evolution
            dien.embedding.width = 4
            dien.top.activation = .prelu
            dien.auxiliary.weight = 0
            all.append(.init(kind: .dien, options: dien))
        }
        var dsin = DSIN.Options()
        dsin.embedding.width = 4
        dsin.top.activation = .prelu
        dsin.sessions.count = 200
        all.append(.init(kind: .dsin, options: dsin))
        var bst = BST.Options()
        bst.embedding.width = 4
        bst.position.width = 4
        bst.length = 1000
        all.append(.init(kind: .bst, options: bst))
        return all
    }()

    @Test("lengths 0, 1 and 1,000 in one batch: the gradients are the sum of each sample's own", arguments: options)
    func sums(options: ModelOptions) throws {
        let trial = try Trial(options)
        let samples = [
            Self.sample(0, length: 0), Self.sample(1, length: 1), Self.sample(2, length: 1000),
            Self.sample(3, length: 12, session: 12), Self.sample(4, length: 9, session: 1),
        ]
        let together = try trial.bench(samples)
        let loss = together.train(key: 1)
        #expect(loss.isFinite && together.rowGradients.allSatisfy { $0.isFinite })
        var (sum, losses) = ([Float](repeating: 0, count: together.gradient.count), 0.0)
        for sample in samples {
            let alone = try trial.bench([sample])
            losses += alone.train(key: 1)
            for index in sum.indices { sum[index] += alone.gradient.base[index] }
        }
        #expect(abs(loss - losses) < 1e-4 * max(1, losses))
        for entry in trial.model.layout.entries {
            let range = entry.slot.offset..<entry.slot.offset + entry.slot.count
            let scale = max(1, range.map { sum[$0].magnitude }.max() ?? 1)
            for index in range {
                #expect((together.gradient.base[index] - sum[index]).magnitude <= 1e-4 * scale, "\(entry.name)")
            }
        }
    }

    @Test("no session, one session, and a batch where all histories are empty", arguments: options)
    func sessions(options: ModelOptions) throws {
        let trial = try Trial(options)
        let empty = (0..<3).map { Self.sample($0, length: 0) }
        for samples in [empty, [Self.sample(1, length: 6, session: 6)], empty + [Self.sample(3, length: 1)]] {
            let bench = try trial.bench(samples)
            #expect(bench.train(key: 1).isFinite && bench.rowGradients.allSatisfy { $0.isFinite })
            for entry in bench.model.layout.entries {
                for index in 0..<entry.slot.count { #expect(bench.gradient[entry.slot].base[index].isFinite) }
            }
        }
    }

    @Test("DIEN with its auxiliary loss and a history of 1,000: finite, and the pairs are counted")
    func auxiliary() throws {
        var options = DIEN.Options()
        options.embedding.width = 4
        options.auxiliary.hidden = [6]
        let bench = try Trial(.init(kind: .dien, options: options)).bench([
            Self.sample(2, length: 1000), Self.sample(3, length: 0),
        ])
        let total = bench.train(key: 1)
        #expect(total.isFinite && total - bench.crossEntropy > 0.1)
        #expect(bench.batch.negatives.count == 1000 && bench.rowGradients.allSatisfy { $0.isFinite })
    }
}
