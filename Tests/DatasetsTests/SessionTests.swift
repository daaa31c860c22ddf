import Foundation
import Tensors
import Testing

@testable import Datasets

/// Trap 22: how histories are cut into sessions.
@Suite struct SessionTests {
    private static let schema = Schema(
        tables: ["item"], item: [.init("item", table: "item")], behavior: [.init("item", table: "item")])

    /// The micro-batch of one impression after events at `times`, whose items are 2, 3, 4 and so on.
    private func batch(_ times: [Int64], impression: Int64?, rule: SessionRule, limit: Int = 1000) throws -> MicroBatch
    {
        let directory = DatasetTests.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let writer = try DatasetWriter(directory: directory, name: "sessions", schema: Self.schema)
        let train = try writer.split("train")
        for (index, time) in times.enumerated() { try train.appendEvent(behavior: [UInt64(index + 2)], time: time) }
        try train.group(key: 1, user: [], time: impression, history: 0..<times.count)
        try train.candidate(item: [2], label: 1)
        try train.candidate(item: [3], label: 0)
        try writer.finish()
        let split = try Dataset(directory: directory).split(named: "train")
        let batch = MicroBatch(schema: Self.schema)
        MicroBatchBuilder(schema: Self.schema, historyLimit: limit, needs: BatchNeeds(sessions: rule)).fill(
            batch, from: split, order: DataOrder(split, seed: 1, epoch: nil), positions: 0..<2)
        return batch
    }

    /// The sessions of the only history, by item.
    private func sessions(_ batch: MicroBatch) -> [[UInt64]] {
        let count = Int(batch.historySessions[1])
        #expect(batch.historyCount == 1 && batch.historySessions.count == 2 && batch.sessionCount == count)
        #expect(Int(batch.historyOffsets[1]) == batch.positionCount)
        return (0..<count).map { session in
            (batch.sessionOffsets[session]..<batch.sessionOffsets[session + 1]).map { position in
                batch.tables[0].ids[Int(batch.behaviorRows[0][Int(batch.positionBehavior[Int(position)])])]
            }
        }
    }

    @Test("a pause of 1800 s stays in a session, one of 1801 s cuts it")
    func gap() throws {
        #expect(try sessions(batch([0, 1800, 3601], impression: 9999, rule: SessionRule())) == [[2, 3], [4]])
        #expect(try sessions(batch([0, 10, 21], impression: 99, rule: SessionRule(gap: 10))) == [[2, 3], [4]])
    }

    @Test("the newest sessions are kept, of each the newest behaviors, in the order in which they happened")
    func newest() throws {
        let times: [Int64] = [0, 1, 2, 3, 10_000, 10_001, 10_002, 10_003, 20_000, 20_001, 20_002, 20_003]
        let rule = SessionRule(gap: 1800, count: 2, length: 3)
        #expect(try sessions(batch(times, impression: 99_999, rule: rule)) == [[7, 8, 9], [11, 12, 13]])
        #expect(try sessions(batch(times, impression: 99_999, rule: rule, limit: 5)) == [[9], [11, 12, 13]])
    }

    @Test("no event at or after the impression: the public script's leak gives no session")
    func leak() throws {
        // Impression at 100, sessions at 1000, 5000 and 9000: the script took those of 5000 and 1000.
        let later = try batch([1000, 1001, 5000, 5001, 9000], impression: 100, rule: SessionRule())
        #expect(sessions(later).isEmpty && later.positionCount == 0)
        #expect(try sessions(batch([10, 50, 100, 110], impression: 100, rule: SessionRule())) == [[2, 3]])
        #expect(try sessions(batch([10, 50, 100], impression: nil, rule: SessionRule())) == [[2, 3, 4]])
    }

    @Test("a part without any behavior has histories without sessions")
    func nothing() throws {
        #expect(try sessions(batch([], impression: 5, rule: SessionRule())).isEmpty)
    }

    @Test("one slice of events before two impressions is two histories where their times part it")
    func sharing() throws {
        let directory = DatasetTests.temporary()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let writer = try DatasetWriter(directory: directory, name: "sessions", schema: Self.schema)
        let train = try writer.split("train")
        for index in 0..<3 { try train.appendEvent(behavior: [UInt64(index + 2)], time: Int64(index * 10)) }
        for time: Int64 in [15, 30, 40] {
            try train.group(key: 1, user: [], time: time, history: 0..<3)
            try train.candidate(item: [2], label: 1)
        }
        try writer.finish()
        let split = try Dataset(directory: directory).split(named: "train")
        let batch = MicroBatch(schema: Self.schema)
        MicroBatchBuilder(schema: Self.schema, historyLimit: 9, needs: BatchNeeds(sessions: SessionRule())).fill(
            batch, from: split, order: DataOrder(split, seed: 1, epoch: nil), positions: 0..<3)
        #expect(Array(batch.historyOf.buffer) == [0, 1, 1])
        #expect(Array(batch.historySessions.buffer) == [0, 1, 2])
        #expect(Array(batch.sessionOffsets.buffer) == [0, 2, 5])
    }
}
