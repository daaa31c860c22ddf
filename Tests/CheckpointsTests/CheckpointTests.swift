import Foundation
import Parameters
import Testing
import Wire

@testable import Checkpoints

@Suite struct CheckpointTests {
    private func directory() -> String {
        FileManager.default.temporaryDirectory.appending(path: "cp-\(UUID().uuidString)").path
    }

    @Test(
        "what one cluster wrote another continues to the same content, for every optimizer",
        arguments: OptimizerOptions.Kind.allCases)
    func reshard(kind: OptimizerOptions.Kind) throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let whole = try ShardedState(shards: 1, kind)
        try whole.train(1...6)
        let expected = try CheckpointReader(path: whole.write(directory + "/whole", step: 6)).contentDigest()
        var previous = try ShardedState(shards: 1, kind)
        try previous.train(1...2)
        for (number, shards) in [3, 2].enumerated() {
            let path = try previous.write(directory + "/\(number)", step: 2 + number * 2)
            let next = try ShardedState(shards: shards, kind)
            try next.restore(path)
            #expect(
                try CheckpointReader(path: next.write(directory + "/again\(number)", step: 9)).contentDigest()
                    == CheckpointReader(path: path).contentDigest())
            try next.train(3 + number * 2...4 + number * 2)
            previous = next
        }
        #expect(try CheckpointReader(path: previous.write(directory + "/end", step: 6)).contentDigest() == expected)
    }

    @Test("one weight more or less changes the digest")
    func sensitive() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try ShardedState(shards: 2, .sgd)
        try cluster.train(1...2)
        let first = try CheckpointReader(path: cluster.write(directory + "/a", step: 2)).contentDigest()
        cluster.dense[1].weights[0] += 1e-6
        #expect(try CheckpointReader(path: cluster.write(directory + "/b", step: 2)).contentDigest() != first)
    }

    @Test("a flipped byte in any file is found and the file is named")
    func damage() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try ShardedState(shards: 2, .adam)
        try cluster.train(1...2)
        let path = try cluster.write(directory, step: 2)
        for name in ["shard-0-of-2.safetensors", "shard-1-of-2.safetensors", "dense.safetensors"] {
            let file = URL(filePath: path + "/" + name)
            let whole = try Data(contentsOf: file)
            var bytes = whole
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
            do {
                try ShardedState(shards: 1, .adam).restore(path)
                Issue.record("\(name) was read although damaged")
            } catch {
                #expect("\(error)".contains(name) && "\(error)".contains("does not match the manifest"))
            }
            try whole.write(to: file)
        }
        try ShardedState(shards: 1, .adam).restore(path)
        #expect(throws: CheckpointError.self) { try ShardedState(shards: 1, .sgd).restore(path) }
        try Data("{}".utf8).write(to: URL(filePath: path + "/manifest.json"))
        #expect(throws: CheckpointError.self) { try CheckpointReader(path: path) }
    }

    @Test("of several states that were the best in their time the last is taken")
    func lastBest() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try ShardedState(shards: 1, .sgd)
        for step in 1...4 {
            try cluster.train(step...step)
            _ = try cluster.write(directory, step: step, keep: 9, best: min(step, 3))
        }
        #expect(try CheckpointReader.all(in: directory).count == 4)
        #expect(try CheckpointReader(path: directory).path.hasSuffix("step-00000003"))
    }

    @Test("what was not finished does not exist; the best and the newest are kept")
    func selection() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(throws: CheckpointError.self) { try CheckpointReader(path: directory) }
        let cluster = try ShardedState(shards: 1, .sgd)
        for step in 1...5 {
            try cluster.train(step...step)
            _ = try cluster.write(directory, step: step, keep: 2, best: step < 2 ? nil : 2)
        }
        _ = try PartFile.write(
            tables: cluster.tables[0], dense: cluster.dense[0], partitions: Array(cluster.map.partitions(ofShard: 0)),
            shard: 0,
            shards: 1, step: 6, checkpoints: directory)
        let names = try CheckpointReader.all(in: directory).map { ($0 as NSString).lastPathComponent }
        #expect(names == ["step-00000002", "step-00000004", "step-00000005"])
        #expect(try CheckpointReader.newest(in: directory)?.hasSuffix("step-00000005") == true)
        #expect(try CheckpointReader(path: directory).path.hasSuffix("step-00000002"))
        #expect(try CheckpointReader(path: directory, .last).path.hasSuffix("step-00000005"))
        // A name that is no step's is no checkpoint, whatever is in it.
        try FileManager.default.copyItem(atPath: directory + "/step-00000005", toPath: directory + "/step-zzz")
        try FileManager.default.copyItem(atPath: directory + "/step-00000005", toPath: directory + "/step-00000009")
        #expect(try CheckpointReader.all(in: directory).count == 4)
        #expect(throws: CheckpointError.self) { try CheckpointReader(path: directory + "/step-00000009") }
    }
}
