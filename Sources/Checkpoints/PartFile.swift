import Foundation
package import Parameters
import Tensors
package import Wire

/// A shard's part of a checkpoint: the rows of its partitions, ascending by id within each, and its dense slice apart.
///
/// `<table>.ids` U64 [n], `.weights` F32 [n × width], `.slots` F32 [n × slots], `.counts` and `.steps` U32 [n], and for
/// the owned partitions `.partitions` I64 [P] with `.offsets` I64 [P + 1].
package enum PartFile {
    /// Writes and syncs both files; the state must not change meanwhile.
    package static func write(
        tables: [Table], dense: DenseSlice, partitions: [Int], shard: Int, shards: Int, step: Int, checkpoints: String
    ) throws -> SnapshotDone {
        let directory = "\(checkpoints)/\(Manifest.directory(of: step))\(Files.unfinished)"
        try Files.makeDirectory(directory)
        let name = name(shard, shards)
        let path = directory + "/" + name
        let offsets = tables.map { table in
            partitions.reduce(into: [Int64(0)]) { $0.append($0[$0.count - 1] + Int64(table.rowCount(of: $1))) }
        }
        let counts = offsets.map { Int($0[$0.count - 1]) }
        let writer = try SafetensorsWriter(
            path: path, declarations(tables, partitions.count, counts), metadata: ["step": String(step)])
        for table in offsets {
            try writer.write(partitions.map(Int64.init))
            try writer.write(table)
        }
        let rows = PartitionRows()
        // One tensor after the other: each pass exports the partitions again, so that memory stays that of one.
        for (index, table) in tables.enumerated() where counts[index] > 0 {
            try each(table, partitions, rows) { try writer.write(UnsafeBufferPointer($0.ids.buffer)) }
        }
        for (index, table) in tables.enumerated() where counts[index] > 0 {
            try each(table, partitions, rows) { try writer.write(UnsafeBufferPointer($0.weights.buffer)) }
            try each(table, partitions, rows) { try writer.write(UnsafeBufferPointer($0.slots.buffer)) }
            try each(table, partitions, rows) { try writer.write(UnsafeBufferPointer($0.counts.buffer)) }
            try each(table, partitions, rows) { try writer.write(UnsafeBufferPointer($0.steps.buffer)) }
        }
        try writer.finish()
        try write(dense, to: directory + "/" + denseName(shard, shards))
        let (stamp, checksum) = try Files.checksum(path)
        return SnapshotDone(
            step: step, shard: shard, file: name, rows: counts.reduce(0, +), bytes: stamp.bytes, checksum: checksum,
            partitions: partitions, tables: zip(tables, counts).map { TableSize(name: $0.options.name, rows: $1) })
    }

    /// The file of a shard's rows.
    static func name(_ shard: Int, _ shards: Int) -> String { "shard-\(shard)-of-\(shards).safetensors" }

    private static func declarations(
        _ tables: [Table], _ partitions: Int, _ counts: [Int]
    ) -> [SafetensorsWriter.Declaration] {
        var all: [SafetensorsWriter.Declaration] = []
        for table in tables {
            all.append(.init(table.options.name + ".partitions", .int64, [partitions]))
            all.append(.init(table.options.name + ".offsets", .int64, [partitions + 1]))
        }
        for (table, count) in zip(tables, counts) { all.append(.init(table.options.name + ".ids", .uint64, [count])) }
        for (table, count) in zip(tables, counts) {
            let (name, layout) = (table.options.name, table.layout)
            all.append(.init(name + ".weights", .float32, [count, layout.width]))
            all.append(.init(name + ".slots", .float32, [count, layout.slots]))
            all.append(.init(name + ".counts", .uint32, [count]))
            all.append(.init(name + ".steps", .uint32, [count]))
        }
        return all
    }

    private static func each(
        _ table: Table, _ partitions: [Int], _ rows: PartitionRows, _ body: (PartitionRows) throws -> Void
    ) throws {
        for partition in partitions where table.rowCount(of: partition) > 0 {
            try table.export(partition: partition, into: rows)
            try body(rows)
        }
    }

    // MARK: Dense slice

    /// The file of a shard's dense slice, which the commit joins with the others and removes.
    static func denseName(_ shard: Int, _ shards: Int) -> String { "dense-\(shard)-of-\(shards).safetensors" }

    private static func write(_ dense: DenseSlice, to path: String) throws {
        try dense.checkFinite()
        let count = dense.range.count
        let writer = try SafetensorsWriter(
            path: path, [.init("weights", .float32, [count]), .init("slots", .float32, [dense.slotsPerWeight, count])])
        try writer.write(UnsafeBufferPointer(start: UnsafePointer(dense.weights), count: count))
        try writer.write(UnsafeBufferPointer(start: UnsafePointer(dense.slots), count: dense.slotsPerWeight * count))
        try writer.finish()
    }
}
