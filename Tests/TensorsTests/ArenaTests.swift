import Testing

@testable import Tensors

@Suite struct ArenaTests {
    @Test("blocks do not overlap, and the arena stops growing")
    func growth() {
        let arena = Arena(bytes: 256)
        var settled = 0
        for round in 0..<4 {
            let a = arena.matrix(rows: 10, columns: 10)
            let b = arena.zeros(rows: 50, columns: 30)
            let c = arena.ints(1000)
            for i in 0..<100 { a.base[i] = 1 }
            for i in 0..<1000 { c[i] = 7 }
            #expect((0..<1500).allSatisfy { b.base[$0] == 0 })
            #expect(Int(bitPattern: b.base) % 64 == 0)
            if round == 1 { settled = arena.capacity }
            if round > 1 { #expect(arena.capacity == settled) }
            arena.reset()
        }
    }

    @Test("a column keeps its elements while it grows")
    func column() {
        let column = Column<Int32>(capacity: 1)
        for value in 0..<100 { column.append(Int32(value)) }
        #expect(Array(column.buffer) == (0..<100).map { Int32($0) })
        column.removeAll()
        #expect(column.count == 0)
    }
}
