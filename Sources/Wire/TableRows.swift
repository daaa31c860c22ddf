/// Where one table's rows stand in a message's list of rows and in its frame of values.
package struct TableRows: Equatable, Sendable {
    /// First row in the list of all tables.
    package let firstRow: Int
    package let rows: Int
    /// Floats a row.
    package let width: Int
    /// First float in the frame of values.
    package let firstFloat: Int

    /// The rows in the list.
    package var range: Range<Int> { firstRow..<firstRow + rows }

    /// The tables one behind the other; `counts` and `widths` have the same length.
    package static func laidOut(counts: [Int], widths: [Int]) -> [TableRows] {
        precondition(counts.count == widths.count, "one count and one width a table")
        var row = 0
        var float = 0
        return zip(counts, widths).map { count, width in
            defer {
                row += count
                float += count * width
            }
            return TableRows(firstRow: row, rows: count, width: width, firstFloat: float)
        }
    }
}

extension [TableRows] {
    /// Rows of all tables.
    package var rowCount: Int { last.map { $0.firstRow + $0.rows } ?? 0 }
    /// Floats of all tables.
    package var floatCount: Int { last.map { $0.firstFloat + $0.rows * $0.width } ?? 0 }
}

extension Message {
    /// The per-table counts of frame `index`, checked against the header, the schema's widths and the limits.
    func tableRows(_ index: Int, widths: [Int], limits: Limits) throws(WireError) -> [TableRows] {
        let kind = header.kind
        try check(kind, "tables", Int(header.tables), limit: limits.tables)
        try check(kind, "tables", Int(header.tables), is: widths.count)
        try check(kind, "rows", Int(header.rows), limit: limits.rows)
        let payload = try frame(index, "table counts", widths.count, stride: 4, limits: limits)
        var counts: [Int] = []
        counts.reserveCapacity(widths.count)
        var sum = 0
        for table in widths.indices {
            let count = Int(unsafe payload.bytes.loadUnaligned(fromByteOffset: table * 4, as: UInt32.self))
            // At most 255 counts below 2^32: the sum stays within 40 bits.
            sum += count
            counts.append(count)
        }
        try check(kind, "rows in its table counts", sum, is: Int(header.rows))
        // Rows and widths are within their limits now (2^22 and 2^12), so their product is.
        return TableRows.laidOut(counts: counts, widths: widths)
    }
}
