package import Tensors

/// The rows of one partition of one table apart from their table: what a checkpoint holds, in ascending order of id.
///
/// Keeps its memory, so that one snapshot can carry one partition after another.
package final class PartitionRows {
    /// The ids, ascending.
    package let ids = Column<UInt64>()
    /// [rows × width].
    package let weights = Column<Float>()
    /// Optimizer state, [rows × slots].
    package let slots = Column<Float>()
    /// Sample counts.
    package let counts = Column<UInt32>()
    /// Steps of the last update.
    package let steps = Column<UInt32>()

    package init() {}
}

/// The memory of a table, in bytes.
package struct TableBytes: Sendable, Equatable {
    /// Weights and optimizer state of the stored rows.
    package var payload = 0
    /// Count and last step of the stored rows.
    package var header = 0
    /// The indexes, free entries included.
    package var index = 0
    /// Room for further rows; address space mostly, not resident until used.
    package var slack = 0
}

extension Table {
    /// The memory held, part by part.
    package var bytes: TableBytes {
        var bytes = TableBytes()
        for local in owned.indices {
            let rows = partitions[local].slab.count
            bytes.payload += rows * layout.payloadBytes
            bytes.header += rows * 8
            bytes.index += partitions[local].index.bytes
            bytes.slack += partitions[local].slab.bytes - rows * layout.stride * 4
        }
        return bytes
    }

    /// Rows stored of one owned partition.
    package func rowCount(of partition: Int) -> Int {
        guard let local = local(partition) else { return 0 }
        return partitions[local].slab.count
    }

    /// Sets how many training samples contain each id: a stored row takes its count at once, others when first stored.
    ///
    /// Costs 15 to 18 bytes for an id without a row. Ids of other shards are passed over, so that every shard may be
    /// given the whole list. For tables with `counts: prepared`.
    ///
    /// - Throws: `ParametersError.paddingId` at id 0.
    package func setPreparedCounts(
        ids: UnsafePointer<UInt64>, counts: UnsafePointer<UInt32>, count: Int
    ) throws(ParametersError) {
        precondition(!regularizer.isCounting, "table \(options.name) counts as it runs")
        for i in 0..<count {
            guard ids[i] != 0 else { throw .paddingId(table: options.name, position: i) }
            guard let local = local(partition(of: ids[i])) else { continue }
            let hash = shiftedHash(ids[i])
            let value = partitions[local].index.find(ids[i], hash: hash)
            if value < RowIndex.pendingBit {
                layout.setCount(counts[i], of: partitions[local].slab.row(value))
            } else {
                let pending = RowIndex.pendingBit | min(counts[i], RowIndex.pendingLimit)
                partitions[local].index.set(ids[i], hash: hash, to: pending, rehash: shiftedHash)
            }
        }
    }

    /// Copies the rows of an owned partition in ascending order of id: the same bytes however they came to be.
    ///
    /// - Throws: `ParametersError.diverged` at a number that is not finite: nobody shall keep such a state.
    package func export(partition: Int, into rows: PartitionRows) throws(ParametersError) {
        guard let local = local(partition) else { preconditionFailure("partition \(partition) is another shard's") }
        let count = partitions[local].slab.count
        var order: [(id: UInt64, row: UInt32)] = []
        order.reserveCapacity(count)
        partitions[local].index.forEach { id, value in
            if value < RowIndex.pendingBit { order.append((id, value)) }
        }
        order.sort { $0.id < $1.id }
        rows.ids.resize(count)
        rows.weights.resize(count * layout.width)
        rows.slots.resize(count * layout.slots)
        rows.counts.resize(count)
        rows.steps.resize(count)
        for (i, entry) in order.enumerated() {
            let row = partitions[local].slab.row(entry.row)
            rows.ids[i] = entry.id
            (rows.weights.base + i * layout.width).update(from: row, count: layout.width)
            (rows.slots.base + i * layout.slots).update(from: row + layout.width, count: layout.slots)
            rows.counts[i] = layout.count(of: row)
            rows.steps[i] = layout.step(of: row)
            guard areFinite(row, count: layout.width + layout.slots) else {
                throw .diverged(table: options.name, id: entry.id)
            }
        }
    }

    /// Gives rows the optimizer state of weights that were never updated.
    package func fillFresh(_ rows: PartitionRows) {
        rows.slots.resize(rows.ids.count * layout.slots)
        for i in 0..<rows.ids.count {
            optimizer.initialize(rows.slots.base + i * layout.slots, width: layout.width, stride: layout.width)
        }
    }

    /// Replaces the rows of an owned partition by those of a snapshot, bit for bit.
    ///
    /// Prepared counts stay known for ids that the snapshot does not hold. A limit refuses nothing here.
    ///
    /// - Throws: `ParametersError.snapshot` when it does not fit; then nothing is changed.
    package func restore(partition: Int, from rows: PartitionRows) throws(ParametersError) {
        if let problem = fault(of: rows, in: partition) {
            throw .snapshot(table: options.name, partition: partition, problem)
        }
        guard let local = local(partition) else { return }
        removeRows(of: local)
        let count = rows.ids.count
        partitions[local].slab.reserve(count)
        for i in 0..<count {
            let number = partitions[local].slab.append()
            partitions[local].index.set(rows.ids[i], hash: shiftedHash(rows.ids[i]), to: number, rehash: shiftedHash)
            let row = partitions[local].slab.row(number)
            row.update(from: rows.weights.base + i * layout.width, count: layout.width)
            (row + layout.width).update(from: rows.slots.base + i * layout.slots, count: layout.slots)
            layout.setCount(rows.counts[i], of: row)
            layout.setStep(rows.steps[i], of: row)
        }
        rowCount += count
    }

    /// Forgets the rows of one partition; in a table with prepared counts they become pending again.
    private func removeRows(of local: Int) {
        rowCount -= partitions[local].slab.count
        if regularizer.isCounting {
            partitions[local].index.removeAll()
        } else {
            let slab = partitions[local].slab.base
            let layout = layout
            partitions[local].index.forEach { _, value in
                guard value < RowIndex.pendingBit else { return }
                let count = layout.count(of: slab + Int(value) * layout.stride)
                value = RowIndex.pendingBit | min(count, RowIndex.pendingLimit)
            }
        }
        partitions[local].slab.removeAll()
    }

    /// What is wrong with a snapshot, or nil.
    private func fault(of rows: PartitionRows, in partition: Int) -> String? {
        guard local(partition) != nil else { return "this shard does not own the partition" }
        let count = rows.ids.count
        guard rows.counts.count == count, rows.steps.count == count else {
            return "\(count) ids, but \(rows.counts.count) counts and \(rows.steps.count) steps"
        }
        guard rows.weights.count == count * layout.width else {
            return "\(rows.weights.count) weights for \(count) rows of width \(layout.width)"
        }
        guard rows.slots.count == count * layout.slots else {
            return "\(rows.slots.count) floats of optimizer state for \(count) rows of \(layout.slots) "
                + "(\(options.optimizer.kind.rawValue))"
        }
        for i in 0..<count {
            let id = rows.ids[i]
            guard id > (i == 0 ? 0 : rows.ids[i - 1]) else { return "ids do not ascend at position \(i)" }
            guard self.partition(of: id) == partition else { return "id \(id) belongs elsewhere" }
        }
        guard areFinite(rows.weights.base, count: count * layout.width),
            areFinite(rows.slots.base, count: count * layout.slots)
        else { return "they hold a number that is infinite or NaN" }
        return nil
    }
}
