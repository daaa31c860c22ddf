import Cluster
import Datasets
import Foundation
import Job
import Models
import Telemetry
import Tensors
import Wire

/// What a job must count, from its samples and the byte layout of its messages alone: no shard or worker is asked.
struct CountedWorkload {
    /// One shard's share.
    struct Shard: Equatable {
        var pulls = 0
        var pulledRows = 0
        var pushes = 0
        var pushedRows = 0
        var pullBytes = 0
        var pushBytes = 0
        var valueBytes = 0
        var otherBytes = 0
        /// By table: samples × steps that contained an id.
        var hot: [[UInt64: Int]]
        /// By table: rows updated, each once a step.
        var updatedRows: [Int]
    }

    /// One worker's share.
    struct Worker: Equatable {
        var samples = 0
        var steps = 0
        var references = 0
        var pulledRows = 0
        var pulls = 0
        var pushes = 0
    }

    private(set) var shards: [Shard]
    private(set) var workers: [Worker]
    let tables: [String]
    private let widths: [Int]
    private let map: PartitionMap
    private let dense: Int

    /// Walks all steps of a config's job, as every worker would.
    init(config: String, overrides: [String]) throws {
        let job = try Job(try ConfigReader.read(path: config, overrides: overrides))
        let cluster = job.config.cluster
        tables = job.dataset.schema.tables
        widths = job.model.tables.map(\.width)
        map = try PartitionMap(shards: cluster.servers * cluster.shards)
        dense = job.model.layout.count
        shards = (0..<map.shards).map { [tables] _ in
            Shard(hot: tables.map { _ in [:] }, updatedRows: tables.map { _ in 0 })
        }
        workers = (0..<cluster.workers).map { _ in Worker() }
        let split = try job.dataset.split(named: job.config.data.train)
        let builder = MicroBatchBuilder(schema: job.dataset.schema, historyLimit: job.config.data.history)
        let batch = MicroBatch(schema: job.dataset.schema)
        for step in 1...job.plan.lastStep {
            let order = DataOrder(split, seed: job.config.train.seed, epoch: job.plan.epoch(of: step))
            let positions = job.plan.positions(of: step)
            let count = job.plan.microBatches(of: step)
            var counts: [[[UInt64: Int]]] = []
            for number in 0..<count {
                let first = positions.lowerBound + number * job.plan.microBatch
                builder.fill(
                    batch, from: split, order: order,
                    positions: first..<min(first + job.plan.microBatch, positions.upperBound))
                counts.append(
                    batch.tables.map {
                        Dictionary(uniqueKeysWithValues: zip($0.ids.buffer, $0.counts.buffer.map(Int.init)))
                    })
            }
            for worker in workers.indices {
                let block = Subtree.block(worker, of: workers.count, over: count)
                let last = min(positions.lowerBound + block.upperBound * job.plan.microBatch, positions.upperBound)
                workers[worker].samples += max(0, last - positions.lowerBound - block.lowerBound * job.plan.microBatch)
                workers[worker].steps += 1
                take(worker, block, of: count, counts)
            }
            for shard in shards.indices {
                for table in tables.indices {
                    let ids = counts.flatMap { $0[table] }.filter { map.shard(table: table, id: $0.key) == shard }
                    for (id, times) in ids { shards[shard].hot[table][id, default: 0] += times }
                    shards[shard].updatedRows[table] += Set(ids.map(\.key)).count
                }
            }
        }
    }

    /// A worker's pull and pushes of one step.
    private mutating func take(_ worker: Int, _ block: Range<Int>, of count: Int, _ counts: [[[UInt64: Int]]]) {
        workers[worker].references += block.reduce(0) { $0 + counts[$1].reduce(0) { $0 + $1.values.reduce(0, +) } }
        let nodes = Subtree.maximal(in: block, of: count)
        for shard in shards.indices {
            let slice = map.denseRange(ofShard: shard, count: dense).count
            let (rows, floats) = size(shard, block, counts)
            // header | rows per table u32 | ids u64, and header | values f32 | dense f32.
            shards[shard].pulls += 1
            shards[shard].pulledRows += rows
            shards[shard].pullBytes += 64 + 4 * tables.count + 8 * rows
            shards[shard].valueBytes += 64 + 4 * floats + 4 * slice
            workers[worker].pulls += 1
            workers[worker].pulledRows += rows
            for node in nodes {
                let (rows, floats) = size(shard, node.covers(of: count), counts)
                // header | rows per table u32 | positions u32, if not all rows | samples u32 | gradients f32 | dense f32.
                let positions = nodes.count == 1 ? 0 : 4 * rows
                shards[shard].pushes += 1
                shards[shard].pushedRows += rows
                shards[shard].pushBytes += 64 + 4 * tables.count + positions + 4 * rows + 4 * floats + 4 * slice
                shards[shard].otherBytes += 64
                workers[worker].pushes += 1
            }
        }
    }

    /// Distinct rows of a range of micro-batches on a shard, and their floats.
    private func size(_ shard: Int, _ range: Range<Int>, _ counts: [[[UInt64: Int]]]) -> (rows: Int, floats: Int) {
        var (rows, floats) = (0, 0)
        for table in tables.indices {
            let ids = Set(range.flatMap { counts[$0][table].keys }).filter { map.shard(table: table, id: $0) == shard }
            rows += ids.count
            floats += ids.count * widths[table]
        }
        return (rows, floats)
    }

    /// The same of a status.
    static func shards(_ status: ClusterStatus) -> [Shard] {
        status.shards.map { shard in
            let report = shard.report
            return Shard(
                pulls: report.pulls, pulledRows: report.pulledRows, pushes: report.pushes,
                pushedRows: report.pushedRows, pullBytes: report.pullBytes, pushBytes: report.pushBytes,
                valueBytes: report.valueBytes, otherBytes: report.otherBytes,
                hot: report.tables.map { Dictionary(uniqueKeysWithValues: $0.hot.map { ($0.id, $0.count) }) },
                updatedRows: report.tables.map(\.updatedRows))
        }
    }

    /// The same of a status.
    static func workers(_ status: ClusterStatus) -> [Worker] {
        status.workers.map {
            Worker(
                samples: $0.report.samples, steps: $0.report.steps, references: $0.report.references,
                pulledRows: $0.report.pulledRows, pulls: $0.report.pulls, pushes: $0.report.pushes)
        }
    }
}
