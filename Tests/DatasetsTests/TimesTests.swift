import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite struct TimesTests {
    private static let schema = Schema(
        tables: ["item"], item: [.init("item", table: "item")], behavior: [.init("item", table: "item")])

    @Test("samples and behaviors come with their times; a sample without one takes that of its newest behavior")
    func times() throws {
        func batch(at impressions: [Int64?], needs: BatchNeeds) throws -> MicroBatch {
            let directory = DatasetTests.temporary()
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let writer = try DatasetWriter(directory: directory, name: "times", schema: Self.schema)
            let train = try writer.split("train")
            for index in 0..<4 { try train.appendEvent(behavior: [UInt64(index + 2)], time: Int64(index * 10)) }
            for (number, time) in impressions.enumerated() {
                try train.group(key: 1, user: [], time: time, history: 0..<(number == 2 ? 0 : 3))
                try train.candidate(item: [2], label: 1)
            }
            try writer.finish()
            let split = try Dataset(directory: directory).split(named: "train")
            let batch = MicroBatch(schema: Self.schema)
            MicroBatchBuilder(schema: Self.schema, historyLimit: 2, needs: needs).fill(
                batch, from: split, order: DataOrder(split, seed: 1, epoch: nil), positions: 0..<impressions.count)
            return batch
        }
        let known = try batch(at: [25, 40, 50], needs: BatchNeeds(times: true))
        #expect(Array(known.times.buffer) == [25, 40, 50])
        // The history of two samples is held once, the newest two behaviors of it.
        #expect(Array(known.positionTimes.buffer) == [10, 20] && known.positionCount == 2)
        let unknown = try batch(at: [nil, nil, nil], needs: BatchNeeds(times: true))
        #expect(Array(unknown.times.buffer) == [20, 20, 0])
        #expect(try batch(at: [25], needs: BatchNeeds()).times.count == 0)
    }
}
