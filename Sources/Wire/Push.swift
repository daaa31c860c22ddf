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

/// How a push to be sent names its rows.
package enum PushKeyFrame {
    /// Exactly the list of its pull.
    case samePull
    /// Positions in the list of its pull, as u32.
    case positions(Payload)
    /// Ids, as u64.
    case ids(Payload)
}

/// A push:
/// `header | rows per table u32[tables] | nothing, positions u32[rows] or ids u64[rows] | samples u32[rows]
/// | gradients f32 | dense gradient f32[dense]`.
extension Message {
    /// A contribution: sums over the samples of one subtree.
    ///
    /// - Parameters:
    ///   - header: step, subtree, micro-batches, samples, `keyListHash` and request by the caller; the rest is set here.
    ///   - rowSamples: samples of the contribution that contain the row, as u32; 0 for a row that was only drawn.
    ///   - gradients: row gradients, tables in order, as f32.
    ///   - dense: gradient of the shard's slice as f32, or empty.
    package static func push(
        _ header: Header, tableCounts: Payload, keys: PushKeyFrame, rowSamples: Payload, gradients: Payload,
        dense: Payload
    ) -> Message {
        var header = header
        header.kind = .push
        header.flags = []
        header.tables = UInt8(tableCounts.count / 4)
        header.rows = UInt32(rowSamples.count / 4)
        header.dense = UInt32(dense.count / 4)
        let keyFrame: Payload
        switch keys {
        case .samePull:
            keyFrame = .empty
        case .positions(let payload):
            header.flags.insert(.positions)
            keyFrame = payload
        case .ids(let payload):
            header.flags.insert(.keys)
            keyFrame = payload
        }
        return Message(header, [tableCounts, keyFrame, rowSamples, gradients, dense])
    }

    /// The acknowledgement of a push: a header alone.
    package static func pushed(to request: Header, from sender: Header) -> Message {
        Message(request.reply(.pushed, from: sender))
    }
}

/// A push that was checked as a whole; its pointers live as long as the message and until the scratch is used again.
@safe
package struct PushView {
    /// The header.
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
        try message.expect(.push, frames: 5)
        try message.allow([.keys, .positions])
        let header = message.header
        guard !header.flags.isSuperset(of: [.keys, .positions]) else {
            throw .flags(found: header.flags.rawValue, kind: .push)
        }
        try check(.push, "samples", Int(header.samples), limit: limits.samples)
        try message.checkSubtree(required: true)
        tables = try message.tableRows(0, widths: tableWidths, limits: limits)
        if header.dense != 0 { try check(.push, "dense floats", Int(header.dense), is: dense) }
        let rows = Int(header.rows)
        let keyBytes = header.flags.contains(.keys) ? 8 : header.flags.contains(.positions) ? 4 : 0
        let keyFrame = try message.frame(1, "keys", rows, stride: keyBytes, limits: limits)
        let samples = try message.frame(2, "row samples", rows, stride: 4, limits: limits)
        let gradients = try message.frame(3, "gradients", tables.floatCount, stride: 4, limits: limits)
        let slice = try message.frame(4, "dense gradient", Int(header.dense), stride: 4, limits: limits)
        switch keyBytes {
        case 8: keys = unsafe .ids(scratch.aligned(keyFrame, slot: 1, as: UInt64.self))
        case 4: keys = unsafe .positions(scratch.aligned(keyFrame, slot: 1, as: UInt32.self))
        default: keys = .samePull
        }
        unsafe rowSamples = scratch.aligned(samples, slot: 2, as: UInt32.self)
        unsafe try Self.checkSamples(rowSamples, limit: header.samples)
        unsafe self.gradients = scratch.aligned(gradients, slot: 3, as: Float.self)
        unsafe self.dense = scratch.aligned(slice, slot: 4, as: Float.self)
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
