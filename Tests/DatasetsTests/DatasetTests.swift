import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite struct DatasetTests {
    static let schema = Schema(
        tables: ["user", "item", "category"], user: [.init("user", table: "user")],
        item: [.init("item", table: "item"), .init("category", table: "category")],
        behavior: [.init("item", table: "item"), .init("category", table: "category")], numeric: ["age"])

    /// Two users; user 7 has events 10, 11, 10 and user 8 none.
    ///
    /// Categories are 100 + id.
    static func write(_ directory: String) throws {
        let writer = try DatasetWriter(directory: directory, name: "tiny", schema: schema, countedHistory: 2)
        let train = try writer.split("train")
        for (index, item) in [UInt64(10), 11, 10].enumerated() {
            try train.appendEvent(behavior: [item, 100 + item], time: Int64(index))
        }
        try train.group(key: 7, user: [7], time: 3, history: 0..<3)
        try train.candidate(item: [12, 112], label: 1, numeric: [0.5])
        try train.candidate(item: [11, 111], label: 0, numeric: [0.25])
        try train.group(key: 8, user: [8], time: 4, history: 3..<3)
        try train.candidate(item: [10, 110], label: 1, numeric: [1])
        try writer.finish(prepared: ["seed": "1"])
    }

    static func temporary() -> String {
        FileManager.default.temporaryDirectory.appending(path: "ds-\(UUID().uuidString)").path
    }

    @Test("a split of several parts finds every group in its own, the first of a part too")
    func parts() throws {
        let directory = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.write(directory)
        let path = directory + "/train-00000.safetensors"
        let parts = try (0..<3).map { _ in try SplitPart(path: path, schema: Self.schema) }
        let split = Split(name: "train", parts: parts)
        #expect(split.groupCount == 6 && split.sampleCount == 9)
        #expect((0..<6).map { split.candidateCount(of: $0) } == [2, 1, 2, 1, 2, 1])
        #expect((0..<6).map { split.locate($0).part } == [0, 0, 1, 1, 2, 2])
    }

    @Test("what was written is read back: totals, ragged micro-batch, counts once per sample")
    func roundTrip() throws {
        let directory = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.write(directory)
        let dataset = try Dataset(directory: directory)
        #expect(dataset.info.splits["train"] == .init(parts: 1, groups: 2, samples: 3, positives: 2, behaviors: 3))
        #expect(!FileManager.default.fileExists(atPath: directory + ".partial"))
        let split = try dataset.split(named: "train")
        let batch = MicroBatch(schema: dataset.schema)
        let builder = MicroBatchBuilder(schema: dataset.schema, historyLimit: 50)
        let order = DataOrder(split, seed: 1, epoch: nil)
        for _ in 0..<2 { builder.fill(batch, from: split, order: order, positions: 0..<3) }
        #expect(Array(batch.labels.buffer) == [1, 0, 1])
        #expect(Array(batch.keys.buffer) == [7, 7, 8])
        #expect(Array(batch.tables[0].ids.buffer) == [7, 8])
        #expect(Array(batch.tables[1].ids.buffer) == [12, 10, 11])
        #expect(Array(batch.tables[1].counts.buffer) == [1, 3, 2])
        #expect(Array(batch.itemRows[0].buffer) == [0, 2, 1])
        #expect(Array(batch.historyOf.buffer) == [0, 0, 1])
        #expect(Array(batch.historyOffsets.buffer) == [0, 3, 3])
        #expect(Array(batch.positionBehavior.buffer) == [0, 1, 0])
        #expect(Array(batch.behaviorRows[0].buffer) == [1, 2])
        #expect(Array(batch.numeric.buffer) == [0.5, 0.25, 1])
        let counts = try dataset.counts(table: "item")
        #expect(counts.ids == [10, 11, 12])
        #expect(counts.counts == [3, 2, 1])
    }

    @Test("only the newest behaviors are kept")
    func limit() throws {
        let directory = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.write(directory)
        let dataset = try Dataset(directory: directory)
        let split = try dataset.split(named: "train")
        let batch = MicroBatch(schema: dataset.schema)
        let order = DataOrder(split, seed: 1, epoch: nil)
        MicroBatchBuilder(schema: dataset.schema, historyLimit: 1)
            .fill(batch, from: split, order: order, positions: 1..<2)
        #expect(batch.sampleCount == 1)
        #expect(batch.positionCount == 1)
        #expect(batch.tables[1].ids[Int(batch.behaviorRows[0][0])] == 10)
        MicroBatchBuilder(schema: dataset.schema, historyLimit: 0)
            .fill(batch, from: split, order: order, positions: 0..<3)
        #expect(batch.positionCount == 0)
        #expect(batch.historyCount == 1)
    }

    @Test("an epoch's order holds every position once, depends on seed and epoch, and keeps candidates together")
    func order() throws {
        let directory = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let schema = Schema(tables: ["item"], item: [.init("item", table: "item")], behavior: [])
        let writer = try DatasetWriter(directory: directory, name: "order", schema: schema)
        let train = try writer.split("train")
        for group in 0..<100 {
            try train.group(key: UInt64(group + 1), user: [], time: nil, history: 0..<0)
            for candidate in 0...(group % 3) {
                try train.candidate(item: [UInt64(group * 10 + candidate + 1)], label: 0)
            }
        }
        try writer.finish()
        let split = try Dataset(directory: directory).split(named: "train")
        func items(_ seed: UInt64, _ epoch: Int?, by size: Int) -> [UInt64] {
            let order = DataOrder(split, seed: seed, epoch: epoch)
            let batch = MicroBatch(schema: schema)
            let builder = MicroBatchBuilder(schema: schema, historyLimit: 5)
            var found: [UInt64] = []
            for start in stride(from: 0, to: order.count, by: size) {
                builder.fill(batch, from: split, order: order, positions: start..<min(start + size, order.count))
                found += batch.itemRows[0].buffer.map { batch.tables[0].ids[Int($0)] }
            }
            return found
        }
        let natural = items(1, nil, by: 7)
        #expect(natural.count == split.sampleCount && natural == natural.sorted())
        let first = items(1, 0, by: 7)
        #expect(first == items(1, 0, by: 64) && first.sorted() == natural && first != natural)
        #expect(first != items(1, 1, by: 7) && first != items(2, 0, by: 7))
        for (one, next) in zip(first, first.dropFirst()) where (next - 1) % 10 != 0 { #expect(next == one + 1) }
    }

    @Test("a directory that is no dataset, a missing split and a damaged part are named with the remedy")
    func faults() throws {
        let directory = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(throws: DatasetError.self) { try Dataset(directory: directory) }
        try Self.write(directory)
        let dataset = try Dataset(directory: directory)
        do {
            _ = try dataset.split(named: "tset")
            Issue.record("a split that is not there was opened")
        } catch {
            #expect("\(error)".contains("has no split 'tset'; it has train"))
        }
        let path = directory + "/train-00000.safetensors"
        // Without the checksums, whose business it would be.
        try FileManager.default.removeItem(atPath: directory + "/checksums")
        var bytes = try Data(contentsOf: URL(filePath: path))
        let whole = bytes
        for place in stride(from: 0, to: whole.count, by: 3) {
            bytes = whole
            bytes[place] ^= 0xff
            try bytes.write(to: URL(filePath: path))
            guard let split = try? dataset.split(named: "train") else { continue }
            // What is still accepted must be readable without leaving the map.
            let batch = MicroBatch(schema: dataset.schema)
            MicroBatchBuilder(schema: dataset.schema, historyLimit: 50)
                .fill(batch, from: split, order: DataOrder(split, seed: 1, epoch: 0), positions: 0..<3)
        }
        let other = Self.temporary()
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: other) }
        try "keep".write(toFile: other + "/notes", atomically: true, encoding: .utf8)
        #expect(throws: DatasetError.self) { try DatasetWriter(directory: other, name: "x", schema: Self.schema) }
    }

    @Test("what nobody could open is not written: the older dataset stays")
    func unreadable() throws {
        let directory = Self.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Self.write(directory)
        var schema = Self.schema
        schema.tables[2] = "cate\u{7}gory"
        #expect(throws: DatasetError.self) { try DatasetWriter(directory: directory, name: "x", schema: schema) }
        let writer = try DatasetWriter(directory: directory, name: "x", schema: Self.schema)
        let split = try writer.split("tra in")
        try split.group(key: 1, user: [1], time: 1, history: 0..<0)
        try split.candidate(item: [1, 1], label: 1, numeric: [1])
        #expect { try writer.finish() } throws: { "\($0)".contains("splits names 'tra in'") }
        #expect(try Dataset(directory: directory).info.name == "tiny")
    }
}
