/// A bijective mixer of 64 bits (the finalizer of MurmurHash3, constants of Stafford's variant 13).
@inlinable
public func mix64(_ value: UInt64) -> UInt64 {
    var x = value
    x = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ (x >> 27)) &* 0x94d0_49bb_1331_11eb
    return x ^ (x >> 31)
}

/// Where a row lives: the hash of (table, id) whose top bits choose the partition.
///
/// A pure function of its arguments, the same on every process: partitions belong to the job, not to the cluster.
@inlinable
public func rowHash(table: UInt32, id: UInt64) -> UInt64 {
    mix64(id &+ (UInt64(table) &+ 1) &* 0x9e37_79b9_7f4a_7c15)
}

/// The partition of a row hash among `1 << bits` partitions.
@inlinable
public func partition(of hash: UInt64, bits: Int) -> Int {
    bits == 0 ? 0 : Int(truncatingIfNeeded: hash >> (64 - UInt64(bits)))
}
