import Scheduler
import Telemetry
import Testing
import Wire

@testable import Cluster

@Suite struct StatusDerivationTests {
    /// Two servers of one shard each and two workers, four seconds long.
    private func derived(from first: Int = 0) -> ClusterStatus {
        var windows: [Member: ReportWindow] = [:]
        for second in 0..<5 {
            for rank in first..<2 {
                var server = NodeReport()
                server.time = 1000 + Double(second)
                server.process.processorSeconds = 0.5 * Double(second)
                server.shards = [shard(rank, second)]
                windows[Member(role: .server, rank: rank), default: ReportWindow()].add(server)
                var worker = NodeReport()
                worker.time = 1000.25 + Double(second)
                var report = WorkerReport()
                report.samples = (rank == 0 ? 100 : 300) * second
                report.computeSeconds = 0.75 * Double(second)
                report.waitSeconds = 0.25 * Double(second)
                report.waitByShard = [0.05 * Double(second), 0.2 * Double(second)]
                worker.worker = report
                if rank == 1 { worker.waits = [WaitReport(name: "values of shard 1", seconds: 9, count: 3)] }
                windows[Member(role: .worker, rank: rank), default: ReportWindow()].add(worker)
            }
        }
        var status = ClusterStatus()
        status.job.state = .running
        status.time = 1004
        for role in ["scheduler", "server", "worker"] {
            for rank in 0..<(role == "scheduler" ? 1 : 2) {
                var node = NodeStatus()
                (node.role, node.rank, node.state) = (role, rank, .running)
                status.nodes.append(node)
            }
        }
        StatusDerivation(windows: windows, shape: (2, 1, 2), trainingStarted: 1000)
            .fill(&status, waits: [WaitReport(name: "scores of test", seconds: 0.5, count: 1)])
        return status
    }

    private func shard(_ rank: Int, _ second: Int) -> ShardReport {
        var shard = ShardReport()
        shard.shard = rank
        shard.step = 10
        shard.pulls = 20 * second
        shard.pullBytes = 1000 * second
        shard.gatherSeconds = 0.1 * Double(second)
        shard.updateSeconds = 0.2 * Double(second)
        shard.workers = [WorkerPlace(), WorkerPlace()]
        (shard.workers[0].pulled, shard.workers[1].pulled) = (11, rank == 0 ? 10 : 0)
        var table = TableReport()
        table.rows = rank == 0 ? 10 : 30
        table.distinct = 50
        table.hotTotal = 100
        table.hot = [HotId(id: UInt64(5 + rank), count: 10 + rank, error: rank)]
        shard.tables = [table]
        if rank == 1 {
            shard.parked = [ParkedPull(worker: 0, step: 11, seconds: 2)]
            (shard.missing, shard.microBatches) = ([5, 8], 8)
        }
        return shard
    }

    @Test("rates are differences over the last three seconds, shares add up to one")
    func rates() {
        let status = derived()
        #expect(status.workers.map(\.samplesPerSecond) == [100, 300] && status.job.samplesPerSecond == 400)
        #expect(status.shards.map(\.pullsPerSecond) == [20, 20] && status.shards[0].receivedBytesPerSecond == 1000)
        #expect(abs(status.shards[0].busy - 0.3) < 1e-9 && abs(status.shards[0].update - 0.2) < 1e-9)
        #expect(abs(status.workers[0].compute - 0.75) < 1e-9 && abs(status.workers[0].wait - 0.25) < 1e-9)
        #expect(abs(status.workers[0].blockedBy[1] - 0.8) < 1e-9)
        #expect(abs(status.nodes[1].cores - 0.5) < 1e-9)
        #expect(status.limitedBy == "compute of worker 0 (75 %)")
    }

    @Test("who waits for whom, and how far each worker is at each shard")
    func waits() {
        let status = derived()
        #expect(status.shards[0].waitsFor.isEmpty)
        #expect(status.shards[1].waitsFor == "step 11 waits for micro-batches 5..<8 of worker 1")
        #expect(status.lag == [[0, 0], [1, -1]])
        #expect(status.waits.map(\.who) == ["worker 1", "scheduler"])
    }

    @Test("while a server has told nothing, lag stands under the numbers of the other's shards")
    func partly() {
        let status = derived(from: 1)
        #expect(status.shards.map(\.report.shard) == [1])
        #expect(status.lag == [[-1, 0], [-1, -1]])
    }

    @Test("tables are summed over shards, hot ids ranked, imbalance is largest over mean")
    func tables() {
        let status = derived()
        #expect(status.tables[0].rows == 40 && status.tables[0].distinct == 100 && status.tables[0].hotTotal == 200)
        #expect(status.tables[0].hot.map(\.id) == ["6", "5"] && status.tables[0].hot[0].shard == 1)
        #expect(status.tables[0].hot[0].share == 11.0 / 200)
        #expect(status.skew.rows == 1.5 && status.skew.traffic == 1)
    }
}
