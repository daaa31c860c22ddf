import Foundation
import Tensors
import Testing

@testable import Datasets

/// The behaviors that DIEN's auxiliary loss holds against the true ones.
@Suite struct NegativeTests {
    private static let schema = Schema(
        tables: ["item", "kind"], item: [.init("item", table: "item")],
        behavior: [.init("item", table: "item"), .init("kind", table: "kind")])

    /// Item 2 occurs 60 times, item 3 30 times, item 4 9 times, item 5 once; the kind is that of the item.
    private static let events: [UInt64] =
        [UInt64](repeating: 2, count: 60) + [UInt64](repeating: 3, count: 30) + [UInt64](repeating: 4, count: 9) + [5]

    private func with(_ events: [UInt64], _ body: (Split) throws -> Void) throws {
        let directory = DatasetTests.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let writer = try DatasetWriter(directory: directory, name: "negatives", schema: Self.schema)
        let train = try writer.split("train")
        for event in events { try train.appendEvent(behavior: [event, 100 + event], time: nil) }
        for group in 0..<8 {
            try train.group(key: UInt64(group + 1), user: [], time: nil, history: group..<group + group)
            try train.candidate(item: [2], label: 1)
            try train.candidate(item: [5], label: 0)
        }
        try writer.finish()
        try body(try Dataset(directory: directory).split(named: "train"))
    }

    @Test(
        "trap 15: the law is the one asked for within 3 σ, and the true next is never drawn",
        arguments: NegativeLaw.allCases)
    func law(_ law: NegativeLaw) throws {
        try with(Self.events) { split in
            let sampler = try NegativeSampler(split, law: law, seed: 3)
            var counts: [UInt64: Double] = [:]
            let draws = 20_000
            for group in 0..<draws {
                let (part, event) = sampler.draw(epoch: 1, group: group, position: 1, avoiding: 3)
                counts[split.parts[part].behavior[0][event], default: 0] += 1
            }
            #expect(counts[3] == nil)
            let weights: [UInt64: Double] =
                switch law {
                case .uniform: [2: 1, 4: 1, 5: 1]
                case .frequency: [2: 60, 4: 9, 5: 1]
                case .frequencyPower: [2: pow(60, 0.75), 4: pow(9, 0.75), 5: 1]
                }
            let total = weights.values.reduce(0, +)
            for (item, weight) in weights {
                let (p, n) = (weight / total, Double(draws))
                let sigma = (n * p * (1 - p)).squareRoot()
                #expect(abs((counts[item] ?? 0) - n * p) <= 3 * sigma, "item \(item): \(counts[item] ?? 0) of \(n * p)")
            }
        }
    }

    @Test("nearly every event is the true next one: another is found; nothing else to draw is an error")
    func rare() throws {
        try with([UInt64](repeating: 2, count: 5000) + [9]) { split in
            let sampler = try NegativeSampler(split, law: .frequency, seed: 3)
            for group in 0..<20 {
                let (_, event) = sampler.draw(epoch: 0, group: group, position: 1, avoiding: 2)
                #expect(event == 5000)
            }
        }
        try with([UInt64](repeating: 2, count: 50)) { split in
            #expect(throws: NegativeSampler.Failure.self) {
                _ = try NegativeSampler(split, law: .frequency, seed: 3)
            }
        }
    }

    @Test("draws are a function of seed, epoch, impression and position: not of the micro-batch")
    func bits() throws {
        try with(Self.events) { split in
            func drawn(_ size: Int, seed: UInt64, epoch: Int) throws -> [UInt64: [UInt64]] {
                let sampler = try NegativeSampler(split, law: .frequency, seed: seed)
                let builder = MicroBatchBuilder(
                    schema: Self.schema, historyLimit: 50, needs: BatchNeeds(negatives: .frequency))
                let batch = MicroBatch(schema: Self.schema)
                let order = DataOrder(split, seed: 1, epoch: epoch)
                var found: [UInt64: [UInt64]] = [:]
                for start in stride(from: 0, to: order.count, by: size) {
                    builder.fill(
                        batch, from: split, order: order, positions: start..<min(start + size, order.count),
                        negatives: sampler)
                    #expect(batch.negatives.count == batch.positionCount)
                    for sample in 0..<batch.sampleCount {
                        let history = Int(batch.historyOf[sample])
                        let range = Int(batch.historyOffsets[history])..<Int(batch.historyOffsets[history + 1])
                        found[batch.keys[sample]] = range.map { position in
                            let behavior = batch.negatives[position]
                            #expect((behavior < 0) == (position == range.lowerBound))
                            return behavior < 0 ? 0 : batch.tables[0].ids[Int(batch.behaviorRows[0][Int(behavior)])]
                        }
                    }
                }
                return found
            }
            let whole = try drawn(16, seed: 3, epoch: 0)
            #expect(try whole == drawn(4, seed: 3, epoch: 0) && whole == drawn(6, seed: 3, epoch: 0))
            #expect(try whole != drawn(16, seed: 4, epoch: 0) && whole != drawn(16, seed: 3, epoch: 1))
        }
    }

    @Test("trap 30: an id that is only drawn is in no sample; evaluation draws nothing")
    func counts() throws {
        try with(Self.events) { split in
            let builder = MicroBatchBuilder(
                schema: Self.schema, historyLimit: 50, needs: BatchNeeds(negatives: .uniform))
            let batch = MicroBatch(schema: Self.schema)
            let order = DataOrder(split, seed: 1, epoch: nil)
            let sampler = try NegativeSampler(split, law: .uniform, seed: 3)
            builder.fill(batch, from: split, order: order, positions: 14..<16, negatives: sampler)
            let counts = Dictionary(
                uniqueKeysWithValues: zip(batch.tables[0].ids.buffer, batch.tables[0].counts.buffer))
            // The history is of item 2 alone, the candidates are 2 and 5.
            #expect(counts[2] == 2 && counts[5] == 1)
            #expect(counts[3] == 0 || counts[4] == 0)
            builder.fill(batch, from: split, order: order, positions: 14..<16)
            #expect(batch.negatives.count == 0 && batch.tables[0].ids.count == 2)
        }
    }
}
