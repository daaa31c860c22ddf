import Foundation
package import Parameters
package import Telemetry
package import Tensors
package import Wire

/// Makes a checkpoint of the parts that the shards have written: joins the dense slices, writes the manifest, renames.
package struct CheckpointWriter: Sendable {
    private let directory: String
    private let layout: ParameterLayout
    private let tables: [TableOptions]
    private let dense: DenseOptions
    private let map: PartitionMap
    private let origin: Manifest.Origin
    private let config: String
    private let keep: Int

    /// - Parameters:
    ///   - directory: holds the checkpoints of a run.
    ///   - origin: which run it is, on what.
    ///   - keep: how many are kept besides the best.
    package init(
        directory: String, layout: ParameterLayout, tables: [TableOptions], dense: DenseOptions, map: PartitionMap,
        origin: Manifest.Origin, config: String, keep: Int
    ) {
        self.directory = directory
        self.layout = layout
        self.tables = tables
        self.dense = dense
        self.map = map
        self.origin = origin
        self.config = config
        self.keep = keep
    }

    /// Commits the state after a step and returns its path; for one thread at a time, whichever.
    ///
    /// A kill at any moment leaves every checkpoint that has a name whole.
    ///
    /// - Parameters:
    ///   - parts: what the shards say that they have written; checked, as all that nodes say.
    ///   - judgement: what is known of evaluations, this state's included.
    package func commit(step: Int, parts: [SnapshotDone], judgement: Judgement) throws -> String {
        let final = "\(directory)/\(Manifest.directory(of: step))"
        let partial = final + Files.unfinished
        let files = try check(parts, of: step, in: partial)
        let dense = try joinDense(in: partial)
        let infos = tables.enumerated().map { index, table in
            let layout = table.rowLayout
            return Manifest.TableInfo(
                name: table.name, width: layout.width, slots: layout.slots, optimizer: table.optimizer.kind.rawValue,
                rows: files.reduce(0) { $0 + $1.rows[index] })
        }
        let manifest = Manifest(
            origin: origin, step: step, partitions: map.partitions, tables: infos, parts: files, dense: dense,
            denseOptimizer: self.dense.optimizer.kind.rawValue, config: config, judgement: judgement)
        if let problem = manifest.problem { throw CheckpointError.write(path: final, "its manifest \(problem)") }
        do {
            try Files.replace(partial + "/manifest.json", with: try manifest.encoded())
            try Files.sync(partial)
            try Files.removeDirectory(final)
            try Files.move(partial, to: final)
            try Files.sync(directory)
        } catch let error as SafetensorsError {
            throw CheckpointError.write(path: final, "\(error)")
        }
        // What cannot be removed now is removed after the next one.
        try? prune(keeping: [step, judgement.bestStep])
        return final
    }

    /// Removes what there is of a checkpoint that could not be written.
    package func discard(step: Int) {
        try? FileManager.default.removeItem(
            atPath: "\(directory)/\(Manifest.directory(of: step))\(Files.unfinished)")
    }

    /// The files of the parts, if each shard has written its own, and the bytes that it says.
    private func check(_ parts: [SnapshotDone], of step: Int, in partial: String) throws -> [Manifest.File] {
        guard parts.map(\.shard) == Array(0..<map.shards) else {
            throw CheckpointError.write(path: partial, "it has parts of shards \(parts.map(\.shard))")
        }
        return try parts.map { part in
            let name = PartFile.name(part.shard, map.shards)
            let path = partial + "/" + name
            guard part.step == step, part.file == name, part.partitions == Array(map.partitions(ofShard: part.shard)),
                part.tables.map(\.name) == tables.map(\.name),
                part.tables.allSatisfy({ (0...Manifest.most).contains($0.rows) }),
                part.tables.reduce(0, { $0 + $1.rows }) == part.rows,
                part.checksum.utf8.count <= 16, UInt64(part.checksum, radix: 16) != nil
            else { throw CheckpointError.write(path: path, "what shard \(part.shard) says of its part does not fit") }
            let bytes = try Files.stamp(path)?.bytes
            guard bytes == part.bytes else {
                throw CheckpointError.write(
                    path: path,
                    "shard \(part.shard) says that it has \(part.bytes) bytes, here it has "
                        + (bytes.map { "\($0)" } ?? "none: is the run's directory on a shared file system?"))
            }
            return Manifest.File(
                file: name, bytes: part.bytes, checksum: part.checksum, partitions: part.partitions,
                rows: part.tables.map(\.rows))
        }
    }

    private func joinDense(in partial: String) throws -> Manifest.File {
        var vectors = [DenseVector(count: layout.count)]
        for shard in 0..<map.shards {
            let range = map.denseRange(ofShard: shard, count: layout.count)
            let path = partial + "/" + PartFile.denseName(shard, map.shards)
            let file = try SafetensorsFile(path: path)
            let weights = try file.column("weights", as: Float.self)
            let state = try file.column("slots", as: Float.self)
            guard weights.count == range.count, state.count % max(1, range.count) == 0 else {
                throw CheckpointError.damaged(path: path, "has \(weights.count) weights, expected \(range.count)")
            }
            let starts = range.isEmpty ? [] : Array(stride(from: 0, to: state.count, by: range.count))
            let parts = [weights] + starts.map { UnsafeBufferPointer(rebasing: state[$0..<$0 + range.count]) }
            while vectors.count < parts.count { vectors.append(DenseVector(count: layout.count)) }
            for (vector, part) in zip(vectors, parts) {
                for index in part.indices { vector.base[range.lowerBound + index] = part[index] }
            }
        }
        let path = partial + "/dense.safetensors"
        let suffixes = [""] + vectors.indices.dropLast().map { ".slot\($0)" }
        let writer = try SafetensorsWriter(
            path: path,
            suffixes.flatMap { suffix in
                layout.entries.map { .init($0.name + suffix, .float32, [$0.slot.rows, $0.slot.columns]) }
            })
        for vector in vectors {
            for entry in layout.entries {
                try writer.write(
                    UnsafeBufferPointer(start: UnsafePointer(vector[entry.slot].base), count: entry.slot.count))
            }
        }
        try writer.finish()
        for shard in 0..<map.shards { unlink(partial + "/" + PartFile.denseName(shard, map.shards)) }
        let (stamp, checksum) = try Files.checksum(path)
        return Manifest.File(file: "dense.safetensors", bytes: stamp.bytes, checksum: checksum)
    }

    /// Removes what is neither of these states nor among the newest.
    private func prune(keeping kept: [Int?]) throws {
        let names = Set(kept.compactMap { $0.map { Manifest.directory(of: $0) } })
        let others = try CheckpointReader.all(in: directory).filter {
            !names.contains(($0 as NSString).lastPathComponent)
        }
        for old in others.dropLast(keep - 1) { try Files.removeDirectory(old) }
    }
}
