import Tensors

/// Numbers distinct ids 0, 1, 2 … in order of first sight; emptied in constant time, allocating nothing once grown.
package final class IdIndex {
    private struct Entry: BitwiseCopyable {
        var id: UInt64
        var stamp: UInt32
        var number: Int32
    }

    private let entries = Column<Entry>(capacity: 1024)
    private var mask = 1023
    private var stamp: UInt32 = 1
    /// How many distinct ids were numbered since the last `removeAll`.
    package private(set) var count = 0

    /// An empty index.
    package init() { entries.fill(1024, with: Entry(id: 0, stamp: 0, number: 0)) }

    /// Forgets all ids.
    package func removeAll() {
        count = 0
        stamp &+= 1
        if stamp == 0 {
            entries.fill(entries.count, with: Entry(id: 0, stamp: 0, number: 0))
            stamp = 1
        }
    }

    /// The number of an id, and whether it is new.
    package func number(of id: UInt64) -> (number: Int32, isNew: Bool) {
        if (count + 1) * 2 > entries.count { grow() }
        var place = Int(truncatingIfNeeded: mix64(id)) & mask
        let base = entries.base
        while base[place].stamp == stamp {
            if base[place].id == id { return (base[place].number, false) }
            place = (place + 1) & mask
        }
        let number = Int32(count)
        base[place] = Entry(id: id, stamp: stamp, number: number)
        count += 1
        return (number, true)
    }

    /// The number of an id that was numbered; nil for any other.
    package func find(_ id: UInt64) -> Int32? {
        var place = Int(truncatingIfNeeded: mix64(id)) & mask
        let base = entries.base
        while base[place].stamp == stamp {
            if base[place].id == id { return base[place].number }
            place = (place + 1) & mask
        }
        return nil
    }

    private func grow() {
        let old = Array(entries.buffer)
        entries.fill(old.count * 2, with: Entry(id: 0, stamp: 0, number: 0))
        mask = old.count * 2 - 1
        for entry in old where entry.stamp == stamp {
            var place = Int(truncatingIfNeeded: mix64(entry.id)) & mask
            while entries[place].stamp == stamp { place = (place + 1) & mask }
            entries[place] = entry
        }
    }
}
