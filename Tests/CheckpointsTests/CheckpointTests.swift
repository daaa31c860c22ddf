import Evaluation
import Foundation
import Parameters
import Tensors
import Testing
import Wire

@testable import Checkpoints

@Suite struct CheckpointTests {
    /// The state of a job cut into shards: two tables and a dense vector, some steps applied.
    private struct Cluster {
        let map: PartitionMap
        let layout: ParameterLayout
        let options: [TableOptions]
        let tables: [[Table]]
        let dense: [DenseSlice]

        init(shards: Int, _ kind: OptimizerOptions.Kind) throws {
            map = try PartitionMap(shards: shards)
            var layout = ParameterLayout()
            _ = layout.matrix("top.weight", rows: 7, columns: 5, initial: .glorotUniform)
            _ = layout.statistic("top.mean", columns: 5, initial: 0)
            self.layout = layout
            let options = [("item", 6), ("user", 3)].map {
                TableOptions(
                    name: $0.0, width: $0.1, optimizer: OptimizerOptions(kind: kind),
                    regularization: RegularizationOptions(kind: .none, counts: .running))
            }
            self.options = options
            let dense = OptimizerOptions(kind: kind == .adagradRowwise ? .adam : kind)
            let map = map
            tables = try (0..<shards).map { shard in
                try options.enumerated().map { index, table in
                    try Table(
                        index: UInt32(index), options: table, partitionBits: map.bits,
                        partitions: Array(map.partitions(ofShard: shard)), seed: 9)
                }
            }
            self.dense = try (0..<shards).map { shard in
                try DenseSlice(
                    layout: layout, range: map.denseRange(ofShard: shard, count: layout.count),
                    options: DenseOptions(optimizer: dense))
            }
        }

        /// Applies steps whose gradients are a function of (table, id, step).
        func train(_ steps: ClosedRange<Int>) throws {
            for step in steps {
                for shard in tables.indices {
                    for (index, table) in tables[shard].enumerated() {
                        let ids = (2..<200).map { UInt64($0 * 7 + step) }.filter { table.owns($0) }
                        var gradients: [Float] = []
                        for id in ids {
                            for column in 0..<table.options.width {
                                let value = (Int(id) * 31 + column * 17 + index + step) % 101
                                gradients.append(Float(value) / 100 - 0.5)
                            }
                        }
                        _ = try table.apply(
                            ids: ids, count: ids.count, gradients: gradients,
                            counts: [UInt32](repeating: 2, count: ids.count), scale: 0.5, step: step)
                    }
                    let range = map.denseRange(ofShard: shard, count: layout.count)
                    let gradient = range.map { Float(($0 * 13 + step) % 17) / 16 - 0.5 }
                    dense[shard].apply(gradient: gradient, scale: 1, step: step)
                }
            }
        }

        func write(_ directory: String, step: Int, keep: Int = 2, best: Bool = false) throws -> String {
            let parts = try tables.indices.map { shard in
                try PartFile.write(
                    tables: tables[shard], dense: dense[shard], partitions: Array(map.partitions(ofShard: shard)),
                    shard: shard, shards: map.shards, step: step, checkpoints: directory)
            }
            return try CheckpointWriter(
                directory: directory, layout: layout, tables: options, map: map, config: "a: 1", keep: keep
            ).commit(
                step: step, parts: parts,
                judgement: Judgement(basis: "auc", step: step, bestStep: best ? step : nil))
        }

        func restore(_ path: String) throws {
            let reader = try CheckpointReader(path: path)
            for shard in tables.indices {
                try reader.restore(
                    tables: tables[shard], dense: dense[shard], partitions: Array(map.partitions(ofShard: shard)),
                    layout: layout)
            }
        }
    }

    private func directory() -> String {
        FileManager.default.temporaryDirectory.appending(path: "cp-\(UUID().uuidString)").path
    }

    @Test(
        "what one cluster wrote another continues to the same content, for every optimizer",
        arguments: OptimizerOptions.Kind.allCases)
    func reshard(kind: OptimizerOptions.Kind) throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let whole = try Cluster(shards: 1, kind)
        try whole.train(1...6)
        let expected = try CheckpointReader(path: whole.write(directory + "/whole", step: 6)).contentDigest()
        var previous = try Cluster(shards: 1, kind)
        try previous.train(1...2)
        for (number, shards) in [3, 2].enumerated() {
            let path = try previous.write(directory + "/\(number)", step: 2 + number * 2)
            let next = try Cluster(shards: shards, kind)
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
        let cluster = try Cluster(shards: 2, .sgd)
        try cluster.train(1...2)
        let first = try CheckpointReader(path: cluster.write(directory + "/a", step: 2)).contentDigest()
        cluster.dense[1].weights[0] += 1e-6
        #expect(try CheckpointReader(path: cluster.write(directory + "/b", step: 2)).contentDigest() != first)
    }

    @Test("a flipped byte in any file is found and the file is named")
    func damage() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let cluster = try Cluster(shards: 2, .adam)
        try cluster.train(1...2)
        let path = try cluster.write(directory, step: 2)
        for name in ["shard-0-of-2.safetensors", "shard-1-of-2.safetensors", "dense.safetensors"] {
            let file = URL(filePath: path + "/" + name)
            let whole = try Data(contentsOf: file)
            var bytes = whole
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
            do {
                try Cluster(shards: 1, .adam).restore(path)
                Issue.record("\(name) was read although damaged")
            } catch {
                #expect("\(error)".contains(name) && "\(error)".contains("does not match the manifest"))
            }
            try whole.write(to: file)
        }
        try Cluster(shards: 1, .adam).restore(path)
        #expect(throws: CheckpointError.self) { try Cluster(shards: 1, .sgd).restore(path) }
        try Data("{}".utf8).write(to: URL(filePath: path + "/manifest.json"))
        #expect(throws: CheckpointError.self) { try CheckpointReader(path: path) }
    }

    @Test("what was not finished does not exist; the best and the newest are kept")
    func selection() throws {
        let directory = directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(throws: CheckpointError.self) { try CheckpointReader(path: directory) }
        let cluster = try Cluster(shards: 1, .sgd)
        for step in 1...5 {
            try cluster.train(step...step)
            _ = try cluster.write(directory, step: step, keep: 2, best: step == 2)
        }
        _ = try PartFile.write(
            tables: cluster.tables[0], dense: cluster.dense[0], partitions: Array(cluster.map.partitions(ofShard: 0)),
            shard: 0,
            shards: 1, step: 6, checkpoints: directory)
        let names = CheckpointReader.all(in: directory).map { ($0 as NSString).lastPathComponent }
        #expect(names == ["step-00000002", "step-00000004", "step-00000005"])
        #expect(CheckpointReader.newest(in: directory)?.hasSuffix("step-00000005") == true)
        #expect(try CheckpointReader(path: directory).path.hasSuffix("step-00000002"))
    }
}
