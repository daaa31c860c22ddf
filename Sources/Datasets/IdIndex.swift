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
        let entry = entries.base + place(of: id)
        if entry.pointee.stamp == stamp { return (entry.pointee.number, false) }
        entry.pointee = Entry(id: id, stamp: stamp, number: Int32(count))
        count += 1
        return (entry.pointee.number, true)
    }

    /// The number of an id that was numbered; nil for any other.
    package func find(_ id: UInt64) -> Int32? {
        let entry = entries.base[place(of: id)]
        return entry.stamp == stamp ? entry.number : nil
    }

    /// Where an id stands, or else would.
    @inline(__always)
    private func place(of id: UInt64) -> Int {
        var place = Int(truncatingIfNeeded: mix64(id)) & mask
        let base = entries.base
        while base[place].stamp == stamp, base[place].id != id { place = (place + 1) & mask }
        return place
    }

    private func grow() {
        let old = Array(entries.buffer)
        entries.fill(old.count * 2, with: Entry(id: 0, stamp: 0, number: 0))
        mask = old.count * 2 - 1
        for entry in old where entry.stamp == stamp {
            entries[place(of: entry.id)] = entry
        }
    }
}
