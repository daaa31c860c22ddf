import Cluster
import Datasets
import Foundation
import Job
import Models
import Telemetry
import Tensors
import Transport
import Wire

/// A worker that follows a script instead of training: it joins a real scheduler, sends real shards messages that it has
/// made up, some of them twice, some of them damaged, and knows what each shard must have counted.
final class ScriptedWorker {
    /// What a shard must have counted.
    struct Counts {
        var pulls = 0
        var pulledRows = 0
        var pushes = 0
        var pushedRows = 0
        var pullBytes = 0
        var pushBytes = 0
        var valueBytes = 0
        var otherBytes = 0
        var duplicates = 0
        var malformed = 0
        /// By table: samples that contained each id.
        var hot: [[UInt64: Int]]

        var rows: Int { hot.reduce(0) { $0 + $1.count } }
    }

    private(set) var counts: [Counts]
    let steps = 7
    let samples: Int
    private let job: Job
    private let map: PartitionMap
    private let link: SchedulerLink
    private let sockets: [Socket]
    private var request: UInt32 = 1

    /// Joins; the servers are there already or will be.
    init(config: String, overrides: [String], scheduler: String) throws {
        job = try Job(try ConfigReader.read(path: config, overrides: overrides))
        let context = try Context()
        var options = NodeOptions(scheduler: scheduler, hello: SystemInfo.hello(.worker, rank: 0))
        (options.wait, options.silence) = (.seconds(60), .seconds(60))
        link = try SchedulerLink(options, in: context)
        let welcome = try link.join()
        let endpoints = welcome.servers.flatMap(\.self)
        map = try PartitionMap(shards: endpoints.count)
        sockets = try endpoints.map { try Socket.connect(to: $0, in: context) }
        let tables = job.dataset.schema.tables
        counts = endpoints.map { _ in Counts(hot: tables.map { _ in [:] }) }
        samples = job.plan.samples(through: steps)
        link.send(.ready(Ready()))
    }

    /// Follows the script to its end.
    func run() throws {
        for step in 1...steps {
            for shard in sockets.indices {
                let rows = rows(shard, step)
                pull(shard, step, rows)
                let push = push(shard, step, rows)
                send(push, to: shard) { $0.pushes += 1 }
                counts[shard].pushedRows += Int(push.header.rows)
                for (table, ids) in rows.enumerated() {
                    for (id, times) in ids { counts[shard].hot[table][id, default: 0] += Int(times) }
                }
                // As after a lost acknowledgement: every second push comes again, the fourth once more.
                for _ in 0..<(step % 2 == 0 ? step / 2 : 0) { send(push, to: shard) { $0.duplicates += 1 } }
            }
            if step % 3 == 0 {
                var damaged = push(0, step + 1, rows(0, step + 1))
                damaged.header.samples += 1
                send(damaged, to: 0) { $0.malformed += 1 }
            }
            link.note(step: step, "following a script")
        }
        var report = NodeReport()
        report.time = Date().timeIntervalSince1970
        report.worker = WorkerReport()
        report.worker?.samples = samples
        report.worker?.steps = steps
        link.send(.counters(report))
    }

    /// Shows that it lives.
    func beat() throws {
        _ = try link.receive()
        link.note(step: steps, "following a script")
    }

    /// By table the ids of a step that live on a shard, and how many samples contain each: the first few are hot.
    private func rows(_ shard: Int, _ step: Int) -> [[(id: UInt64, times: UInt32)]] {
        job.dataset.schema.tables.indices.map { table in
            var rows: [(id: UInt64, times: UInt32)] = []
            for place in 0..<40 {
                let id = UInt64(2 + (place < 5 ? place : place * step))
                guard map.shard(table: table, id: id) == shard, !rows.contains(where: { $0.id == id }) else { continue }
                rows.append((id, UInt32(place < 5 ? 20 - 3 * place : 1)))
            }
            return rows
        }
    }

    private func header(_ kind: MessageKind, _ step: Int) -> Header {
        var header = link.identity
        header.kind = kind
        header.step = UInt32(step)
        header.request = request
        request += 1
        return header
    }

    private func pull(_ shard: Int, _ step: Int, _ rows: [[(id: UInt64, times: UInt32)]]) {
        let dense = map.denseRange(ofShard: shard, count: job.model.layout.count).count
        let message = Message.pull(
            header(.pull, step), tableCounts: Payload(copying: rows.map { UInt32($0.count) }),
            ids: Payload(copying: rows.flatMap { $0.map(\.id) }), dense: dense)
        send(message, to: shard) { $0.pulls += 1 }
        counts[shard].pulledRows += Int(message.header.rows)
    }

    private func push(_ shard: Int, _ step: Int, _ rows: [[(id: UInt64, times: UInt32)]]) -> Message {
        let microBatches = job.plan.microBatches(of: step)
        var header = header(.push, step)
        header.subtree = Subtree.root(of: microBatches).packed
        header.microBatches = UInt16(microBatches)
        header.samples = UInt32(job.plan.positions(of: step).count)
        let widths = job.model.tables.map(\.width)
        let floats = rows.enumerated().reduce(0) { $0 + $1.element.count * widths[$1.offset] }
        let dense = map.denseRange(ofShard: shard, count: job.model.layout.count).count
        return .push(
            header, tableCounts: Payload(copying: rows.map { UInt32($0.count) }),
            ids: Payload(copying: rows.flatMap { $0.map(\.id) }),
            rowSamples: Payload(copying: rows.flatMap { $0.map(\.times) }),
            gradients: Payload(copying: [Float](repeating: 0.01, count: floats)),
            dense: Payload(copying: [Float](repeating: 0.01, count: dense)))
    }

    /// Sends a message, waits for its answer, and counts both.
    private func send(_ message: Message, to shard: Int, _ count: (inout Counts) -> Void) {
        count(&counts[shard])
        if message.header.kind == .pull {
            counts[shard].pullBytes += message.byteCount
        } else {
            counts[shard].pushBytes += message.byteCount
        }
        sockets[shard].send(message)
        var poller = Poller([sockets[shard]], Inbox<Int>())
        let deadline = ContinuousClock.now + .seconds(20)
        while .now < deadline {
            poller.wait(.milliseconds(100))
            guard case .message(let answer, _)? = sockets[shard].receive() else { continue }
            if answer.header.kind == .values {
                counts[shard].valueBytes += answer.byteCount
            } else {
                counts[shard].otherBytes += answer.byteCount
            }
            return
        }
    }
}
