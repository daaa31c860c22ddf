import Foundation
import Hashing
package import Parameters
import Safetensors
package import Tensors

/// A checkpoint on disk; every file is checked against the manifest when it is opened.
package final class CheckpointReader {
    /// Its directory.
    package let path: String
    /// What it holds.
    package let manifest: Manifest

    /// Opens a checkpoint directory, or the best (else the newest) checkpoint of a run directory.
    package init(path: String) throws(CheckpointError) {
        let resolved = CheckpointReader.resolve(path)
        self.path = resolved
        manifest = try Manifest(directory: resolved)
    }

    private static func resolve(_ path: String) -> String {
        if FileManager.default.fileExists(atPath: path + "/manifest.json") { return path }
        for directory in [path + "/checkpoints", path] {
            if let found = best(in: directory) ?? newest(in: directory) { return found }
        }
        return path
    }

    /// The complete checkpoints of a directory, oldest first.
    package static func all(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasPrefix("step-") && !$0.hasSuffix(".partial") }.sorted()
            .map { directory + "/" + $0 }
            .filter { FileManager.default.fileExists(atPath: $0 + "/manifest.json") }
    }

    /// The newest complete checkpoint.
    package static func newest(in directory: String) -> String? { all(in: directory).last }

    /// The checkpoint of the best state, where one was noted.
    package static func best(in directory: String) -> String? {
        guard let name = try? String(contentsOfFile: directory + "/best", encoding: .utf8) else { return nil }
        let path = directory + "/" + name
        return FileManager.default.fileExists(atPath: path + "/manifest.json") ? path : nil
    }

    private func open(_ file: Manifest.File) throws -> SafetensorsFile {
        let full = path + "/" + file.file
        let (bytes, checksum) = try Files.checksum(full)
        guard bytes == file.bytes, checksum == file.checksum else {
            throw CheckpointError.damaged(
                path: full, "does not match the manifest (\(bytes) bytes, checksum \(checksum))")
        }
        return try SafetensorsFile(path: full)
    }

    /// Reads every file and compares it with the manifest.
    package func verify() throws {
        for file in manifest.parts + [manifest.dense] { _ = try open(file) }
    }

    // MARK: Restoring

    /// Fills a shard, however many there are now: its tables' partitions and its slice of the dense parameters.
    package func restore(tables: [Table], dense: DenseSlice, partitions: [Int], layout: ParameterLayout) throws {
        for (table, info) in zip(tables, manifest.tables) {
            guard table.options.name == info.name, table.layout.width == info.width, table.layout.slots == info.slots
            else {
                throw CheckpointError.mismatch(
                    path: path,
                    "table '\(info.name)' has rows of \(info.width) + \(info.slots) floats; this job's "
                        + "'\(table.options.name)' has \(table.layout.width) + \(table.layout.slots)")
            }
        }
        if let table = tables.first, manifest.partitions != 1 << table.partitionBits {
            throw CheckpointError.mismatch(
                path: path,
                "its rows are cut into \(manifest.partitions) partitions, this job's into \(1 << table.partitionBits); set "
                    + "rows.partitions to \(manifest.partitions)")
        }
        guard tables.count == manifest.tables.count else {
            throw CheckpointError.mismatch(
                path: path, "it has \(manifest.tables.count) tables, this job \(tables.count)")
        }
        let wanted = Set(partitions)
        for part in manifest.parts where part.partitions.contains(where: wanted.contains) {
            let file = try open(part)
            for table in tables { try restore(table, from: file, wanted) }
        }
        try restore(dense, layout)
    }

    private func restore(_ table: Table, from file: SafetensorsFile, _ wanted: Set<Int>) throws {
        let name = table.options.name
        let columns = try PartColumns(file, name, table.layout)
        let rows = PartitionRows()
        for (index, partition) in columns.partitions.enumerated() where wanted.contains(Int(partition)) {
            let range = columns.range(index)
            guard !range.isEmpty else { continue }
            func fill<T>(_ column: Column<T>, _ source: UnsafeBufferPointer<T>, _ width: Int) {
                column.resize(range.count * width)
                guard let base = source.baseAddress else { return }
                column.base.update(from: base + range.lowerBound * width, count: range.count * width)
            }
            fill(rows.ids, columns.ids, 1)
            fill(rows.weights, columns.weights, table.layout.width)
            fill(rows.slots, columns.slots, table.layout.slots)
            fill(rows.counts, columns.counts, 1)
            fill(rows.steps, columns.steps, 1)
            try table.restore(partition: Int(partition), from: rows)
        }
    }

    private func restore(_ dense: DenseSlice, _ layout: ParameterLayout) throws {
        let file = try open(manifest.dense)
        let vector = try vector(file, layout, suffix: "")
        dense.load(vector.base + dense.range.lowerBound)
        for kind in 0..<dense.slotsPerWeight {
            let slots = try self.vector(file, layout, suffix: ".slot\(kind)")
            let count = dense.range.count
            (dense.slots + kind * count).update(from: slots.base + dense.range.lowerBound, count: count)
        }
    }

    private func vector(_ file: SafetensorsFile, _ layout: ParameterLayout, suffix: String) throws -> DenseVector {
        let vector = DenseVector(count: layout.count)
        for entry in layout.entries {
            let values = try file.column(entry.name + suffix, as: Float.self)
            guard values.count == entry.slot.count else {
                throw CheckpointError.mismatch(
                    path: file.path, "'\(entry.name)' has \(values.count) floats, this job's \(entry.slot.count)")
            }
            if let base = values.baseAddress { vector[entry.slot].base.update(from: base, count: values.count) }
        }
        return vector
    }

    // MARK: Content

    /// SHA-256 of what is in it: tables in order, rows by ascending id, then dense parameters and their state.
    ///
    /// It does not depend on how many servers and shards wrote it.
    package func contentDigest() throws -> String {
        var hash = SHA256()
        let files = try manifest.parts.map { try open($0) }
        for info in manifest.tables {
            hash.update("\(info.name) \(info.width) \(info.slots)\n")
            let parts = try files.map {
                try PartColumns($0, info.name, RowLayout(width: info.width, slots: info.slots))
            }
            var places: [(id: UInt64, part: Int, row: Int)] = []
            for (part, columns) in parts.enumerated() {
                for row in 0..<columns.ids.count { places.append((columns.ids[row], part, row)) }
            }
            places.sort { $0.id < $1.id }
            for place in places {
                let columns = parts[place.part]
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
        let dense = try open(manifest.dense)
        for name in dense.tensors.keys.sorted() {
            hash.update(name + "\n")
            hash.update(UnsafeRawBufferPointer(try dense.column(name, as: Float.self)))
        }
        return hash.finish()
    }
}

/// The columns of one table in a part, their lengths checked.
private struct PartColumns {
    let partitions: UnsafeBufferPointer<Int64>
    let ids: UnsafeBufferPointer<UInt64>
    let weights: UnsafeBufferPointer<Float>
    let slots: UnsafeBufferPointer<Float>
    let counts: UnsafeBufferPointer<UInt32>
    let steps: UnsafeBufferPointer<UInt32>
    private let offsets: UnsafeBufferPointer<Int64>

    init(_ file: SafetensorsFile, _ name: String, _ layout: RowLayout) throws {
        partitions = try file.column(name + ".partitions", as: Int64.self)
        offsets = try file.column(name + ".offsets", as: Int64.self)
        ids = try file.column(name + ".ids", as: UInt64.self)
        weights = try file.column(name + ".weights", as: Float.self)
        slots = try file.column(name + ".slots", as: Float.self)
        counts = try file.column(name + ".counts", as: UInt32.self)
        steps = try file.column(name + ".steps", as: UInt32.self)
        let count = ids.count
        let areLong = weights.count == count * layout.width && slots.count == count * layout.slots
        let areOrdered = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
        guard areLong, counts.count == count, steps.count == count, offsets.count == partitions.count + 1, areOrdered,
            offsets.first == 0, offsets.last == Int64(count)
        else { throw CheckpointError.damaged(path: file.path, "table '\(name)' has columns of different lengths") }
    }

    func range(_ index: Int) -> Range<Int> { Int(offsets[index])..<Int(offsets[index + 1]) }
}
