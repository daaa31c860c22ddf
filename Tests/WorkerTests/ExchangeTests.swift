import Kernels
import Server
import Tensors
import Testing
import Wire

@testable import Parameters
@testable import Worker

/// Workers and shards of one job in one thread: real plans, pulls, pushes and tables, no sockets.
private final class Exchange {
    static let widths = [4, 3]
    let plan = JobPlan(trainSamples: 48, batch: 12, microBatch: 2, epochs: 3)
    let map: PartitionMap
    let layout: ParameterLayout
    let shards: [Shard]
    let workers: Int
    let clients: [ParameterClient]
    let plans: [StepPlan]
    let values: [[Column<Float>]]
    let dense: [DenseVector]
    /// Every so many messages to a shard are lost on their first way.
    var losesEvery = 0
    private var sent = 0
    private let now = ContinuousClock.now

    init(shards count: Int, workers: Int) throws {
        var layout = ParameterLayout()
        _ = layout.matrix("w", rows: 7, columns: 9)
        self.layout = layout
        self.workers = workers
        let map = try PartitionMap(partitions: 16, shards: count)
        self.map = map
        let plan = self.plan
        shards = try (0..<count).map { shard in
            let options = ShardOptions(
                shard: shard, map: map,
                tables: Exchange.widths.enumerated().map { index, width in
                    TableOptions(
                        name: "t\(index)", width: width, regularization: RegularizationOptions(counts: .running))
                },
                layout: layout, initialDense: [Float](repeating: 0.5, count: layout.count), dense: DenseOptions(),
                seed: 3, plan: plan, checkpoints: "")
            return try Shard(options, identity: Exchange.header(.server, shard))
        }
        clients = (0..<workers).map {
            ParameterClient(
                identity: Exchange.header(.worker, $0), map: map, widths: Exchange.widths, denseCount: layout.count,
                timeout: .seconds(1))
        }
        plans = (0..<workers).map { _ in StepPlan(tables: 2, map: map, capacity: 6) }
        values = (0..<workers).map { _ in Exchange.widths.map { _ in Column<Float>() } }
        dense = (0..<workers).map { _ in DenseVector(count: layout.count) }
    }

    static func header(_ role: Role, _ rank: Int) -> Header {
        Header(.pull, role: role, rank: UInt16(rank), incarnation: 1, job: 4, epoch: 1)
    }

    /// The distinct ids of a micro-batch.
    func ids(step: Int, _ microBatch: Int, _ table: Int) -> Column<UInt64> {
        let column = Column<UInt64>()
        for draw in 0..<5 {
            let id = 2 + Philox.below(11, key: 7, UInt64(step * 64 + microBatch), UInt64(table * 8 + draw))
            if !column.buffer.contains(id) { column.append(id) }
        }
        return column
    }

    /// A contribution that is a function of the micro-batch and of the pulled values, as a model's gradient is.
    func contribution(_ worker: Int, step: Int, batch: Int) -> Contribution {
        let plan = plans[worker]
        let microBatch = plan.owned.lowerBound + batch
        let result = Contribution(denseCount: layout.count, widths: Exchange.widths)
        result.samples = self.plan.microBatch
        for i in 0..<layout.count { result.dense.base[i] = dense[worker].base[i] * Float(microBatch + 1) - 0.7 }
        for (index, width) in Exchange.widths.enumerated() {
            for row in plan.tables[index].rowOf[batch].buffer {
                result.tables[index].rows.append(row)
                result.tables[index].counts.append(1)
                for column in 0..<width {
                    let value = values[worker][index][Int(row) * width + column]
                    result.tables[index].gradients.append(value * 0.3 + Float(microBatch) * 0.11 - 0.4)
                }
            }
        }
        return result
    }

    /// Delivers messages of a worker, and the answers to whoever they are for, until nothing is under way.
    func deliver(_ outgoing: [(worker: Int, out: ParameterClient.Outgoing)]) throws {
        var queue = outgoing
        while !queue.isEmpty {
            let (worker, item) = queue.removeFirst()
            sent += 1
            if losesEvery > 0, sent % losesEvery == 0 { continue }
            for answer in shards[item.shard].receive(item.message, from: [UInt8(worker)]) {
                let to = Int(answer.to[0])
                switch try clients[to].receive(
                    answer.message, from: item.shard, plan: plans[to], values: values[to], dense: dense[to], at: now)
                {
                case .nothing: break
                case .pulled: pulled.insert(to)
                case .resend(let out): queue.append((to, out))
                }
            }
        }
    }

    private var pulled: Set<Int> = []

    /// All workers pull, compute and push one step; lost messages are repeated when their deadline has passed.
    func run(step: Int) throws {
        pulled = []
        let count = plan.microBatches(of: step)
        for worker in 0..<workers {
            let plan = plans[worker]
            plan.step = step
            plan.microBatchCount = count
            plan.owned = Subtree.block(worker, of: workers, over: count)
            plan.unite { self.ids(step: step, plan.owned.lowerBound + $0, $1) }
            for (index, width) in Exchange.widths.enumerated() {
                values[worker][index].resize(plan.tables[index].ids.count * width)
            }
            try deliver(clients[worker].pull(plan, evaluation: false, at: now).map { (worker, $0) })
        }
        var tries = 0
        while pulled.count < workers, tries < 50 {
            tries += 1
            for worker in 0..<workers {
                try deliver(clients[worker].tick(at: now + .seconds(60 * tries)).map { (worker, $0) })
            }
        }
        #expect(pulled.count == workers)
        for worker in 0..<workers { try push(worker, step: step, of: count) }
        while shards.contains(where: { $0.step < step }), tries < 100 {
            tries += 1
            for worker in 0..<workers {
                try deliver(clients[worker].tick(at: now + .seconds(600 * tries)).map { (worker, $0) })
            }
        }
    }

    private func push(_ worker: Int, step: Int, of count: Int) throws {
        let plan = plans[worker]
        let nodes = Subtree.maximal(in: plan.owned, of: count)
        let slots = plan.tables.map { table in
            let column = Column<Int32>()
            column.fill(table.ids.count, with: -1)
            return column
        }
        func sum(_ node: Subtree) -> Contribution {
            guard node.level > 0 else {
                return contribution(worker, step: step, batch: node.index - plan.owned.lowerBound)
            }
            let left = sum(Subtree(level: node.level - 1, index: node.index * 2))
            let other = Subtree(level: node.level - 1, index: node.index * 2 + 1)
            if !other.covers(of: count).isEmpty { left.add(sum(other), slots: slots) }
            return left
        }
        for node in nodes {
            try deliver(
                clients[worker].push(sum(node), node: node, of: plan, isWhole: nodes.count == 1, at: now)
                    .map { (worker, $0) })
        }
    }

    /// Weights of all ids and the dense vector after the last step, as bits.
    func state(after step: Int) throws -> [UInt32] {
        let plan = plans[0]
        let all = Column<UInt64>()
        for id in 2..<14 { all.append(UInt64(id)) }
        plan.step = step
        plan.owned = 0..<1
        plan.unite { _, _ in all }
        for (index, width) in Exchange.widths.enumerated() { values[0][index].resize(12 * width) }
        losesEvery = 0
        try deliver(clients[0].pull(plan, evaluation: true, at: now).map { (0, $0) })
        var bits: [UInt32] = []
        for (index, width) in Exchange.widths.enumerated() {
            let table = plan.tables[index]
            for id in all.buffer {
                let row = (0..<12).first { table.ids[$0] == id } ?? 0
                bits += (0..<width).map { values[0][index][row * width + $0].bitPattern }
            }
        }
        return bits + (0..<layout.count).map { dense[0].base[$0].bitPattern }
    }
}

@Suite struct ExchangeTests {
    private func final(shards: Int, workers: Int, losesEvery: Int = 0) throws -> [UInt32] {
        let exchange = try Exchange(shards: shards, workers: workers)
        exchange.losesEvery = losesEvery
        for step in 1...8 { try exchange.run(step: step) }
        #expect(exchange.shards.allSatisfy { $0.step == 8 })
        return try exchange.state(after: 8)
    }

    @Test("any number of workers and shards pulls and pushes its way to the same bits")
    func sameBits() throws {
        let expected = try final(shards: 1, workers: 1)
        #expect(Set(expected).count > 30)
        for shards in [1, 2, 3] {
            for workers in [1, 2, 3, 4, 6] {
                #expect(try final(shards: shards, workers: workers) == expected, "\(shards) shards, \(workers) workers")
            }
        }
    }

    @Test("lost messages are repeated and change no bit", arguments: [3, 5, 7])
    func losses(every: Int) throws {
        #expect(try final(shards: 2, workers: 3, losesEvery: every) == final(shards: 1, workers: 1))
    }
}
