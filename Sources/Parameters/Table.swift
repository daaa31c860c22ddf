import CShims
package import Tensors

/// One embedding table of one shard: the rows of the partitions that the shard owns.
///
/// Belongs to the shard's thread. A message is worked through in blocks of rows: find all rows of a block while the
/// next ids' index entries and these rows' memory are on their way, then copy or update them. Neither `pull` nor
/// `apply` allocates once the scratch has grown to the largest message (rows that are new apart).
package final class Table {
    /// Its number in the schema: part of every row's hash and initial value.
    package let index: UInt32
    /// What was configured.
    package let options: TableOptions
    /// The parts of a row.
    package let layout: RowLayout
    /// log₂ of the number of partitions of the job.
    package let partitionBits: Int
    /// The partitions that this shard owns, ascending.
    package let owned: [Int]
    /// Rows stored.
    package internal(set) var rowCount = 0
    /// Gradients that were dropped because their row was refused at the limit, since the start.
    package internal(set) var refusedCount = 0
    /// Rows pulled that were not stored, since the start.
    package private(set) var missedCount = 0

    /// Updates that the optimizer state has had besides the steps of this job, where it was taken over.
    package var earlierUpdates = 0

    /// Where a row is: which of the owned partitions, and its number there (or what its index said instead).
    struct Place: BitwiseCopyable {
        var partition: Int32
        var row: UInt32
    }

    /// The index and the rows of one partition.
    struct Partition: ~Copyable {
        var index = RowIndex()
        var slab: Slab
        /// The most rows that it may store.
        let limit: Int
    }

    let seed: UInt64
    let optimizer: Optimizer
    let regularizer: Regularizer
    let partitions: UnsafeMutablePointer<Partition>
    let block: RowBlock
    /// By partition of the job: its place in `owned`, or −1.
    private let localOf: UnsafeMutablePointer<Int32>
    /// Of the ids of the last message, without the bits that chose their partitions.
    package let hashes = Column<UInt64>()
    let places = Column<Place>()
    private let distinct = MergeIndex()

    /// An empty table.
    ///
    /// - Parameters:
    ///   - partitionBits: log₂ of the number of partitions of the job, at most 16.
    ///   - owned: the partitions that this shard owns.
    ///   - seed: the job's seed.
    /// - Throws: `ParametersError.option` when a setting makes no sense.
    package init(
        index: UInt32, options: TableOptions, partitionBits: Int, partitions owned: [Int], seed: UInt64
    ) throws(ParametersError) {
        try options.validate()
        precondition((0...16).contains(partitionBits), "from 1 to 65,536 partitions, not 2^\(partitionBits)")
        let count = 1 << partitionBits
        precondition(owned.allSatisfy { (0..<count).contains($0) } && Set(owned).count == owned.count)
        self.index = index
        self.options = options
        self.partitionBits = partitionBits
        self.owned = owned.sorted()
        self.seed = seed
        optimizer = Optimizer(options: options.optimizer, schedule: options.schedule)
        regularizer = Regularizer(options.regularization, with: options.optimizer.kind)
        layout = RowLayout(width: options.width, slots: optimizer.slots(width: options.width))
        block = RowBlock(width: options.width)
        localOf = .allocate(capacity: count)
        localOf.initialize(repeating: -1, count: count)
        partitions = .allocate(capacity: max(1, owned.count))
        for (local, partition) in self.owned.enumerated() {
            localOf[partition] = Int32(local)
            let limit = options.limit(ofPartition: partition, of: count) ?? Int(RowIndex.pendingBit)
            (partitions + local).initialize(to: Partition(slab: Slab(stride: layout.stride), limit: limit))
        }
    }

    deinit {
        partitions.deinitialize(count: owned.count)
        partitions.deallocate()
        localOf.deallocate()
    }

    /// Whether an id may have a row here: it is not the padding, and its partition is one of this shard's.
    package func owns(_ id: UInt64) -> Bool { id != 0 && localOf[partition(of: id)] >= 0 }

    /// Checks the ids of a message: what passes, `pull` and `apply` take.
    ///
    /// - Throws: `ParametersError` at an id that is 0, foreign, or there twice.
    package func check(ids: UnsafePointer<UInt64>, count: Int) throws(ParametersError) {
        try hash(ids, count)
        guard let place = distinct.firstRepeat(in: ids, count: count) else { return }
        throw .repeatedId(ids[place], table: options.name, position: place)
    }

    /// The partition of an id.
    package func partition(of id: UInt64) -> Int {
        Tensors.partition(of: rowHash(table: index, id: id), bits: partitionBits)
    }

    /// Copies the weights of rows; a row that is not stored shows its initial value and stays unstored.
    ///
    /// - Parameters:
    ///   - ids: `count` ids of this shard, none of them 0.
    ///   - rows: receives [count × width].
    /// - Throws: `ParametersError` at an id that is 0 or foreign; then nothing is written.
    package func pull(
        ids: UnsafePointer<UInt64>, count: Int, into rows: UnsafeMutablePointer<Float>
    ) throws(ParametersError) {
        try hash(ids, count)
        find(ids, count)
        let (width, places, partitions) = (layout.width, places.base, partitions)
        var missed = 0
        for i in 0..<count {
            let next = i &+ Table.ahead
            if next < count { prefetch(places[next], units: width) }
            let target = rows + i &* width
            let place = places[i]
            if place.row < RowIndex.pendingBit {
                copy(partitions[Int(place.partition)].slab.row(place.row), to: target, width)
            } else {
                options.initial.fill(target, width: width, seed: seed, table: index, id: ids[i])
                missed &+= 1
            }
        }
        missedCount += missed
    }

    /// Rows between the prefetch of memory and its use: about the cache misses that a core can have under way.
    static let ahead = 16

    /// Asks for the cache lines of the first `units` floats of a row.
    @inline(__always)
    func prefetch(_ place: Place, units: Int) {
        guard place.row < RowIndex.pendingBit else { return }
        let row = partitions[Int(place.partition)].slab.row(place.row)
        var unit = 0
        while unit < units {
            prefetch_read(UnsafeRawPointer(row + unit))
            unit &+= 16
        }
        prefetch_read(UnsafeRawPointer(row + (units &- 1)))
    }

    /// Hashes the ids of a message, and refuses it as a whole if one of them has no business here.
    func hash(_ ids: UnsafePointer<UInt64>, _ count: Int) throws(ParametersError) {
        hashes.resize(count)
        places.resize(count)
        let (hashes, places, localOf, bits) = (hashes.base, places.base, localOf, partitionBits)
        var isFaulty = false
        for i in 0..<count {
            let id = ids[i]
            let hash = rowHash(table: index, id: id)
            let local = localOf[Tensors.partition(of: hash, bits: bits)]
            hashes[i] = hash << UInt64(truncatingIfNeeded: bits)
            places[i] = Place(partition: local, row: RowIndex.absent)
            isFaulty = isFaulty || id == 0 || local < 0
        }
        guard isFaulty else { return }
        for i in 0..<count {
            guard ids[i] != 0 else { throw .paddingId(table: options.name, position: i) }
            guard owns(ids[i]) else { throw .foreignId(ids[i], table: options.name, partition: partition(of: ids[i])) }
        }
    }

    /// Finds the rows of a message whose ids are hashed.
    func find(_ ids: UnsafePointer<UInt64>, _ count: Int) {
        let (hashes, places, partitions) = (hashes.base, places.base, partitions)
        for i in 0..<count {
            let next = i &+ Table.ahead
            if next < count { partitions[Int(places[next].partition)].index.prefetch(hashes[next]) }
            places[i].row = partitions[Int(places[i].partition)].index.find(ids[i], hash: hashes[i])
        }
    }

    /// Stores the rows of a message that were not found, unless their partition is full.
    ///
    /// A refused row keeps an out-of-range number in `places`.
    func admit(_ ids: UnsafePointer<UInt64>, _ count: Int) {
        let places = places.base
        for i in 0..<count where places[i].row >= RowIndex.pendingBit {
            let local = Int(places[i].partition)
            // Found again: an earlier position may have stored the same id.
            let found = partitions[local].index.find(ids[i], hash: hashes[i])
            if found < RowIndex.pendingBit {
                places[i].row = found
            } else if partitions[local].slab.count >= partitions[local].limit {
                refusedCount += 1
            } else {
                places[i].row = store(ids[i], hash: hashes[i], in: local, pending: found)
            }
        }
    }

    /// Adds a row with its initial weights, fresh optimizer state and its prepared count if there is one.
    private func store(_ id: UInt64, hash: UInt64, in local: Int, pending: UInt32) -> UInt32 {
        let number = partitions[local].slab.append()
        partitions[local].index.set(id, hash: hash, to: number, rehash: shiftedHash)
        let row = partitions[local].slab.row(number)
        let width = layout.width
        options.initial.fill(row, width: width, seed: seed, table: index, id: id)
        optimizer.initialize(row + width, width: width, stride: width)
        layout.setCount(pending == RowIndex.absent ? 0 : pending & ~RowIndex.pendingBit, of: row)
        layout.setStep(0, of: row)
        rowCount += 1
        return number
    }

    /// An id's hash without the bits that chose its partition.
    func shiftedHash(_ id: UInt64) -> UInt64 { rowHash(table: index, id: id) << UInt64(partitionBits) }

    /// The place of a partition among the owned ones; nil for another shard's.
    func local(_ partition: Int) -> Int? {
        guard (0..<1 << partitionBits).contains(partition), localOf[partition] >= 0 else { return nil }
        return Int(localOf[partition])
    }
}

/// Copies one row: short, so a loop of vectors beats the call of `memcpy`.
@inline(__always)
private func copy(_ source: UnsafeMutablePointer<Float>, to target: UnsafeMutablePointer<Float>, _ width: Int) {
    let from = UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(target)
    let bytes = width &* 4
    var offset = 0
    while offset &+ 16 <= bytes {
        to.storeBytes(
            of: from.loadUnaligned(fromByteOffset: offset, as: SIMD4<Float>.self), toByteOffset: offset,
            as: SIMD4<Float>.self)
        offset &+= 16
    }
    while offset < bytes {
        to.storeBytes(of: from.load(fromByteOffset: offset, as: UInt32.self), toByteOffset: offset, as: UInt32.self)
        offset &+= 4
    }
}
