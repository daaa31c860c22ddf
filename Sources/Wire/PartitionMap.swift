import Tensors

/// Which shard owns which partition, and which slice of the dense parameters.
///
/// Partitions belong to the job, shards to the cluster: another number of servers moves partitions and rewrites none.
package struct PartitionMap: Sendable, Equatable {
    /// Partitions of a job unless its config says otherwise: at 48 shards still 5 or 6 each.
    package static let defaultPartitions = 256
    /// A slice of the dense vector starts at a multiple of this: a cache line of floats.
    package static let denseUnit = 16

    /// Number of partitions, a power of two.
    package let partitions: Int
    /// Number of shards, at most one a partition.
    package let shards: Int
    private let owner: [UInt16]

    /// Contiguous blocks of partitions whose sizes differ by at most one.
    ///
    /// - Throws: unless there are from 1 to 65,536 partitions, a power of two, and a shard for at most
    ///   each of them.
    package init(partitions: Int = defaultPartitions, shards: Int) throws(WireError) {
        guard (1...1 << 16).contains(partitions), partitions & (partitions - 1) == 0, (1...partitions).contains(shards)
        else {
            throw WireError(
                "\(shards) shards cannot share \(partitions) partitions: cluster.servers × cluster.shards must be from 1 to "
                    + "\(partitions)")
        }
        self.partitions = partitions
        self.shards = shards
        owner = (0..<shards).flatMap { shard in
            Self.block(shard, of: shards, over: partitions).map { _ in UInt16(shard) }
        }
    }

    /// Bits of a row hash that choose the partition.
    package var bits: Int { partitions.trailingZeroBitCount }

    /// The owner of a partition.
    package func shard(ofPartition partition: Int) -> Int { Int(owner[partition]) }

    /// The partitions of a shard.
    package func partitions(ofShard shard: Int) -> Range<Int> {
        precondition(shard >= 0 && shard < shards, "no such shard")
        return Self.block(shard, of: shards, over: partitions)
    }

    /// The owner of a row.
    package func shard(table: Int, id: UInt64) -> Int {
        shard(ofPartition: partition(of: rowHash(table: UInt32(table), id: id), bits: bits))
    }

    /// The shard's slice of a dense vector of `count` floats; it starts at a multiple of 16 and may be empty.
    package func denseRange(ofShard shard: Int, count: Int) -> Range<Int> {
        precondition(shard >= 0 && shard < shards && count >= 0, "no such shard")
        let units = (count + Self.denseUnit - 1) / Self.denseUnit
        let block = Self.block(shard, of: shards, over: units)
        return min(block.lowerBound * Self.denseUnit, count)..<min(block.upperBound * Self.denseUnit, count)
    }

    private static func block(_ part: Int, of parts: Int, over count: Int) -> Range<Int> {
        part * count / parts..<(part + 1) * count / parts
    }
}
