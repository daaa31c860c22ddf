import Tensors
import Testing

@testable import Parameters

private func hash(_ id: UInt64) -> UInt64 { mix64(id) }

@Test("a million ids are found again, others are not, at no more than 20 bytes an id")
func millionIds() {
    var index = RowIndex()
    for i in 1...1_000_000 as ClosedRange<UInt64> {
        let id = i &* 0x9e37_79b9_7f4a_7c15
        index.set(id, hash: hash(id), to: UInt32(i), rehash: hash)
    }
    var missing = 0
    for i in 1...1_000_000 as ClosedRange<UInt64> {
        let id = i &* 0x9e37_79b9_7f4a_7c15
        if index.find(id, hash: hash(id)) != UInt32(i) { missing += 1 }
    }
    #expect(missing == 0)
    var found = 0
    for i in 1_000_001...1_100_000 as ClosedRange<UInt64> {
        let id = i &* 0x9e37_79b9_7f4a_7c15
        if index.find(id, hash: hash(id)) != RowIndex.absent { found += 1 }
    }
    #expect(found == 0)
    let (used, capacity, bytes) = (index.used, index.capacity, index.bytes)
    #expect(used == 1_000_000)
    #expect(used * 5 <= capacity * 4, "the load stays at 0.8")
    #expect(bytes <= 20 * used)
}

@Test("ids whose probes start at the last entry wrap around to the first")
func probesWrap() {
    var index = RowIndex()
    let last: (UInt64) -> UInt64 = { _ in .max }
    for id in 1...50 as ClosedRange<UInt64> { index.set(id, hash: .max, to: UInt32(id), rehash: last) }
    for id in 1...50 as ClosedRange<UInt64> {
        let value = index.find(id, hash: .max)
        #expect(value == UInt32(id))
    }
    let unknown = index.find(51, hash: .max)
    #expect(unknown == RowIndex.absent)
}

@Test("setting an id again replaces its value and uses no further entry")
func valuesAreReplaced() {
    var index = RowIndex()
    index.set(.max, hash: hash(.max), to: 1, rehash: hash)
    index.set(.max, hash: hash(.max), to: 2, rehash: hash)
    let (value, used) = (index.find(.max, hash: hash(.max)), index.used)
    #expect(value == 2)
    #expect(used == 1)
    index.removeAll()
    let (gone, left) = (index.find(.max, hash: hash(.max)), index.used)
    #expect(gone == RowIndex.absent)
    #expect(left == 0)
}

@Test("every entry is visited once and may be changed")
func entriesAreVisited() {
    var index = RowIndex()
    for id in 1...100 as ClosedRange<UInt64> { index.set(id, hash: hash(id), to: 5, rehash: hash) }
    var seen: [UInt64] = []
    index.forEach { id, value in
        seen.append(id)
        value = UInt32(id) * 2
    }
    #expect(seen.sorted() == Array(1...100))
    let value = index.find(77, hash: hash(77))
    #expect(value == 154)
}
