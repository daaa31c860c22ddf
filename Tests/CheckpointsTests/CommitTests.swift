import Foundation
import Parameters
import Synchronization
import Tensors
import Testing
import Wire

@testable import Checkpoints
@testable import Telemetry

@Suite struct CommitTests {
    private func directory() -> String {
        FileManager.default.temporaryDirectory.appending(path: "cp-\(UUID().uuidString)").path
    }

    @Test("what a node says of its part is checked, and a checkpoint that could not be written leaves nothing")
    func parts() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let state = try ShardedState(shards: 2, .adam)
        try state.train(1...2)
        let changes: [(inout [SnapshotDone]) -> Void] = [
            { $0[1].shard = 7 }, { $0[1].shard = -1 }, { $0[1].shard = 0 }, { $0.removeLast() }, { $0[0].step = 3 },
            { $0[0].file = "../x" }, { $0[0].partitions = [] }, { $0[0].partitions[0] = .max }, { $0[0].tables = [] },
            { $0[0].tables.swapAt(0, 1) }, { $0[0].tables[0].rows = -1 }, { $0[0].tables[0].rows = .max },
            { $0[0].rows = .max }, { $0[0].bytes += 1 }, { $0[0].checksum = "no number" },
        ]
        for (number, change) in changes.enumerated() {
            var parts = try state.parts(directory, step: 2)
            change(&parts)
            let judgement = Judgement(basis: "auc", step: 2)
            #expect(throws: CheckpointError.self, "change \(number)") {
                try state.writer(directory).commit(step: 2, parts: parts, judgement: judgement)
            }
            #expect(try CheckpointReader.all(in: directory).isEmpty)
            state.writer(directory).discard(step: 2)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test("whoever looks while old checkpoints are removed never finds a part of one")
    func prune() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let files = 24
        let isOver = Atomic(false)
        let hasLooked = DispatchSemaphore(value: 0)
        let looker = Thread {
            while !isOver.load(ordering: .relaxed) {
                for path in (try? CheckpointReader.all(in: directory)) ?? [] {
                    let count = (0..<files).count { FileManager.default.fileExists(atPath: "\(path)/part-\($0)") }
                    // Gone as a whole meanwhile, name and all, or whole.
                    if count < files, FileManager.default.fileExists(atPath: path + "/manifest.json") {
                        Issue.record("\(path) has \(count) of \(files) files")
                    }
                }
            }
            hasLooked.signal()
        }
        looker.start()
        // The directory is removed after the last look.
        defer {
            isOver.store(true, ordering: .relaxed)
            hasLooked.wait()
        }
        let state = try ShardedState(shards: 1, .sgd)
        for step in 1...40 {
            let parts = try state.parts(directory, step: step)
            for number in 0..<files {
                try Data([1]).write(
                    to: URL(filePath: "\(directory)/\(Manifest.directory(of: step)).partial/part-\(number)"))
            }
            _ = try state.writer(directory, keep: 1).commit(
                step: step, parts: parts, judgement: Judgement(basis: "auc", step: step))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["step-00000040"])
    }

    @Test("another optimizer's state is refused with what to do; the weights alone can be taken")
    func optimizers() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let first = try ShardedState(shards: 2, .momentum)
        try first.train(1...3)
        let path = try first.write(directory, step: 3)
        // As many floats of state as momentum has.
        let second = try ShardedState(shards: 1, .adagrad, initialAccumulator: 0.25)
        do {
            try second.restore(path)
            Issue.record("adagrad took momentum's state")
        } catch {
            let words = "\(error)"
            #expect(
                words.contains("momentum") && words.contains("adagrad") && words.contains("--reset-optimizer"),
                "\(words)")
        }
        #expect(second.tables[0][0].rowCount == 0)
        try second.restore(path, .init(resetsOptimizer: true))
        let rows = (PartitionRows(), PartitionRows())
        for partition in 0..<256 {
            try second.tables[0][0].export(partition: partition, into: rows.0)
            try first.tables[partition / 128][0].export(partition: partition, into: rows.1)
            #expect(Array(rows.0.weights.buffer) == Array(rows.1.weights.buffer))
            #expect(rows.0.slots.buffer.allSatisfy { $0 == 0.25 })
        }
        #expect(second.dense[0].slots[3] == 0.25 && second.dense[0].weights[3] == first.dense[0].weights[3])
    }

    @Test(
        "a new run that counts from 1 updates as the state's own run would have",
        arguments: OptimizerOptions.Kind.allCases)
    func restart(kind: OptimizerOptions.Kind) throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let first = try ShardedState(shards: 1, kind)
        try first.train(1...5)
        let second = try ShardedState(shards: 1, kind)
        try second.restore(first.write(directory, step: 5), .init(restartsSteps: true))
        let table = (first.tables[0][0], second.tables[0][0])
        let ids: [UInt64] = [21, 28, 35, 1000]
        let gradients = (0..<ids.count * 6).map { Float($0 % 7) - 3 }
        let counts: [UInt32] = [1, 2, 3, 1]
        _ = try table.0.apply(ids: ids, count: 4, gradients: gradients, counts: counts, scale: 0.5, step: 6)
        _ = try table.1.apply(ids: ids, count: 4, gradients: gradients, counts: counts, scale: 0.5, step: 1)
        var rows = ([Float](repeating: 0, count: 24), [Float](repeating: 0, count: 24))
        try table.0.pull(ids: ids, count: 4, into: &rows.0)
        try table.1.pull(ids: ids, count: 4, into: &rows.1)
        #expect(rows.0 == rows.1)
        let slice = (first.dense[0], second.dense[0])
        let gradient = slice.0.range.map { Float($0 % 5) / 4 - 0.5 }
        slice.0.apply(gradient: gradient, scale: 1, step: 6)
        slice.1.apply(gradient: gradient, scale: 1, step: 1)
        #expect(slice.0.range.allSatisfy { slice.0.weights[$0] == slice.1.weights[$0] })
        // No row looks as if a step of this run had touched it.
        let exported = PartitionRows()
        for partition in 0..<256 {
            try table.1.export(partition: partition, into: exported)
            #expect(exported.steps.buffer.allSatisfy { $0 <= 1 })
        }
        // What it writes knows how many updates there were.
        #expect(table.1.earlierUpdates == 5 && second.dense[0].earlierUpdates == 5)
    }
}
