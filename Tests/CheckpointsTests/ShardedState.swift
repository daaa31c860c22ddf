import Tensors
import Wire

@testable import Checkpoints
@testable import Parameters
@testable import Telemetry

/// The state of a job cut into shards: two tables and a dense vector, some steps applied.
struct ShardedState {
    let map: PartitionMap
    let layout: ParameterLayout
    let options: [TableOptions]
    let tables: [[Table]]
    let dense: [DenseSlice]

    init(shards: Int, _ kind: OptimizerOptions.Kind, initialAccumulator: Float = 0) throws {
        map = try PartitionMap(shards: shards)
        var layout = ParameterLayout()
        _ = layout.matrix("top.weight", rows: 7, columns: 5, initial: .glorotUniform)
        _ = layout.statistic("top.mean", columns: 5, initial: 0)
        self.layout = layout
        var rows = OptimizerOptions(kind: kind)
        rows.initialAccumulator = initialAccumulator
        let options = [("item", 6), ("user", 3)].map {
            TableOptions(
                name: $0.0, width: $0.1, optimizer: rows,
                regularization: RegularizationOptions(kind: .none, counts: .running))
        }
        self.options = options
        var dense = OptimizerOptions(kind: kind == .adagradRowwise ? .adam : kind)
        dense.initialAccumulator = initialAccumulator
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

    func parts(_ directory: String, step: Int) throws -> [SnapshotDone] {
        try tables.indices.map { shard in
            try PartFile.write(
                tables: tables[shard], dense: dense[shard], partitions: Array(map.partitions(ofShard: shard)),
                shard: shard, shards: map.shards, step: step, checkpoints: directory)
        }
    }

    func writer(_ directory: String, keep: Int = 2) -> CheckpointWriter {
        CheckpointWriter(
            directory: directory, layout: layout, tables: options, dense: dense[0].options, map: map,
            origin: Manifest.Origin(release: "1", run: "a", dataset: "d"), config: "a: 1", keep: keep)
    }

    func write(_ directory: String, step: Int, keep: Int = 2, best: Int? = nil) throws -> String {
        try writer(directory, keep: keep).commit(
            step: step, parts: try parts(directory, step: step),
            judgement: Judgement(basis: "auc", step: step, bestStep: best))
    }

    func restore(_ path: String, _ takeover: CheckpointReader.Takeover = .init()) throws {
        let reader = try CheckpointReader(path: path)
        for shard in tables.indices {
            try reader.restore(
                tables: tables[shard], dense: dense[shard], partitions: Array(map.partitions(ofShard: shard)),
                layout: layout, takeover)
        }
    }
}
