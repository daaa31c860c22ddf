import Datasets
import Tensors
import Wire

/// What a worker needs of one step: its micro-batches, and the distinct ids over them in the order of the shards.
///
/// The union crosses the wire once however often an id occurs; inside a micro-batch the order stays that of the
/// micro-batch alone, so that no computed bit depends on what else this worker holds.
final class StepPlan {
    /// The ids of one table, and where each shard's part begins.
    final class Table {
        /// Distinct ids, grouped by shard.
        let ids = Column<UInt64>()
        /// For shard s, rows `starts[s]..<starts[s + 1]` of `ids`.
        var starts: [Int]
        /// For each micro-batch, its own row → row of `ids`.
        var rowOf: [Column<Int32>]

        init(shards: Int, batches: Int) {
            starts = [Int](repeating: 0, count: shards + 1)
            rowOf = (0..<batches).map { _ in Column<Int32>() }
        }

        /// The rows of one shard.
        func rows(of shard: Int) -> Range<Int> { starts[shard]..<starts[shard + 1] }
    }

    /// The step, from 1; in an evaluation, the step after which the state is read.
    var step = 0
    /// Micro-batches of the whole global batch.
    var microBatchCount = 0
    /// Those of this worker.
    var owned = 0..<0
    /// By table index.
    let tables: [Table]

    /// The micro-batches that the plan is of; empty where the ids come from elsewhere.
    private(set) var batches: [MicroBatch] = []

    private let map: PartitionMap
    private let index = IdIndex()
    private let gathered = Column<UInt64>()
    private let shardOf = Column<Int32>()
    private let place = Column<Int32>()
    private var cursor: [Int]

    /// - Parameters:
    ///   - tables: how many tables the schema has.
    ///   - capacity: the most micro-batches of one step.
    init(tables count: Int, map: PartitionMap, capacity: Int) {
        self.map = map
        cursor = [Int](repeating: 0, count: map.shards)
        tables = (0..<count).map { _ in Table(shards: map.shards, batches: capacity) }
    }

    /// A plan that holds its micro-batches.
    convenience init(schema: Schema, map: PartitionMap, capacity: Int) {
        self.init(tables: schema.tables.count, map: map, capacity: capacity)
        batches = (0..<capacity).map { _ in MicroBatch(schema: schema) }
    }

    /// Unites the distinct ids of the plan's own micro-batches.
    func unite() { unite { self.batches[$0].tables[$1].ids } }

    /// Unites the distinct ids of the owned micro-batches.
    ///
    /// - Parameter ids: the ids of (micro-batch, table), in the order of that micro-batch.
    func unite(_ ids: (Int, Int) -> Column<UInt64>) {
        for table in tables.indices { unite(table: table, ids) }
    }

    private func unite(table number: Int, _ idsOf: (Int, Int) -> Column<UInt64>) {
        let table = tables[number]
        index.removeAll()
        gathered.removeAll()
        for batch in 0..<owned.count {
            let ids = idsOf(batch, number)
            let rows = table.rowOf[batch]
            rows.resize(ids.count)
            for row in 0..<ids.count {
                let (place, isNew) = index.number(of: ids[row])
                if isNew { gathered.append(ids[row]) }
                rows[row] = place
            }
        }
        let count = gathered.count
        shardOf.resize(count)
        for shard in cursor.indices { cursor[shard] = 0 }
        for row in 0..<count {
            let shard = map.shard(table: number, id: gathered[row])
            shardOf[row] = Int32(shard)
            cursor[shard] += 1
        }
        var start = 0
        for shard in cursor.indices {
            table.starts[shard] = start
            start += cursor[shard]
            cursor[shard] = table.starts[shard]
        }
        table.starts[cursor.count] = start
        place.resize(count)
        table.ids.resize(count)
        for row in 0..<count {
            let shard = Int(shardOf[row])
            place[row] = Int32(cursor[shard])
            table.ids[cursor[shard]] = gathered[row]
            cursor[shard] += 1
        }
        for batch in 0..<owned.count {
            let rows = table.rowOf[batch]
            for row in 0..<rows.count { rows[row] = place[Int(rows[row])] }
        }
    }
}

/// Which micro-batches are whose.
extension JobPlan {
    /// The micro-batches of a step that a worker computes: a contiguous block, empty where there are fewer than workers.
    func block(of worker: Int, among workers: Int, in step: Int) -> Range<Int> {
        Subtree.block(worker, of: workers, over: microBatches(of: step))
    }

    /// The first step after `step` of which a worker owns a micro-batch; nil when there is none.
    func nextStep(of worker: Int, among workers: Int, after step: Int) -> Int? {
        // Full steps and the last one of an epoch differ; who has nothing in both never has.
        let last = block(of: worker, among: workers, in: stepsPerEpoch)
        if last.isEmpty, Subtree.block(worker, of: workers, over: microBatches(over: batch)).isEmpty { return nil }
        var next = step + 1
        while next <= lastStep {
            if !block(of: worker, among: workers, in: next).isEmpty { return next }
            // All steps of an epoch but its last have the same number of micro-batches.
            let end = (epoch(of: next) + 1) * stepsPerEpoch
            next = next < end ? end : next + 1
        }
        return nil
    }
}
