import Tensors

/// The columns of one table in a part: everything in them is checked before a table takes a row of them.
struct PartColumns {
    let ids: UnsafeBufferPointer<UInt64>
    let weights: UnsafeBufferPointer<Float>
    let slots: UnsafeBufferPointer<Float>
    let counts: UnsafeBufferPointer<UInt32>
    let steps: UnsafeBufferPointer<UInt32>
    private let offsets: UnsafeBufferPointer<Int64>

    /// - Parameters:
    ///   - index: the table's number, part of every row's hash.
    ///   - part: what the manifest says of the file.
    ///   - step: of the state; no row was updated after it.
    init(
        _ file: SafetensorsFile, _ index: Int, _ table: Manifest.TableInfo, _ part: Manifest.File, partitions: Int,
        step: Int
    ) throws(SafetensorsError) {
        let name = table.name
        let held = try file.column(name + ".partitions", as: Int64.self)
        offsets = try file.column(name + ".offsets", as: Int64.self)
        ids = try file.column(name + ".ids", as: UInt64.self)
        weights = try file.column(name + ".weights", as: Float.self)
        slots = try file.column(name + ".slots", as: Float.self)
        counts = try file.column(name + ".counts", as: UInt32.self)
        steps = try file.column(name + ".steps", as: UInt32.self)
        func check(_ isGood: Bool, _ column: String, _ problem: @autoclosure () -> String) throws(SafetensorsError) {
            if !isGood { throw .tensor(path: file.path, name: "\(name).\(column)", problem()) }
        }
        let count = part.rows[index]
        try check(ids.count == count, "ids", "has \(ids.count) rows, the manifest says \(count)")
        for (column, length, wanted) in [
            ("weights", weights.count, count * table.width), ("slots", slots.count, count * table.slots),
            ("counts", counts.count, count), ("steps", steps.count, count),
            ("partitions", held.count, part.partitions.count),
            ("offsets", offsets.count, part.partitions.count + 1),
        ] {
            try check(length == wanted, column, "has \(length) numbers, expected \(wanted)")
        }
        try check(held.elementsEqual(part.partitions.lazy.map(Int64.init)), "partitions", "differ from the manifest's")
        let areOrdered = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
        try check(areOrdered && offsets.first == 0 && offsets.last == Int64(count), "offsets", "do not cut its rows")
        for (place, partition) in part.partitions.enumerated() {
            var last: UInt64 = 0
            for row in range(place) {
                try check(ids[row] > last, "ids", "do not ascend within partition \(partition), at row \(row)")
                last = ids[row]
                let home = Tensors.partition(
                    of: rowHash(table: UInt32(index), id: last), bits: partitions.trailingZeroBitCount)
                try check(home == partition, "ids", "has id \(last) in partition \(partition), it belongs to \(home)")
            }
        }
        let last = steps.max().map(Int.init) ?? 0
        try check(last <= step, "steps", "has an update after step \(last), the state is that after step \(step)")
        try check(weights.allSatisfy(\.isFinite), "weights", "has a number that is not finite")
        try check(slots.allSatisfy(\.isFinite), "slots", "has a number that is not finite")
    }

    /// The rows of the partition at a place of the part's list.
    func range(_ place: Int) -> Range<Int> { Int(offsets[place])..<Int(offsets[place + 1]) }
}
