import Testing

@testable import Tensors

@Suite struct PhiloxTests {
    @Test("known answers of Random123 for Philox4x32-10")
    func known() {
        #expect(Philox.words(key: 0, 0, 0) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = UInt64.max
        #expect(Philox.words(key: ones, ones, ones) == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    }

    @Test("integers below a bound stay below it and reach every value")
    func below() {
        var seen = Set<UInt64>()
        for counter in 0..<200 { seen.insert(Philox.below(7, key: 1, 2, UInt64(counter))) }
        #expect(seen == Set(0..<7))
    }
}
