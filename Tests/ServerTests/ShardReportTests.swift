import Telemetry
import Tensors
import Testing
import Wire

@testable import Server

/// What a shard says of itself, against counts that are kept beside it.
@Suite struct ShardReportTests {
    @Test("messages, rows and bytes by kind, duplicates and malformed by sender are counted exactly")
    func traffic() throws {
        let job = try ShardJob(shards: 1)
        var (pulls, pulledRows, pushes, pushedRows) = (0, 0, 0, 0)
        var (pullBytes, pushBytes, valueBytes, otherBytes) = (0, 0, 0, 0)
        func send(_ message: Message) {
            let answers = job.send(message, to: 0)
            if message.header.kind == .pull { pullBytes += message.byteCount }
            if message.header.kind == .push { pushBytes += message.byteCount }
            for answer in answers {
                if answer.header.kind == .values {
                    pulls += 1
                    pulledRows += Int(answer.header.rows)
                    valueBytes += answer.byteCount
                } else {
                    otherBytes += answer.byteCount
                }
            }
        }
        let halves = [Subtree(level: 2, index: 0), Subtree(level: 2, index: 1)]
        for step in 1...4 {
            for rank in 0..<2 {
                send(job.pull(0, step: step, ids: [[2, 3, UInt64(step) + 100], [4]], rank: rank))
            }
            for rank in 0..<2 {
                let push = job.push(0, step: step, halves[rank], rank: rank)
                send(push)
                pushes += 1
                pushedRows += Int(push.header.rows)
                // Worker 1 repeats every push of its, as after a lost acknowledgement.
                if rank == 1 { send(push) }
            }
        }
        var bad = job.push(0, step: 5, halves[1], rank: 1)
        bad.header.samples += 1
        send(bad)
        var stranger = bad
        stranger.header.rank = 60_000
        send(stranger)
        send(job.pull(0, step: 3, ids: [[2], [4]], rank: 0))
        job.shards[0].countGarbage()

        let report = job.shards[0].report()
        #expect((report.pulls, report.pulledRows) == (pulls, pulledRows))
        #expect((report.pulls, report.pulledRows) == (8, 32))
        #expect((report.pushes, report.pushedRows) == (pushes, pushedRows))
        #expect((report.pullBytes, report.pushBytes) == (pullBytes, pushBytes))
        #expect((report.valueBytes, report.otherBytes) == (valueBytes, otherBytes))
        #expect(report.duplicates == 4 && report.workers.map(\.duplicates) == [0, 4])
        #expect(report.malformed == [1: 1, -1: 1] && report.garbage == 1)
        #expect(report.refused == ["malformed": 2, "stepPassed": 1])
        #expect(report.workers.map(\.pulled) == [4, 4] && report.workers.map(\.pushed) == [4, 4])
        #expect(report.staleness == [8])
        #expect(report.pullSeconds.count == 8 && report.applySeconds.count == 4)
        #expect(report.step == 4 && report.missing == [0, 8] && report.microBatches == 8)
    }

    @Test("tables tell rows, memory, misses, updates, and the exact counts of up to 64 ids")
    func tables() throws {
        let job = try ShardJob(shards: 2)
        job.run(steps: 6, workers: 3)
        for (shard, server) in job.shards.enumerated() {
            _ = job.send(
                job.pull(shard, step: 6, ids: ids(of: shard, in: job, 2..<60), rank: 0, evaluation: true), to: shard)
            let report = server.report()
            for (index, table) in report.tables.enumerated() {
                var counts: [UInt64: Int] = [:]
                var updates = 0
                for step in 1...6 {
                    let rows = job.sums(step: step, Subtree.root(of: 8)).rows[index]
                    for (id, row) in rows where job.map.shard(table: index, id: id) == shard {
                        counts[id, default: 0] += Int(row.0)
                        updates += 1
                    }
                }
                let pulled = ids(of: shard, in: job, 2..<60)[index]
                #expect(table.rows == counts.count && table.updatedRows == updates)
                #expect(table.pulledRows == pulled.count)
                #expect(table.missedRows == pulled.filter { counts[$0] == nil }.count)
                #expect(table.hotTotal == counts.values.reduce(0, +))
                #expect(table.hot.count == counts.count)
                #expect(table.hot.allSatisfy { counts[$0.id] == $0.count && $0.error == 0 })
                #expect(abs(table.distinct - Double(pulled.count)) < 0.1 * Double(pulled.count) + 0.5)
                // Adagrad: a slot for each weight; count and step are 8 bytes.
                #expect(table.bytes.weights == counts.count * table.width * 4)
                #expect(table.bytes.optimizer == table.bytes.weights && table.bytes.counts == counts.count * 8)
            }
            #expect(report.denseBytes == server.denseRange.count * 3 * 4)
        }
    }

    @Test("a pull that waits is told with whom it waits for, and how long those waited that went on")
    func parked() throws {
        let job = try ShardJob(shards: 1)
        _ = job.send(job.push(0, step: 1, Subtree(level: 2, index: 0), rank: 0), to: 0)
        _ = job.send(job.pull(0, step: 2, ids: [[2], [4]], rank: 0), to: 0)
        var report = job.shards[0].report()
        #expect(report.parkings == 1 && report.parked.map(\.worker) == [0] && report.parked.map(\.step) == [2])
        #expect(report.missing == [4, 8] && report.microBatches == 8)
        _ = job.send(job.push(0, step: 1, Subtree(level: 2, index: 1), rank: 1), to: 0)
        report = job.shards[0].report()
        #expect(report.parked.isEmpty && report.parkedSeconds.count == 1 && report.parkings == 1)
    }

    /// Those of a range of ids that live on a shard, by table.
    private func ids(of shard: Int, in job: ShardJob, _ range: Range<UInt64>) -> [[UInt64]] {
        ShardJob.widths.indices.map { table in range.filter { job.map.shard(table: table, id: $0) == shard } }
    }
}
