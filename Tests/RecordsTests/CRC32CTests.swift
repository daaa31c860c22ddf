import Display
import Testing

@Suite struct CRC32CTests {
    @Test("the vectors of RFC 3720, appendix B.4, and of the algorithm's catalogue")
    func vectors() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        #expect(CRC32C.checksum((0..<32).reversed().map { UInt8($0) }) == 0x113F_DB5C)
        #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }

    @Test("the mask is undone by its inverse, as readers of TFRecord files do")
    func mask() {
        let rotated = CRC32C.masked("123456789".utf8) &- 0xA282_EAD8
        #expect(rotated >> 17 | rotated << 15 == 0xE306_9283)
    }
}
