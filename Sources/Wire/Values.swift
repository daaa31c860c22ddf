/// The answer to a pull: `header | values f32 | dense f32[dense]`, rows in the order of the pull, tables in order.
extension Message {
    /// The values of a pull's rows.
    ///
    /// - Parameters:
    ///   - request: the pull's header.
    ///   - sender: a header that says who answers.
    ///   - values: the rows as f32.
    ///   - dense: the shard's slice as f32, or empty.
    package static func values(
        to request: Header, from sender: Header, values: Payload, dense: Payload
    ) -> Message {
        var header = request.reply(.values, from: sender)
        header.rows = request.rows
        header.dense = UInt32(dense.count / 4)
        return Message(header, [values, dense])
    }
}

/// Values that were checked as a whole; its pointers live as long as the message and until the scratch is used again.
@safe
package struct ValuesView {
    /// Rows of all tables in the pull's order, `TableRows.firstFloat` says where a table starts.
    package let values: UnsafeBufferPointer<Float>
    /// The dense slice.
    package let dense: UnsafeBufferPointer<Float>
    private let message: Message

    /// Checks everything against what was asked for.
    package init(
        decoding message: Message, expecting tables: [TableRows], dense: Int, limits: Limits, scratch: Scratch
    ) throws(WireError) {
        try message.expect(.values, frames: 2)
        let header = message.header
        try check(.values, "rows", Int(header.rows), is: tables.rowCount)
        try check(.values, "dense floats", Int(header.dense), is: dense)
        unsafe values = try message.elements(0, "values", tables.floatCount, limits: limits, scratch: scratch)
        unsafe self.dense = try message.elements(1, "dense", dense, limits: limits, scratch: scratch)
        self.message = message
    }
}
