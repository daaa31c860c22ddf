import Testing

@testable import Telemetry

@Suite struct LimitationTests {
    private func status(_ workers: [(read: Double, wait: Double, compute: Double, push: Double)]) -> ClusterStatus {
        var status = ClusterStatus()
        status.job.state = .running
        status.workers = workers.enumerated().map { rank, shares in
            var worker = WorkerStatus()
            worker.rank = rank
            (worker.read, worker.wait, worker.compute, worker.push) = shares
            return worker
        }
        return status
    }

    @Test("the worker that waits least names the limit by what it spends its time on")
    func worker() {
        let compute = status([(0.1, 0.4, 0.5, 0), (0.05, 0.01, 0.91, 0.03), (0, 0.6, 0.4, 0)])
        #expect(Limitation.sentence(compute) == "compute of worker 1 (91 %)")
        #expect(Limitation.sentence(status([(0.7, 0.1, 0.1, 0.1)])) == "read of worker 0 (70 %)")
    }

    @Test("when every worker waits most of its time, the busiest shard is named, or what lies between")
    func shard() {
        var waiting = status([(0.1, 0.8, 0.1, 0), (0.1, 0.7, 0.2, 0)])
        #expect(Limitation.sentence(waiting) == "waiting between workers and shards (70 %)")
        for (number, busy) in [0.3, 0.8].enumerated() {
            var shard = ShardStatus()
            shard.report.shard = number
            (shard.busy, shard.gather, shard.update) = (busy, busy / 4, busy / 2)
            waiting.shards.append(shard)
        }
        #expect(Limitation.sentence(waiting) == "updating rows of shard 1 (busy 80 %)")
    }

    @Test("when all wait for each other and a host has no processor left, the host is named")
    func host() {
        var status = status([(0.2, 0.5, 0.3, 0), (0.2, 0.48, 0.3, 0.02)])
        for (host, pid, cores) in [("a", 1, 0.2), ("b", 7, 1.1), ("b", 8, 0.75), ("b", 8, 0.75)] {
            var node = NodeStatus()
            (node.host, node.pid, node.cores, node.process.processors) = (host, pid, cores, 2)
            status.nodes.append(node)
        }
        #expect(Limitation.sentence(status) == "processors of b (1.9 of 2 busy)")
        status.nodes[1].cores = 0.5
        #expect(Limitation.sentence(status) == "waiting between workers and shards (48 %)")
    }

    @Test("before the start it says who is missing, and in an evaluation what is waited for")
    func waits() {
        var status = ClusterStatus()
        for rank in 0..<6 {
            var node = NodeStatus()
            (node.role, node.rank, node.state) = ("worker", rank, rank == 0 ? .running : .waiting)
            status.nodes.append(node)
        }
        let missing = "worker 1, worker 2, worker 3, worker 4 and 1 more"
        #expect(Limitation.sentence(status) == "waiting for \(missing) to join")
        var scoring = self.status([(0.1, 0.1, 0.8, 0)])
        scoring.waits = [WaitStatus(who: "scheduler", name: "scores of test after step 4", seconds: 7.2, count: 1)]
        #expect(Limitation.sentence(scoring) == "scores of test after step 4 (7 s)")
        // Training goes on while a checkpoint is written, unless the workers wait for it too.
        let parts = WaitStatus(
            who: "scheduler", name: "parts of the checkpoint of step 8 by shard 1", seconds: 7.2, count: 1)
        scoring.waits = [parts, WaitStatus(who: "worker 0", name: "values of shard 0", seconds: 0.01, count: 1)]
        #expect(Limitation.sentence(scoring) == "compute of worker 0 (80 %)")
        scoring.waits = [parts, WaitStatus(who: "worker 0", name: "the verdict of step 8", seconds: 7.1, count: 1)]
        #expect(Limitation.sentence(scoring) == "parts of the checkpoint of step 8 by shard 1 (7 s)")
    }

    @Test("rates are taken over the last seconds, or over a lifetime")
    func window() {
        var window = ReportWindow()
        #expect(window.rate { $0.worker.map { Double($0.samples) } ?? 0 } == 0)
        for second in 0..<10 {
            var report = NodeReport()
            report.time = 100 + Double(second)
            report.worker = WorkerReport()
            // 10 a second at first, 50 a second from the fifth on.
            report.worker?.samples = second < 5 ? 10 * second : 40 + 50 * (second - 4)
            window.add(report)
        }
        #expect(window.rate { Double($0.worker?.samples ?? 0) } == 50)
        #expect(window.rate(lifetime: 29) { Double($0.worker?.samples ?? 0) } == 10)
    }
}
