/// A shard writes its state after `step` as soon as it has it.
package struct SnapshotRequest: Checked, Sendable, Equatable {
    /// Steps applied in the state to be written.
    package var step: Int
    /// Where to write; exists already.
    package var directory: String
    /// Nothing follows it.
    package var final: Bool

    package init(step: Int, directory: String, final: Bool) {
        self.step = step
        self.directory = directory
        self.final = final
    }

    var fault: String? { beyond(step: step) ?? (directory.isEmpty ? "no directory" : nil) }
}

/// A shard has written and synced its file.
package struct SnapshotDone: Checked, Sendable, Equatable {
    /// Steps applied.
    package var step: Int
    package var shard: Int
    /// File name within the directory.
    package var file: String
    package var rows: Int
    /// Length of the file.
    package var bytes: Int
    /// Checksum of the file as the manifest states it.
    package var checksum: String
    package var partitions: [Int]
    package var tables: [TableSize]

    package init(
        step: Int, shard: Int, file: String, rows: Int, bytes: Int, checksum: String, partitions: [Int],
        tables: [TableSize]
    ) {
        self.step = step
        self.shard = shard
        self.file = file
        self.rows = rows
        self.bytes = bytes
        self.checksum = checksum
        self.partitions = partitions
        self.tables = tables
    }

    var fault: String? {
        beyond(step: step) ?? beyond(shard: shard)
            ?? (file.contains("/") || ["", ".", ".."].contains(file) ? "'\(file)' is no name of a file" : nil)
            ?? many("partitions", partitions.count, mostRanks + 1)
            ?? partitions.lazy.compactMap { beyond("partition", $0, 0...mostRanks) }.first
            ?? many("tables", tables.count, Limits().tables)
    }
}

/// Rows of one table in a snapshot.
package struct TableSize: Codable, Sendable, Equatable {
    /// The table.
    package var name: String
    /// Rows of all partitions of the file.
    package var rows: Int

    package init(name: String, rows: Int) {
        self.name = name
        self.rows = rows
    }
}
