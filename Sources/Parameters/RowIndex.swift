import CShims
import Glibc
import Tensors

/// Open addressing from a 64-bit id to 32 bits, in entries of 12 bytes: one partition of one table.
///
/// The value is a row number; with the top bit set it is a *pending count*: an id that has no row yet but whose number
/// of training samples is known. Linear probing at a load of at most 0.8. The place is the high half of
/// hash × capacity, so that the capacity need not be a power of two and grows by a fifth: 15 to 18 bytes an id. Growing
/// rehashes one partition, never a table. Id 0 marks an empty entry: it is the padding id and never stored.
struct RowIndex: ~Copyable {
    /// What `find` answers for an id that it does not hold.
    static let absent = UInt32.max
    /// Values from here on are pending counts.
    static let pendingBit: UInt32 = 1 << 31
    /// The largest pending count that can be kept.
    static let pendingLimit = pendingBit - 2

    /// Three words, so that entries are packed.
    struct Entry: BitwiseCopyable {
        var low: UInt32
        var high: UInt32
        var value: UInt32

        @inline(__always)
        init(id: UInt64, value: UInt32) {
            low = UInt32(truncatingIfNeeded: id)
            high = UInt32(truncatingIfNeeded: id >> 32)
            self.value = value
        }

        var id: UInt64 {
            @inline(__always) get { UInt64(low) | UInt64(high) << 32 }
        }
    }

    private var entries: UnsafeMutablePointer<Entry>
    /// Entries in all.
    private(set) var capacity: Int
    /// Entries in use, pending counts included.
    private(set) var used = 0
    private var usable: Int

    /// An empty index.
    init() {
        capacity = 4
        usable = RowIndex.usable(of: 4)
        entries = RowIndex.allocate(4)
    }

    deinit { free(entries) }

    /// Bytes held.
    var bytes: Int { capacity * MemoryLayout<Entry>.stride }

    /// Asks for the cache line where the probe of a hash starts.
    @inline(__always)
    func prefetch(_ hash: UInt64) { prefetch_read(entries + place(of: hash)) }

    /// The value of an id, or `absent`.
    @inline(__always)
    func find(_ id: UInt64, hash: UInt64) -> UInt32 {
        var place = place(of: hash)
        while true {
            let entry = entries[place]
            if entry.id == id { return entry.value }
            if entry.id == 0 { return RowIndex.absent }
            place &+= 1
            if place == capacity { place = 0 }
        }
    }

    /// Stores or replaces the value of an id that is not 0.
    mutating func set(_ id: UInt64, hash: UInt64, to value: UInt32, rehash: (UInt64) -> UInt64) {
        if used == usable { grow(rehash) }
        let place = slot(of: id, hash)
        if entries[place].id == 0 { used += 1 }
        entries[place] = Entry(id: id, value: value)
    }

    /// Calls `body` with every id and a value that it may change.
    func forEach(_ body: (UInt64, inout UInt32) -> Void) {
        for place in 0..<capacity where entries[place].id != 0 { body(entries[place].id, &entries[place].value) }
    }

    /// Forgets every id and keeps the memory.
    mutating func removeAll() {
        entries.update(repeating: Entry(id: 0, value: 0), count: capacity)
        used = 0
    }

    @inline(__always)
    private func place(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(truncatingIfNeeded: capacity)).high)
    }

    /// Where an id is, or would be put.
    private func slot(of id: UInt64, _ hash: UInt64) -> Int {
        var place = place(of: hash)
        while entries[place].id != 0, entries[place].id != id {
            place &+= 1
            if place == capacity { place = 0 }
        }
        return place
    }

    private mutating func grow(_ rehash: (UInt64) -> UInt64) {
        let (old, oldCapacity) = (entries, capacity)
        capacity = oldCapacity + max(4, oldCapacity / 5)
        usable = RowIndex.usable(of: capacity)
        entries = RowIndex.allocate(capacity)
        for place in 0..<oldCapacity where old[place].id != 0 {
            let id = old[place].id
            entries[slot(of: id, rehash(id))] = old[place]
        }
        free(old)
    }

    /// At most four entries of five in use, and one always free: it ends a probe.
    private static func usable(of capacity: Int) -> Int { capacity * 4 / 5 }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Entry> {
        let bytes = capacity * MemoryLayout<Entry>.stride
        guard let block = malloc(bytes) else { OutOfMemory.end(bytes, for: "an index of rows") }
        let entries = block.bindMemory(to: Entry.self, capacity: capacity)
        entries.initialize(repeating: Entry(id: 0, value: 0), count: capacity)
        return entries
    }
}
