/// A pull: `header | rows per table u32[tables] | ids u64[rows]`, all tables in the schema's order.
extension Message {
    /// A pull of rows, and of `dense` floats of the shard's slice (all of it, or 0 for none).
    ///
    /// - Parameters:
    ///   - header: its `kind`, counts and `keyListHash` are set here; step, subtree and request by the caller.
    ///   - tableCounts: rows a table, as u32.
    ///   - ids: distinct ids a table, tables in order, as u64.
    package static func pull(
        _ header: Header, tableCounts: Payload, ids: Payload, dense: Int, evaluation: Bool = false
    ) -> Message {
        Message([tableCounts, ids]) { digest in
            var header = header
            header.kind = .pull
            header.flags = evaluation ? .evaluation : []
            header.tables = UInt8(tableCounts.count / 4)
            header.rows = UInt32(ids.count / 8)
            header.dense = UInt32(dense)
            header.keyListHash = digest
            return header
        }
    }
}

/// A pull that was checked as a whole; its pointers live as long as the message and until the scratch is used again.
@safe
package struct PullView {
    package let header: Header
    /// Per schema table, where its rows stand.
    package let tables: [TableRows]
    /// Ids of all tables in order [rows].
    package let ids: UnsafeBufferPointer<UInt64>
    private let message: Message

    /// Checks everything but the key list's hash.
    ///
    /// - Parameter tableWidths: floats a row, per schema table.
    package init(
        decoding message: Message, limits: Limits, tableWidths: [Int], scratch: Scratch
    ) throws(WireError) {
        try message.expect(.pull, frames: 2, flags: .evaluation)
        let header = message.header
        tables = try message.tableRows(0, widths: tableWidths, limits: limits)
        try check(.pull, "samples", Int(header.samples), limit: limits.samples)
        try check(.pull, "dense floats", Int(header.dense), limit: limits.dense)
        try check(.pull, "bytes in its answer", tables.floatCount * 4, limit: limits.frameBytes)
        try message.checkSubtree(required: false)
        unsafe ids = try message.elements(1, "ids", Int(header.rows), limits: limits, scratch: scratch)
        self.header = header
        self.message = message
    }

    /// Whether the header's hash is that of the list: the shard asks before it keeps the list under that name.
    package var isKeyListIntact: Bool { header.keyListHash == message.digest }
}
