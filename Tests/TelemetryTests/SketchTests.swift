import Foundation
import Testing

@testable import Telemetry

/// A repeatable stream of random numbers.
private struct Stream {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// From 0 to 1.
    mutating func uniform() -> Double { Double(next() >> 11) / Double(1 << 53) }
}

@Suite struct SketchTests {
    /// Batches of ids by Zipf's law with this exponent, and the true counts.
    private func feed(_ exponent: Double, batches: Int, size: Int, drift: Int = 0) -> (HotIds, [UInt64: Int]) {
        var stream = Stream(state: UInt64(size))
        var hot = HotIds()
        var exact: [UInt64: Int] = [:]
        for batch in 0..<batches {
            var counts: [UInt64: UInt32] = [:]
            for _ in 0..<size {
                let rank = UInt64(pow(stream.uniform(), -1 / exponent)) &+ UInt64(batch * drift)
                counts[rank &* 0x1_0000_0001, default: 0] += 1
            }
            let ids = Array(counts.keys)
            let times = ids.map { counts[$0] ?? 0 }
            hot.add(ids: ids, counts: times, count: ids.count)
            for (id, count) in counts { exact[id, default: 0] += Int(count) }
        }
        return (hot, exact)
    }

    @Test(
        "every hot id's true count lies within its bounds, whoever is not held has at most total / 64",
        arguments: [(0.5, 0), (1.0, 0), (1.5, 0), (1.1, 3)], [1, 7, 900])
    func bounds(_ law: (exponent: Double, drift: Int), _ size: Int) {
        let (hot, exact) = feed(law.exponent, batches: 300, size: size, drift: law.drift)
        let top = hot.top(64)
        #expect(hot.total == 300 * size)
        #expect(hot.others * 64 <= hot.total)
        for entry in top {
            let truth = exact[entry.id] ?? 0
            #expect(entry.count - entry.error <= truth && truth <= entry.count)
        }
        let held = Set(top.map(\.id))
        for (id, truth) in exact where !held.contains(id) { #expect(truth <= hot.others) }
        // Whoever has more than a 64th of everything is there.
        for (id, truth) in exact where truth * 64 > hot.total { #expect(held.contains(id)) }
    }

    @Test("up to 64 ids are counted exactly, in order of their counts")
    func exact() {
        var hot = HotIds()
        for batch in 1...50 {
            let ids = (1...64).map { UInt64($0) }
            let counts = (1...64).map { UInt32($0 % 9 + batch % 2) }
            hot.add(ids: ids, counts: counts, count: 64)
        }
        let top = hot.top(64)
        #expect(top.allSatisfy { $0.error == 0 && $0.count == 50 * (Int($0.id) % 9) + 25 })
        #expect(zip(top, top.dropFirst()).allSatisfy { $0.count > $1.count || ($0.count == $1.count && $0.id < $1.id) })
        #expect(hot.others == 0)
    }

    @Test(
        "distinct hashes are estimated within four standard errors, however often they come",
        arguments: [0, 1, 10, 1_000, 4_096, 12_000, 30_000, 1_000_000])
    func distinct(_ count: Int) {
        var stream = Stream(state: 7)
        var sketch = DistinctCount()
        // As a shard shows them: the lowest bits are zero.
        let hashes = (0..<count).map { _ in stream.next() << 16 }
        for _ in 0..<2 { sketch.add(hashes: hashes, count: count) }
        let bound = 4 * DistinctCount.standardError * Double(count)
        #expect(abs(sketch.estimate - Double(count)) <= max(0.5, bound))
    }
}
