/// How a push names its rows.
@safe
package enum PushKeys {
    /// Exactly the list of its pull (`keyListHash`).
    case samePull
    /// Positions in the list of its pull, strictly ascending within a table [rows].
    case positions(UnsafeBufferPointer<UInt32>)
    /// Ids [rows].
    case ids(UnsafeBufferPointer<UInt64>)
}

/// A push:
/// `header | rows per table u32[tables] | nothing, positions u32[rows] or ids u64[rows] | samples u32[rows]
/// | gradients f32 | dense gradient f32[dense]`.
extension Message {
    /// A contribution: sums over the samples of one subtree.
    ///
    /// - Parameters:
    ///   - header: step, subtree, micro-batches, samples, `keyListHash` and request by the caller; the rest is set here.
    ///   - ids: of its rows, as u64, where they are not those of its pull.
    ///   - positions: of its rows in the list of its pull, as u32, where it has not all of them.
    ///   - rowSamples: samples of the contribution that contain the row, as u32; 0 for a row that was only drawn.
    ///   - gradients: row gradients, tables in order, as f32.
    ///   - dense: gradient of the shard's slice as f32, or empty.
    package static func push(
        _ header: Header, tableCounts: Payload, ids: Payload? = nil, positions: Payload? = nil, rowSamples: Payload,
        gradients: Payload, dense: Payload
    ) -> Message {
        var header = header
        header.kind = .push
        header.flags = ids != nil ? .keys : positions != nil ? .positions : []
        header.tables = UInt8(tableCounts.count / 4)
        header.rows = UInt32(rowSamples.count / 4)
        header.dense = UInt32(dense.count / 4)
        return Message(header, [tableCounts, ids ?? positions ?? .empty, rowSamples, gradients, dense])
    }

    /// The acknowledgement of a push: a header alone.
    package static func pushed(to request: Header, from sender: Header) -> Message {
        Message(request.reply(.pushed, from: sender))
    }
}

/// A push that was checked as a whole; its pointers live as long as the message and until the scratch is used again.
@safe
package struct PushView {
    package let header: Header
    /// Per schema table, where its rows stand.
    package let tables: [TableRows]
    /// Which rows.
    package let keys: PushKeys
    /// Samples of the contribution that contain the row [rows], each in 1…`header.samples`.
    package let rowSamples: UnsafeBufferPointer<UInt32>
    /// Gradients of all tables in order.
    package let gradients: UnsafeBufferPointer<Float>
    /// Gradient of the dense slice.
    package let dense: UnsafeBufferPointer<Float>
    private let message: Message

    /// Checks everything that the message alone can tell; `checkRows` checks the rest against its pull.
    ///
    /// - Parameter dense: floats of the shard's slice; a push carries all of it or nothing.
    package init(
        decoding message: Message, limits: Limits, tableWidths: [Int], dense: Int, scratch: Scratch
    ) throws(WireError) {
        try message.expect(.push, frames: 5, flags: [.keys, .positions])
        let header = message.header
        guard !header.flags.isSuperset(of: [.keys, .positions]) else {
            throw .flags(found: header.flags.rawValue, kind: .push)
        }
        try check(.push, "samples", Int(header.samples), limit: limits.samples)
        try message.checkSubtree(required: true)
        tables = try message.tableRows(0, widths: tableWidths, limits: limits)
        if header.dense != 0 { try check(.push, "dense floats", Int(header.dense), is: dense) }
        let rows = Int(header.rows)
        func elements<T: BitwiseCopyable>(
            _ index: Int, _ name: String, _ count: Int
        ) throws(WireError) -> UnsafeBufferPointer<T> {
            unsafe try message.elements(index, name, count, limits: limits, scratch: scratch)
        }
        if header.flags.contains(.keys) {
            keys = unsafe .ids(try elements(1, "keys", rows))
        } else if header.flags.contains(.positions) {
            keys = unsafe .positions(try elements(1, "keys", rows))
        } else {
            _ = try message.frame(1, "keys", 0, stride: 0, limits: limits)
            keys = .samePull
        }
        unsafe rowSamples = try elements(2, "row samples", rows)
        unsafe try Self.checkSamples(rowSamples, limit: header.samples)
        unsafe gradients = try elements(3, "gradients", tables.floatCount)
        unsafe self.dense = try elements(4, "dense gradient", Int(header.dense))
        self.header = header
        self.message = message
    }

    /// Nothing unless a row is in more samples than there are.
    private static func checkSamples(_ samples: UnsafeBufferPointer<UInt32>, limit: UInt32) throws(WireError) {
        var high: UInt32 = 0
        for i in samples.indices { high = max(high, unsafe samples[i]) }
        guard high > limit else { return }
        let index = unsafe samples.firstIndex { $0 > limit } ?? 0
        throw unsafe .element(
            .push, what: "samples of row", index: index, found: Int(samples[index]), allowed: 0...Int(limit))
    }

    /// Checks the rows against the list of its pull: the same counts, or positions that ascend within each table.
    ///
    /// - Parameter pulled: `PullView.tables` of the pull that `keyListHash` names.
    package func checkRows(against pulled: [TableRows]) throws(WireError) {
        switch keys {
        case .ids:
            return
        case .samePull:
            for (table, list) in zip(tables, pulled) {
                try check(.push, "rows of a table of its pull", table.rows, is: list.rows)
            }
        case .positions(let positions):
            for (table, list) in zip(tables, pulled) {
                var next = list.firstRow
                for row in table.range {
                    let position = Int(unsafe positions[row])
                    guard position >= next, position < list.firstRow + list.rows else {
                        throw .element(
                            .push, what: "position", index: row, found: position,
                            allowed: list.firstRow...max(list.firstRow, list.firstRow + list.rows - 1))
                    }
                    next = position + 1
                }
            }
        }
    }
}
