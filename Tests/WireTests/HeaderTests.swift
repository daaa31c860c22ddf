import Testing

@testable import Wire

@Suite struct HeaderTests {
    /// A pull for scoring, of one row, whose frames are two counts and an id; hashed by another implementation.
    private static let goldenBytes: [UInt8] = [
        0x4d, 0x59, 0x52, 0x44, 0x02, 0x01, 0x88, 0x02, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
        0x05, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00,
        0x2f, 0x36, 0x18, 0x31, 0xeb, 0x70, 0x74, 0x10, 0x0b, 0x00, 0x00, 0x00, 0xcd, 0xfd, 0xa1, 0xc5,
    ]

    private var pull: Message {
        var header = Header(
            .values, role: .worker, rank: 3, incarnation: 5, job: 0x1122_3344_5566_7788, epoch: 6, step: 9, request: 11)
        header.samples = 0
        return .pull(
            header, tableCounts: Payload(copying: [UInt32(1), 0]), ids: Payload(copying: [UInt64(7)]), dense: 16,
            evaluation: true)
    }

    @Test("a header has its golden bytes, and is read from them")
    func golden() throws {
        let message = pull
        let frames = message.encoded
        withExtendedLifetime(frames) { #expect(Array(frames[0].bytes) == Self.goldenBytes) }
        let read = try Message(decoding: [Payload(copying: Self.goldenBytes)] + message.frames)
        #expect(read.header == message.header && read.header.keyListHash == read.digest)
    }

    @Test("a bit that flips anywhere in a message is seen, and so is a frame that is cut, added or swapped")
    func flips() throws {
        let frames = pull.encoded
        for (index, frame) in frames.enumerated() {
            let bytes = Array(frame.bytes)
            for bit in 0..<bytes.count * 8 {
                var (flipped, all) = (bytes, frames)
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                all[index] = Payload(copying: flipped)
                #expect(throws: WireError.self) { try Message(decoding: all) }
            }
        }
        #expect(throws: WireError.checksum) { try Message(decoding: Array(frames.dropLast())) }
        #expect(throws: WireError.checksum) { try Message(decoding: frames + [.empty]) }
        #expect(throws: WireError.checksum) { try Message(decoding: [frames[0], frames[2], frames[1]]) }
        #expect(throws: WireError.checksum) {
            try Message(decoding: [
                frames[0], .empty, Payload(copying: Array(frames[1].bytes) + Array(frames[2].bytes)),
            ])
        }
    }
}
