import Testing

@testable import Wire

@Suite struct PushRowsTests {
    /// A push of two rows of the first table and one of the second.
    private func view(_ positions: [UInt32], _ scratch: Scratch) throws -> PushView {
        var header = Header(.push, role: .worker, rank: 0, incarnation: 1, job: 1, epoch: 1)
        (header.microBatches, header.samples) = (1, 4)
        let message = Message.push(
            header, tableCounts: Payload(copying: [UInt32(2), 1]), positions: Payload(copying: positions),
            rowSamples: Payload(copying: [UInt32](repeating: 1, count: 3)),
            gradients: Payload(copying: [Float](repeating: 1, count: 3)), dense: .empty)
        return try PushView(
            decoding: message, limits: Limits(), tableWidths: [1, 1], dense: 0, scratch: scratch)
    }

    @Test("positions ascend within their own table's rows of the pull, and stand nowhere else")
    func positions() throws {
        // Rows 0 to 2 are the first table's, 3 and 4 the second's.
        let pulled = TableRows.laidOut(counts: [3, 2], widths: [1, 1])
        let scratch = Scratch()
        for good in [[0, 1, 3], [1, 2, 4], [0, 2, 3]] as [[UInt32]] {
            try view(good, scratch).checkRows(against: pulled)
        }
        for bad in [[0, 3, 4], [1, 1, 3], [2, 1, 3], [0, 1, 5], [0, 1, 2], [0, 1, .max], [3, 4, 4]] as [[UInt32]] {
            let view = try view(bad, scratch)
            #expect(throws: WireError.self, "\(bad)") { try view.checkRows(against: pulled) }
        }
    }
}
