import Tensors

/// Finds an id's position in a list of ids while two lists are merged; used for one merge after another.
///
/// Holds positions alone, four bytes each at a load of at most a half, so that it stays in the second-level cache.
final class MergeIndex {
    private let slots = Column<Int32>()
    private var shift: UInt64 = 63

    /// Forgets everything and makes room for `capacity` ids.
    func begin(capacity: Int) {
        var size = 64
        while size < 2 * capacity { size *= 2 }
        shift = UInt64(64 - size.trailingZeroBitCount)
        slots.fill(size, with: -1)
    }

    /// Numbers a list of ids that is known to be distinct, from `first`.
    func number(_ ids: UnsafePointer<UInt64>, from first: Int, count: Int, among all: UnsafePointer<UInt64>) {
        for i in 0..<count { _ = number(ids[i], next: first &+ i, among: all) }
    }

    /// The position of the first id that stands in the list before; nil when they are distinct.
    func firstRepeat(in ids: UnsafePointer<UInt64>, count: Int) -> Int? {
        begin(capacity: count)
        return (0..<count).first { number(ids[$0], next: $0, among: ids) != $0 }
    }

    /// The position of an id in `ids`, or `next` if it is new; then it is known to be there from now on.
    @inline(__always)
    func number(_ id: UInt64, next: Int, among ids: UnsafePointer<UInt64>) -> Int {
        let slots = slots.base
        let mask = slotMask
        var place = Int(truncatingIfNeeded: mix64(id) >> shift)
        while true {
            let found = Int(slots[place])
            if found < 0 { break }
            if ids[found] == id { return found }
            place = (place &+ 1) & mask
        }
        slots[place] = Int32(truncatingIfNeeded: next)
        return next
    }

    private var slotMask: Int {
        @inline(__always) get { slots.count &- 1 }
    }
}
