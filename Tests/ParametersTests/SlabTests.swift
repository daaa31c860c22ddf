import Testing

@testable import Parameters

@Test("row numbers count up and rows keep their content while the slab grows")
func slabGrows() {
    var slab = Slab(stride: 5)
    for number in 0..<10_000 as Range<UInt32> {
        let row = slab.append()
        #expect(row == number)
        for c in 0..<5 { slab.row(row)[c] = Float(number) + Float(c) / 8 }
    }
    var wrong = 0
    for number in 0..<10_000 as Range<UInt32> {
        for c in 0..<5 where slab.row(number)[c] != Float(number) + Float(c) / 8 { wrong += 1 }
    }
    #expect(wrong == 0)
    let (count, bytes) = (slab.count, slab.bytes)
    #expect(count == 10_000)
    #expect(bytes >= 10_000 * 20 && bytes <= 10_000 * 20 * 9 / 8 + 100)
}

@Test("counts and steps survive as bits, whatever float they would be", arguments: [0, 1, 0x7f80_0001, UInt32.max])
func headersAreIntegers(value: UInt32) {
    let layout = RowLayout(width: 2, slots: 3)
    #expect(layout.stride == 7)
    #expect(layout.payloadBytes == 20)
    let row = UnsafeMutablePointer<Float>.allocate(capacity: layout.stride)
    defer { row.deallocate() }
    row.initialize(repeating: 1, count: layout.stride)
    layout.setCount(value, of: row)
    layout.setStep(~value, of: row)
    #expect(layout.count(of: row) == value)
    #expect(layout.step(of: row) == ~value)
    #expect((0..<5).allSatisfy { row[$0] == 1 })
}
