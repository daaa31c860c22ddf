import Kernels
import Tensors
import Wire

@testable import Parameters
@testable import Server

/// A job of two tables and 40 dense floats, driven without sockets: what workers would send, in any order and number.
struct ShardJob {
    static let widths = [3, 2]
    let plan: JobPlan
    let layout: ParameterLayout
    let map: PartitionMap
    var shards: [Shard] = []

    init(
        shards count: Int, optimizer: OptimizerOptions.Kind = .adagrad, rate: Float? = nil, checkpointEvery: Int = 0,
        dense: DenseOptions = DenseOptions(), incarnations: [UInt32] = []
    ) throws {
        plan = JobPlan(trainSamples: 64, batch: 16, microBatch: 2, epochs: 4, checkpointEvery: checkpointEvery)
        var layout = ParameterLayout()
        _ = layout.matrix("w", rows: 5, columns: 5)
        _ = layout.statistic("mean", columns: 6, initial: 0)
        self.layout = layout
        map = try PartitionMap(partitions: 16, shards: count)
        for shard in 0..<count {
            let options = ShardOptions(
                shard: shard, map: map,
                tables: ShardJob.widths.enumerated().map { index, width in
                    TableOptions(
                        name: "t\(index)", width: width, optimizer: OptimizerOptions(kind: optimizer, rate: rate),
                        regularization: RegularizationOptions(kind: .mba, lambda: 0.5, counts: .running))
                },
                layout: layout, initialDense: (0..<layout.count).map { Float($0) / 64 }, dense: dense,
                seed: 11, plan: plan, checkpoints: "", workers: 16, incarnations: incarnations)
            shards.append(try Shard(options, identity: ShardJob.header(.values, role: .server, rank: shard)))
        }
    }

    static func header(_ kind: MessageKind, role: Role = .worker, rank: Int = 0) -> Header {
        Header(kind, role: role, rank: UInt16(rank), incarnation: 1, job: 9, epoch: 1)
    }

    /// The rows and gradients that micro-batch `m` of a step brings: a pure function of both.
    func gradients(step: Int, _ m: Int) -> [[UInt64: [Float]]] {
        ShardJob.widths.enumerated().map { table, width in
            var rows: [UInt64: [Float]] = [:]
            for draw in 0..<4 {
                let id = 2 + Philox.below(9, key: 1, UInt64(step * 100 + m), UInt64(table * 10 + draw))
                var values = [Float](repeating: 0, count: width)
                fillNormal(&values, count: width, deviation: 1, key: 2, stream: UInt64(m), id: id &+ UInt64(step * 64))
                rows[id] = values
            }
            return rows
        }
    }

    func dense(step: Int, _ m: Int) -> [Float] {
        var values = [Float](repeating: 0, count: layout.count)
        fillNormal(&values, count: values.count, deviation: 1, key: 3, stream: UInt64(step), id: UInt64(m))
        return values
    }

    /// Sums of a subtree, along the tree: left + right, a row missing on one side taken from the other.
    func sums(step: Int, _ node: Subtree) -> (rows: [[UInt64: (UInt32, [Float])]], dense: [Float]) {
        let count = plan.microBatches(of: step)
        if node.level == 0 {
            return (gradients(step: step, node.index).map { $0.mapValues { (1, $0) } }, dense(step: step, node.index))
        }
        let left = sums(step: step, Subtree(level: node.level - 1, index: node.index * 2))
        let other = Subtree(level: node.level - 1, index: node.index * 2 + 1)
        guard !other.covers(of: count).isEmpty else { return left }
        let right = sums(step: step, other)
        let rows = zip(left.rows, right.rows).map { a, b in
            a.merging(b) { x, y in (x.0 + y.0, zip(x.1, y.1).map(+)) }
        }
        return (rows, zip(left.dense, right.dense).map(+))
    }

    func pull(_ shard: Int, step: Int, ids: [[UInt64]], rank: Int, evaluation: Bool = false) -> Message {
        var header = ShardJob.header(.pull, rank: rank)
        header.step = UInt32(step)
        return .pull(
            header, tableCounts: Payload(copying: ids.map { UInt32($0.count) }),
            ids: Payload(copying: ids.flatMap(\.self)),
            dense: map.denseRange(ofShard: shard, count: layout.count).count, evaluation: evaluation)
    }

    func push(_ shard: Int, step: Int, _ node: Subtree, rank: Int) -> Message {
        let sums = sums(step: step, node)
        let count = plan.microBatches(of: step)
        var header = ShardJob.header(.push, rank: rank)
        header.step = UInt32(step)
        header.subtree = node.packed
        header.microBatches = UInt16(count)
        header.samples = UInt32(node.covers(of: count).count * plan.microBatch)
        let rows = sums.rows.enumerated().map { table, rows in
            rows.filter { map.shard(table: table, id: $0.key) == shard }.sorted { $0.key < $1.key }
        }
        let range = map.denseRange(ofShard: shard, count: layout.count)
        return .push(
            header, tableCounts: Payload(copying: rows.map { UInt32($0.count) }),
            ids: Payload(copying: rows.flatMap { $0.map(\.key) }),
            rowSamples: Payload(copying: rows.flatMap { $0.map(\.value.0) }),
            gradients: Payload(copying: rows.flatMap { $0.flatMap(\.value.1) }),
            dense: Payload(copying: Array(sums.dense[range])))
    }

    /// Sends to a shard and returns what it answered.
    func send(_ message: Message, to shard: Int) -> [Message] {
        shards[shard].receive(message, from: [1]).map(\.message)
    }

    /// Runs steps with so many workers; `order` chooses in which order their pushes arrive.
    func run(steps: Int, workers: Int, reversed: Bool = false) {
        for step in 1...steps {
            let count = plan.microBatches(of: step)
            var nodes = (0..<workers).flatMap { worker in
                Subtree.maximal(in: Subtree.block(worker, of: workers, over: count), of: count).map { (worker, $0) }
            }
            if reversed { nodes.reverse() }
            for (worker, node) in nodes {
                for shard in shards.indices { _ = send(push(shard, step: step, node, rank: worker), to: shard) }
            }
        }
    }

    /// Every stored row and dense float by name, as bits: equal exactly when the states are.
    func state() -> [String: [UInt32]] {
        var state: [String: [UInt32]] = [:]
        let rows = PartitionRows()
        for shard in shards {
            for table in shard.tables {
                for partition in table.owned {
                    try? table.export(partition: partition, into: rows)
                    for row in 0..<rows.ids.count {
                        let weights = (0..<table.layout.width).map {
                            rows.weights[row * table.layout.width + $0].bitPattern
                        }
                        let slots = (0..<table.layout.slots).map {
                            rows.slots[row * table.layout.slots + $0].bitPattern
                        }
                        state["\(table.options.name)/\(rows.ids[row])"] =
                            weights + slots + [rows.counts[row], rows.steps[row]]
                    }
                }
            }
            for place in shard.denseRange {
                state["dense/\(place)"] = [shard.dense.weights[place - shard.denseRange.lowerBound].bitPattern]
            }
        }
        return state
    }
}
