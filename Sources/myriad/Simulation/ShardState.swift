import Parameters
import Server
import Tensors
import Wire

/// The bits of a shard's state: by partition, and the slice of the dense parameters with its optimizer's slots.
struct ShardState {
    let partitions: [Int: UInt64]
    let dense: [Float]
    let slots: [[Float]]

    /// Copies what a shard holds; throws where a number is not finite.
    init(_ shard: Shard) throws {
        let rows = PartitionRows()
        var partitions: [Int: UInt64] = [:]
        for partition in shard.options.map.partitions(ofShard: shard.options.shard) {
            var hash: UInt64 = 0
            for table in shard.tables {
                try table.export(partition: partition, into: rows)
                for bytes in [
                    UnsafeRawBufferPointer(rows.ids.buffer), UnsafeRawBufferPointer(rows.weights.buffer),
                    UnsafeRawBufferPointer(rows.slots.buffer), UnsafeRawBufferPointer(rows.counts.buffer),
                    UnsafeRawBufferPointer(rows.steps.buffer),
                ] { hash = XXHash64.hash(bytes, seed: hash) }
            }
            partitions[partition] = hash
        }
        self.partitions = partitions
        let slice = shard.dense
        let count = slice.range.count
        dense = Array(UnsafeBufferPointer(start: slice.weights, count: count))
        slots = (0..<slice.slotsPerWeight).map {
            Array(UnsafeBufferPointer(start: slice.slots + $0 * count, count: count))
        }
    }

    /// The digest of a whole state: the same however many shards hold it.
    static func digest(_ shards: [ShardState]) -> UInt64 {
        let partitions = shards.reduce(into: [Int: UInt64]()) { $0.merge($1.partitions) { first, _ in first } }
        var hash = XXHash64.hash(partitions.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined())
        let kinds = shards.map(\.slots.count).max() ?? 0
        for part in [shards.flatMap(\.dense)] + (0..<kinds).map({ kind in shards.flatMap { $0.slots[kind] } }) {
            hash = part.withUnsafeBytes { XXHash64.hash($0, seed: hash) }
        }
        return hash
    }
}
