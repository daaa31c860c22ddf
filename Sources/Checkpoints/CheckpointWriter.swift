package import Evaluation
import Foundation
package import Parameters
import Safetensors
package import Tensors
package import Wire

/// Makes a checkpoint of the parts that the shards have written: joins the dense slices, writes the manifest, renames.
package struct CheckpointWriter: Sendable {
    private let directory: String
    private let layout: ParameterLayout
    private let tables: [TableOptions]
    private let map: PartitionMap
    private let config: String
    private let keep: Int

    /// - Parameters:
    ///   - directory: holds the checkpoints of a run.
    ///   - keep: how many are kept besides the best.
    package init(
        directory: String, layout: ParameterLayout, tables: [TableOptions], map: PartitionMap, config: String, keep: Int
    ) {
        self.directory = directory
        self.layout = layout
        self.tables = tables
        self.map = map
        self.config = config
        self.keep = keep
    }

    /// Commits the state after a step and returns its path.
    ///
    /// - Parameter judgement: what is known of evaluations, this state's included.
    package func commit(step: Int, parts: [SnapshotDone], judgement: Judgement) throws -> String {
        let name = Manifest.directory(of: step)
        let (partial, final) = ("\(directory)/\(name).partial", "\(directory)/\(name)")
        let dense = try joinDense(in: partial)
        let infos = tables.enumerated().map { index, table in
            let layout = table.rowLayout
            return Manifest.TableInfo(
                name: table.name, width: layout.width, slots: layout.slots,
                rows: parts.reduce(0) { $0 + $1.tables[index].rows })
        }
        let manifest = Manifest(
            step: step, partitions: map.partitions, tables: infos,
            parts: parts.map {
                Manifest.File(file: $0.file, bytes: $0.bytes, checksum: $0.checksum, partitions: $0.partitions)
            }, dense: dense, config: config, judgement: judgement)
        try Files.replace(partial + "/manifest.json", with: try manifest.encoded())
        try Files.sync(partial)
        try? FileManager.default.removeItem(atPath: final)
        try Files.move(partial, to: final)
        try Files.sync(directory)
        if judgement.bestStep == step { try Files.replace(directory + "/best", with: Data(name.utf8)) }
        prune(keeping: name)
        return final
    }

    private func joinDense(in partial: String) throws -> Manifest.File {
        let vector = DenseVector(count: layout.count)
        var slots: [DenseVector] = []
        for shard in 0..<map.shards {
            let range = map.denseRange(ofShard: shard, count: layout.count)
            let path = partial + "/" + PartFile.denseName(shard, map.shards)
            let file = try SafetensorsFile(path: path)
            let weights = try file.column("weights", as: Float.self)
            let state = try file.column("slots", as: Float.self)
            guard weights.count == range.count, state.count % max(1, range.count) == 0 else {
                throw CheckpointError.damaged(path: path, "has \(weights.count) weights, expected \(range.count)")
            }
            let kinds = range.isEmpty ? slots.count : state.count / range.count
            while slots.count < kinds { slots.append(DenseVector(count: layout.count)) }
            for index in 0..<range.count { vector.base[range.lowerBound + index] = weights[index] }
            for kind in 0..<kinds {
                for index in 0..<range.count {
                    slots[kind].base[range.lowerBound + index] = state[kind * range.count + index]
                }
            }
        }
        let path = partial + "/dense.safetensors"
        var declarations = layout.entries.map {
            SafetensorsWriter.Declaration($0.name, .float32, [$0.slot.rows, $0.slot.columns])
        }
        for kind in slots.indices {
            declarations += layout.entries.map {
                .init("\($0.name).slot\(kind)", .float32, [$0.slot.rows, $0.slot.columns])
            }
        }
        let writer = try SafetensorsWriter(path: path, declarations)
        for part in [vector] + slots {
            for entry in layout.entries {
                try writer.write(
                    UnsafeBufferPointer(start: UnsafePointer(part[entry.slot].base), count: entry.slot.count))
            }
        }
        try writer.finish()
        try Files.sync(path)
        for shard in 0..<map.shards { unlink(partial + "/" + PartFile.denseName(shard, map.shards)) }
        let (bytes, checksum) = try Files.checksum(path)
        return Manifest.File(file: "dense.safetensors", bytes: bytes, checksum: checksum, partitions: [])
    }

    /// Removes what is neither the best, nor this one, nor among the newest.
    private func prune(keeping name: String) {
        let best = CheckpointReader.best(in: directory).map { ($0 as NSString).lastPathComponent }
        let others = CheckpointReader.all(in: directory).map { ($0 as NSString).lastPathComponent }
            .filter { $0 != best && $0 != name }
        for old in others.dropLast(keep - 1) { try? FileManager.default.removeItem(atPath: directory + "/" + old) }
    }
}
