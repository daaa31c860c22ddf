import Datasets
import Foundation
import Tensors

@testable import Models

/// Samples written by hand, as a micro-batch.
struct Sample {
    var user: UInt64 = 5
    var item: UInt64
    var category: UInt64
    var label: Float = 1
    var history: [(item: UInt64, category: UInt64)]
    /// Behaviors of a session; sessions are an hour apart.
    var session = 2

    /// When a behavior happened, in seconds.
    func time(_ place: Int) -> Int64 { Int64(place / session * 3600 + place % session * 60) }

    static let schema = Schema(
        tables: ["user", "item", "category"], user: [.init("user", table: "user")],
        item: [.init("item", table: "item"), .init("category", table: "category")],
        behavior: [.init("item", table: "item"), .init("category", table: "category")])
}

/// A model with parameters drawn once, and rows that are a function of (table, id).
struct Trial {
    let model: any Model
    private let dense: DenseVector

    init(_ options: ModelOptions, seed: UInt64 = 1) throws {
        model = try options.make(schema: Sample.schema)
        dense = model.layout.initialDense(seed: seed)
        // Statistics that are not those of any batch, biases and slopes that are not 0.
        for (number, entry) in model.layout.entries.enumerated() where entry.slot.rows == 1 {
            for column in 0..<entry.slot.columns {
                let value = Float((number * 7 + column * 3) % 11) / 11 - 0.4
                dense[entry.slot].base[column] = entry.name.hasSuffix("variance") ? 0.5 + abs(value) : value
            }
        }
    }

    /// A bench that holds the samples, in their order.
    func bench(_ samples: [Sample]) throws -> ModelBench {
        let directory = FileManager.default.temporaryDirectory.appending(path: "trial-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let writer = try DatasetWriter(directory: directory, name: "trial", schema: Sample.schema)
        let split = try writer.split("train")
        // Behaviors of nobody, so that there is always something to draw.
        for id: UInt64 in 900..<904 { try split.appendEvent(behavior: [id, 5], time: Int64(id)) }
        for sample in samples {
            var first = 0
            for (place, behavior) in sample.history.enumerated() {
                let index = try split.appendEvent(
                    behavior: [behavior.item, behavior.category], time: sample.time(place))
                if place == 0 { first = index }
            }
            try split.group(
                key: sample.user, user: [sample.user], time: sample.time(sample.history.count),
                history: first..<first + sample.history.count)
            try split.candidate(item: [sample.item, sample.category], label: sample.label)
        }
        try writer.finish()
        let bench = ModelBench(model, schema: Sample.schema)
        let data = try Dataset(directory: directory).split(named: "train")
        let needs = model.needs
        MicroBatchBuilder(schema: Sample.schema, historyLimit: 1000, needs: needs).fill(
            bench.batch, from: data, order: DataOrder(data, seed: 0, epoch: nil), positions: 0..<samples.count,
            negatives: try needs.negatives.map { try NegativeSampler(data, law: $0, seed: 5) })
        bench.prepareRows()
        bench.parameters.base.update(from: dense.base, count: dense.count)
        var rows: [Float] = []
        for (table, ids) in bench.batch.tables.enumerated() {
            for id in ids.ids.buffer {
                for column in 0..<model.tables[table].width {
                    rows.append(
                        Float(Philox.unit(Philox.words(key: 77, UInt64(table) << 32 | id, UInt64(column))[0])) - 0.5)
                }
            }
        }
        bench.setRows(rows)
        return bench
    }

    /// The scores of samples in one batch.
    func scores(_ samples: [Sample]) throws -> [Float] {
        let bench = try bench(samples)
        bench.score()
        return bench.logits
    }
}

/// Largest difference.
func distance(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { ($0 - $1).magnitude }.max() ?? 0 : .infinity
}

/// Values in memory that stays: a view keeps a pointer for longer than the call that an array is passed to.
func stable(_ values: [Int32]) -> UnsafePointer<Int32> {
    let copy = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, values.count))
    copy.initialize(from: values, count: values.count)
    return UnsafePointer(copy)
}
