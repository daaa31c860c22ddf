import Cluster
import Foundation
import Kernels
import Parameters
import Server
import Tensors
import Transport
import Wire

/// Rows a second of one shard: 1 M rows of 18 floats, requests of 25,000 distinct ids, Adagrad.
struct ShardBench {
    private static let rows = 1_000_000
    private static let request = 25_000
    private static let width = 18
    /// All ids, each once, in requests.
    private static let all = stride(from: 0, to: rows, by: request).map { first in
        (first..<first + request).map { UInt64($0) + 2 }
    }
    private let seconds: Double
    private let options: TableOptions
    private let requests: [[UInt64]]

    /// - Parameter seconds: length of each measurement.
    init(seconds: Double) {
        self.seconds = seconds
        var options = TableOptions(name: "item", width: ShardBench.width)
        options.optimizer.rate = 0.05
        options.regularization.kind = .none
        self.options = options
        requests = (0..<40).map { number in
            var seen: Set<UInt64> = []
            var ids: [UInt64] = []
            var counter: UInt64 = 0
            while ids.count < ShardBench.request {
                counter += 1
                let id = Philox.below(UInt64(ShardBench.rows), key: UInt64(number), 0, counter) + 2
                if seen.insert(id).inserted { ids.append(id) }
            }
            return ids
        }
    }

    /// Measures everything; returns lines.
    func run() throws -> [String] {
        let map = try PartitionMap(shards: 1)
        let table = try Table(
            index: 0, options: options, partitionBits: map.bits, partitions: Array(map.partitions(ofShard: 0)), seed: 1)
        let count = ShardBench.request
        let gradients = [Float](repeating: 0.01, count: count * ShardBench.width)
        let counts = [UInt32](repeating: 1, count: count)
        var step = 0
        func apply(_ ids: [UInt64]) throws {
            step += 1
            _ = try table.apply(ids: ids, count: ids.count, gradients: gradients, counts: counts, scale: 1, step: step)
        }
        try Self.all.forEach(apply)
        var values = [Float](repeating: 0, count: count * ShardBench.width)
        let pull = try rate { try table.pull(ids: requests[$0], count: count, into: &values) }
        let push = try rate { try apply(requests[$0]) }
        let overhead = Double(table.bytes.header + table.bytes.index) / Double(table.rowCount)
        // One request after the other.
        let remote = try remote(map)
        func millions(_ value: Double) -> String { String(format: "%.1f M rows/s", value / 1e6) }
        return [
            "shard, 25,000 ids of 18 floats: pull \(millions(pull)), apply \(millions(push)) (Adagrad)",
            "through ZeroMQ (ipc): pull \(millions(remote.pull)), push \(millions(remote.push))",
            "row overhead beyond weights and optimizer state: \(String(format: "%.1f", overhead)) bytes",
        ]
    }

    /// Rows a second of a function called with the number of a request.
    private func rate(_ body: (Int) throws -> Void) throws -> Double {
        for number in 0..<4 { try body(number) }
        var done = 0
        let began = ContinuousClock.now
        while began.duration(to: .now) < .seconds(seconds) {
            try body(done % requests.count)
            done += 1
        }
        return Double(done * ShardBench.request) / (began.duration(to: .now) / .seconds(1))
    }

    private func remote(_ map: PartitionMap) throws -> (pull: Double, push: Double) {
        let directory = try PrivateDirectory()
        defer { directory.remove() }
        let plan = JobPlan(trainSamples: 1, batch: 1, microBatch: 1, epochs: 1_000_000_000)
        let shard = try Shard(
            ShardOptions(
                shard: 0, map: map, tables: [options], layout: ParameterLayout(), initialDense: [],
                dense: DenseOptions(), seed: 1, plan: plan, checkpoints: ""),
            identity: Header(.values, role: .server, rank: 0, incarnation: 1, job: 1, epoch: 1))
        let client = try BenchClient(shard, at: "ipc://\(directory.path)/shard")
        for ids in Self.all {
            try client.pull(ids)
            try client.push(ids, width: ShardBench.width)
        }
        let pull = try rate { try client.pull(requests[$0]) }
        let both = try rate {
            try client.pull(requests[$0])
            try client.push(requests[$0], width: ShardBench.width)
        }
        // A push needs the pull before it: its own time is the rest.
        return (pull, 1 / (1 / both - 1 / pull))
    }
}

/// Asks one shard through a socket, lets it answer, and waits for the answer.
private final class BenchClient {
    private let shard: Shard
    private let shardSocket: Socket
    private let socket: Socket
    private let buffers = BufferPool()
    private var step: UInt32 = 1
    private var request: UInt32 = 0
    private var hash: UInt64 = 0

    init(_ shard: Shard, at endpoint: String) throws {
        let context = try Context()
        self.shard = shard
        shardSocket = try Socket.listen(on: endpoint, in: context)
        socket = try Socket.connect(to: shardSocket.endpoint, in: context)
    }

    private var header: Header {
        request += 1
        return Header(
            .pull, role: .worker, rank: 0, incarnation: 1, job: 1, epoch: 1, step: step, request: request)
    }

    func pull(_ ids: [UInt64]) throws {
        let list = buffers.take(bytes: ids.count * 8)
        _ = list.array(of: UInt64.self, count: ids.count).update(from: ids)
        let message = Message.pull(
            header, tableCounts: Payload(copying: [UInt32(ids.count)]), ids: Payload(list), dense: 0, evaluation: false)
        hash = message.header.keyListHash
        try exchange(message, .values)
    }

    func push(_ ids: [UInt64], width: Int) throws {
        var header = header
        header.microBatches = 1
        header.subtree = Subtree(level: 0, index: 0).packed
        header.samples = 1
        header.keyListHash = hash
        let buffer = buffers.take(bytes: ids.count * width * 4)
        buffer.array(of: Float.self, count: ids.count * width).update(repeating: 0.01)
        let samples = buffers.take(bytes: ids.count * 4)
        samples.array(of: UInt32.self, count: ids.count).update(repeating: 1)
        try exchange(
            Message.push(
                header, tableCounts: Payload(copying: [UInt32(ids.count)]),
                rowSamples: Payload(samples), gradients: Payload(buffer), dense: .empty), .pushed)
        step += 1
    }

    private func exchange(_ message: Message, _ expected: MessageKind) throws {
        socket.send(message)
        let question = try next(of: shardSocket)
        for answer in shard.receive(question.message, from: question.name) {
            shardSocket.send(answer.message, to: answer.to)
        }
        let kind = try next(of: socket).message.header.kind
        guard kind == expected else { throw Problem(description: "the shard answered \(kind), not \(expected)") }
    }

    private func next(of socket: Socket) throws -> (message: Message, name: [UInt8]) {
        var poller = Poller([socket])
        let deadline = ContinuousClock.now + .seconds(10)
        while .now < deadline {
            if case .message(let message, let name)? = socket.receive() { return (message, name) }
            poller.wait(.seconds(1))
        }
        throw Problem(description: "the shard did not answer")
    }
}
