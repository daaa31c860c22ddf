import Foundation
package import Parameters
import Telemetry
package import Tensors

/// A checkpoint on disk; every file is checked against the manifest when it is opened.
package final class CheckpointReader {
    /// Which checkpoint of a run is meant.
    package enum Choice: String, Sendable, CaseIterable {
        /// The state with the best validation metric, else the last.
        case best
        case last
    }

    /// What a job takes over of a state.
    package struct Takeover: Sendable, Equatable {
        /// Steps count from 1 again: the state is where another run begins.
        package var restartsSteps = false
        /// The optimizers begin afresh, with the state's weights.
        package var resetsOptimizer = false

        /// The whole state, to go on with its run.
        package init(restartsSteps: Bool = false, resetsOptimizer: Bool = false) {
            self.restartsSteps = restartsSteps
            self.resetsOptimizer = resetsOptimizer
        }

        /// The updates that the optimizers' state has had besides those that the job counts as steps.
        package func earlierUpdates(_ manifest: Manifest) -> Int {
            let counted = restartsSteps ? manifest.step : 0
            return resetsOptimizer ? counted - manifest.step : manifest.origin.earlierUpdates + counted
        }
    }

    package let path: String
    /// What it holds.
    package let manifest: Manifest
    /// Called now and then while files are read, with the bytes so far.
    package var progress: (Int) -> Void = { _ in }
    private var bytesRead = 0

    /// Opens a checkpoint directory, or one of the checkpoints of a run directory.
    package init(path: String, _ choice: Choice = .best) throws(CheckpointError) {
        let resolved = try CheckpointReader.resolve(path, choice)
        self.path = resolved
        manifest = try Manifest(directory: resolved)
    }

    /// Opens a checkpoint directory, which need not have a manifest: it is damaged then.
    package init(exactly path: String) throws(CheckpointError) {
        self.path = path
        do {
            manifest = try Manifest(directory: path)
        } catch .missing {
            throw .damaged(path: path + "/manifest.json", "is missing")
        }
    }

    private static func resolve(_ path: String, _ choice: Choice) throws(CheckpointError) -> String {
        if try isThere(path) { return path }
        for directory in [path + "/checkpoints", path] {
            if choice == .best, let found = try best(in: directory) { return found }
            if let found = try newest(in: directory) { return found }
        }
        return path
    }

    private static func isThere(_ path: String) throws(CheckpointError) -> Bool {
        try CheckpointError.of { () throws(SafetensorsError) in try Files.stamp(path + "/manifest.json") != nil }
    }

    /// The complete checkpoints of a directory, oldest first; none when there is no directory.
    package static func all(in directory: String) throws(CheckpointError) -> [String] {
        var found: [String] = []
        for path in try named(in: directory) where try isThere(path) { found.append(path) }
        return found
    }

    /// What has a checkpoint's name in a directory and holds anything, oldest first: one without a manifest has lost it.
    package static func begun(in directory: String) throws(CheckpointError) -> [String] {
        var found: [String] = []
        for path in try named(in: directory) where try !names(in: path).isEmpty { found.append(path) }
        return found
    }

    private static func named(in directory: String) throws(CheckpointError) -> [String] {
        try names(in: directory).compactMap { Manifest.step(of: $0) }.sorted()
            .map { directory + "/" + Manifest.directory(of: $0) }
    }

    private static func names(in directory: String) throws(CheckpointError) -> [String] {
        try CheckpointError.of { () throws(SafetensorsError) in try Files.names(in: directory) }
    }

    /// The newest complete checkpoint.
    package static func newest(in directory: String) throws(CheckpointError) -> String? { try all(in: directory).last }

    /// The checkpoint of the best state that the newest good one knows, if it was kept.
    package static func best(in directory: String) throws(CheckpointError) -> String? {
        let all = try all(in: directory)
        let newest = all.reversed().lazy.compactMap { try? Manifest(directory: $0) }.first
        guard let step = newest?.judgement.bestStep else { return nil }
        let path = directory + "/" + Manifest.directory(of: step)
        return all.contains(path) ? path : nil
    }

    private func open(_ file: Manifest.File) throws(CheckpointError) -> SafetensorsFile {
        let full = path + "/" + file.file
        return try CheckpointError.of { () throws(SafetensorsError) in
            let (stamp, checksum) = try Files.checksum(full) { progress(bytesRead + $0) }
            bytesRead += stamp.bytes
            guard stamp.bytes == file.bytes, checksum == file.checksum else {
                throw .file(path: full, "does not match the manifest (\(stamp.bytes) bytes, checksum \(checksum))")
            }
            return try SafetensorsFile(path: full)
        }
    }

    /// A part and the columns of each of its tables; the columns live as long as the file.
    private func load(_ part: Manifest.File) throws(CheckpointError) -> (file: SafetensorsFile, tables: [PartColumns]) {
        let file = try open(part)
        let tables = try CheckpointError.of { () throws(SafetensorsError) in
            try manifest.tables.enumerated().map { (index, info) throws(SafetensorsError) in
                try PartColumns(file, index, info, part, partitions: manifest.partitions, step: manifest.step)
            }
        }
        return (file, tables)
    }

    private func loadDense() throws(CheckpointError) -> SafetensorsFile {
        let file = try open(manifest.dense)
        for name in file.tensors.keys.sorted() where try !floats(file, name).allSatisfy(\.isFinite) {
            throw CheckpointError(.tensor(path: file.path, name: name, "has a number that is not finite"))
        }
        return file
    }

    private func floats(
        _ file: SafetensorsFile, _ name: String
    ) throws(CheckpointError) -> UnsafeBufferPointer<Float> {
        try CheckpointError.of { () throws(SafetensorsError) in try file.column(name) }
    }

    /// Reads every file and checks it, against the manifest and in itself.
    package func verify() throws(CheckpointError) {
        for part in manifest.parts { _ = try load(part) }
        _ = try loadDense()
    }

    // MARK: Restoring

    /// Throws unless a job with these parameters can take the state over.
    package func check(
        tables: [TableOptions], dense: DenseOptions, partitions: Int, layout: ParameterLayout, _ takeover: Takeover
    ) throws(CheckpointError) {
        func refuse(_ what: String) -> CheckpointError { .mismatch(path: path, what) }
        guard partitions == manifest.partitions else {
            throw refuse(
                "its rows are cut into \(manifest.partitions) partitions, this job's into \(partitions); set rows.partitions "
                    + "to \(manifest.partitions), as in the config that wrote it")
        }
        guard tables.count == manifest.tables.count else {
            throw refuse(
                "it has \(manifest.tables.count) tables, this job \(tables.count): it is of another model, take the config that wrote it"
            )
        }
        func check(_ what: String, _ key: String, _ written: String, _ wanted: String) throws(CheckpointError) {
            guard written != wanted, !takeover.resetsOptimizer else { return }
            throw refuse(
                "\(what) was trained with the optimizer \(written), this job's is \(wanted): take the same one "
                    + "(\(key)=\(written)), or the weights alone with --reset-optimizer")
        }
        for (table, info) in zip(tables, manifest.tables) {
            guard table.name == info.name, table.width == info.width else {
                throw refuse(
                    "table '\(info.name)' has rows of \(info.width) floats, this job's '\(table.name)' of \(table.width): it "
                        + "is of another model, take the config that wrote it")
            }
            try check(
                "table '\(info.name)'", "rows.optimizer.kind", info.optimizer, table.optimizer.kind.rawValue)
            guard takeover.resetsOptimizer || table.rowLayout.slots == info.slots else {
                throw .damaged(path: path + "/manifest.json", "has \(info.slots) floats of state in '\(info.name)'")
            }
        }
        try check(
            "the dense part", "dense.optimizer.kind", manifest.denseOptimizer, dense.optimizer.kind.rawValue)
        let file = try loadDense()
        for entry in layout.entries { _ = try column(file, entry, suffix: "") }
        let names = Set(file.tensors.keys.map { $0.replacing(#/\.slot[0-9]+$/#, with: "") })
        guard names == Set(layout.entries.map(\.name)) else {
            throw refuse(
                "it has other dense parameters than this job: it is of another model, take the config that wrote it")
        }
    }

    private func column(
        _ file: SafetensorsFile, _ entry: ParameterLayout.Entry, suffix: String
    ) throws(CheckpointError) -> UnsafeBufferPointer<Float> {
        let name = entry.name + suffix
        let wanted = [entry.slot.rows, entry.slot.columns]
        guard let shape = file.tensors[name]?.shape, shape == wanted else {
            let found = file.tensors[name].map { "of shape \($0.shape)" } ?? "missing"
            throw .mismatch(
                path: file.path,
                "'\(name)' is \(found), this job's has the shape \(wanted): it is of another model, take the config that wrote it"
            )
        }
        return try floats(file, name)
    }

    /// Fills a shard, however many there are now: its tables' partitions and its slice of the dense parameters.
    ///
    /// Everything is read and checked before the first row changes.
    package func restore(
        tables: [Table], dense: DenseSlice, partitions: [Int], layout: ParameterLayout,
        _ takeover: Takeover = Takeover()
    ) throws {
        try check(
            tables: tables.map(\.options), dense: dense.options, partitions: 1 << (tables.first?.partitionBits ?? 0),
            layout: layout, takeover)
        let wanted = Set(partitions)
        let parts = try manifest.parts.filter { $0.partitions.contains(where: wanted.contains) }.map {
            (part: $0, columns: try load($0))
        }
        let file = try loadDense()
        let weights = try vector(file, layout, suffix: "")
        let slots =
            try takeover.resetsOptimizer
            ? [] : (0..<dense.slotsPerWeight).map { try vector(file, layout, suffix: ".slot\($0)") }
        for (part, columns) in parts {
            for (table, columns) in zip(tables, columns.tables) {
                try restore(table, from: columns, part.partitions, wanted, takeover)
            }
        }
        dense.load(weights.base + dense.range.lowerBound)
        let count = dense.range.count
        for (kind, values) in slots.enumerated() {
            (dense.slots + kind * count).update(from: values.base + dense.range.lowerBound, count: count)
        }
        let earlier = takeover.earlierUpdates(manifest)
        dense.earlierUpdates = earlier
        for table in tables { table.earlierUpdates = earlier }
    }

    private func restore(
        _ table: Table, from columns: PartColumns, _ partitions: [Int], _ wanted: Set<Int>, _ takeover: Takeover
    ) throws {
        let rows = PartitionRows()
        for (place, partition) in partitions.enumerated() where wanted.contains(partition) {
            let range = columns.range(place)
            guard !range.isEmpty else { continue }
            func fill<T>(_ column: Column<T>, _ source: UnsafeBufferPointer<T>, _ width: Int) {
                column.resize(range.count * width)
                guard let base = source.baseAddress else { return }
                column.base.update(from: base + range.lowerBound * width, count: range.count * width)
            }
            fill(rows.ids, columns.ids, 1)
            fill(rows.weights, columns.weights, table.layout.width)
            fill(rows.counts, columns.counts, 1)
            if takeover.resetsOptimizer {
                table.fillFresh(rows)
            } else {
                fill(rows.slots, columns.slots, table.layout.slots)
            }
            if takeover.restartsSteps {
                rows.steps.fill(range.count, with: 0)
            } else {
                fill(rows.steps, columns.steps, 1)
            }
            try table.restore(partition: partition, from: rows)
        }
    }

    private func vector(
        _ file: SafetensorsFile, _ layout: ParameterLayout, suffix: String
    ) throws(CheckpointError) -> DenseVector {
        let vector = DenseVector(count: layout.count)
        for entry in layout.entries {
            let values = try column(file, entry, suffix: suffix)
            if let base = values.baseAddress { vector[entry.slot].base.update(from: base, count: values.count) }
        }
        return vector
    }

    // MARK: Content

    /// SHA-256 of what is in it: tables in order, rows by ascending id, then dense parameters and their state.
    ///
    /// It does not depend on how many servers and shards wrote it.
    package func contentDigest() throws(CheckpointError) -> String {
        var hash = SHA256()
        var parts: [(file: SafetensorsFile, tables: [PartColumns])] = []
        for part in manifest.parts { parts.append(try load(part)) }
        for (index, info) in manifest.tables.enumerated() {
            hash.update("\(info.name) \(info.width) \(info.slots)\n")
            var places: [(id: UInt64, part: Int, row: Int)] = []
            for (part, columns) in parts.enumerated() {
                let ids = columns.tables[index].ids
                for row in ids.indices { places.append((ids[row], part, row)) }
            }
            places.sort { $0.id < $1.id }
            for place in places {
                let columns = parts[place.part].tables[index]
                func add<T>(_ column: UnsafeBufferPointer<T>, _ width: Int) {
                    hash.update(
                        UnsafeRawBufferPointer(
                            UnsafeBufferPointer(rebasing: column[place.row * width..<(place.row + 1) * width])))
                }
                add(columns.ids, 1)
                add(columns.weights, info.width)
                if info.slots > 0 { add(columns.slots, info.slots) }
                add(columns.counts, 1)
                add(columns.steps, 1)
            }
        }
        let dense = try loadDense()
        for name in dense.tensors.keys.sorted() {
            hash.update(name + "\n")
            hash.update(UnsafeRawBufferPointer(try floats(dense, name)))
        }
        return hash.finish()
    }
}
