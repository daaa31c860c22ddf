package import Telemetry

/// The status of a cluster of any size that trains, second by second: what measurements and tests show.
package struct SimulatedCluster: Sendable {
    /// Shards, one a server.
    package var shards: Int
    /// Workers.
    package var workers: Int
    /// Seconds since 1970 when it began.
    package var began: Double

    private static let tables = ["item", "category", "user"]

    /// - Parameter began: seconds since 1970.
    package init(shards: Int, workers: Int, began: Double = 1_790_000_000) {
        self.shards = shards
        self.workers = workers
        self.began = began
    }

    /// A number in 0..<1 that depends on its arguments only.
    private func noise(_ parts: Int...) -> Double {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        for part in parts {
            state = (state ^ UInt64(bitPattern: Int64(part))) &* 0xbf58_476d_1ce4_e5b9
            state ^= state >> 29
        }
        return Double(state >> 11) / Double(1 << 53)
    }

    /// The status after some seconds of training.
    package func status(after second: Int) -> ClusterStatus {
        var status = ClusterStatus()
        let step = second * 40
        status.time = began + 5 + Double(second)
        status.job = job(second, step)
        status.limitedBy = "compute of worker \(workers / 2) (91 %)"
        status.shards = (0..<shards).map { shard($0, second, step) }
        status.workers = (0..<workers).map { worker($0, second, step) }
        status.nodes = nodes(second, step)
        status.tables = Self.tables.indices.map { TableStatus(summing: $0, of: status.shards) }
        status.skew.rows = 1.04
        status.skew.bytes = 1.03
        status.skew.pulledRows = 1.21
        status.skew.traffic = 1.2
        status.skew.busy = 1.38
        status.lag = (0..<workers).map { worker in
            (0..<shards).map { Int(noise(worker, $0, second) * noise(worker) * 5) }
        }
        status.waits = (0..<min(workers, 40)).map { rank in
            WaitStatus(
                who: "worker \(rank)", name: "values of shard \(rank % shards) for step \(step + 1)",
                seconds: 0.2 * noise(rank, second, 1), count: step)
        }
        status.events = events(second)
        status.evaluations = evaluations(second)
        return status
    }

    /// The point of the curves of a second.
    package func point(after second: Int) -> SeriesPoint {
        SeriesPoint(
            time: began + 5 + Double(second), step: second * 40, samplesPerSecond: 40_000 + 4000 * noise(second, 2),
            loss: 0.45 + 0.24 / (1 + Double(second) / 60) + 0.02 * noise(second, 3),
            auc: 0.74 - 0.22 / (1 + Double(second) / 60) + 0.01 * noise(second, 4), rows: 200 * second * shards,
            receivedBytesPerSecond: 4.2e7 + 1e6 * noise(second, 5), sentBytesPerSecond: 8.8e7 + 2e6 * noise(second, 6),
            read: 0.03, wait: 0.2 + 0.03 * noise(second, 7), compute: 0.7 - 0.03 * noise(second, 7), push: 0.07)
    }

    private func job(_ second: Int, _ step: Int) -> JobStatus {
        var job = ClusterStatus().job
        job.name = "simulated"
        job.directory = "/runs/simulated"
        job.id = "5eed"
        job.model = "din"
        job.version = "1"
        job.state = .running
        job.started = began
        job.trainingStarted = began + 5
        job.step = step
        job.lastStep = 144_000
        job.epochs = 2
        job.samples = step * 1024
        job.samplesTotal = 144_000 * 1024
        let point = point(after: second)
        job.samplesPerSecond = point.samplesPerSecond
        job.meanSamplesPerSecond = 41_960
        job.loss = point.loss
        job.auc = point.auc
        job.checkpoint = checkpoint(second, bytes: 3 << 28)
        job.scheduler = "tcp://10.0.0.1:5555"
        job.config = "data: {directory: simulated}\nmodel:\n  kind: din\n"
        return job
    }

    /// Once a minute.
    private func checkpoint(_ second: Int, bytes: Int) -> CheckpointReport {
        let minute = second / 60
        return CheckpointReport(
            step: 2400 * minute, time: began + 5 + Double(60 * minute), seconds: 1.2, bytes: bytes)
    }

    private func times(_ count: Int, _ mean: Double, _ seed: Int) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for index in 0..<count {
            let value = noise(index, seed)
            histogram.add(seconds: mean * (0.5 + value + 8 * value * value * value * value * value * value))
        }
        return histogram
    }

    private func shard(_ number: Int, _ second: Int, _ step: Int) -> ShardStatus {
        var shard = ShardStatus()
        shard.server = number
        shard.state = .running
        shard.endpoint = "tcp://10.0.1.\(number):7000"
        shard.pullsPerSecond = 40 * Double(workers)
        shard.pushesPerSecond = 40 * Double(workers)
        shard.pulledRowsPerSecond = 18_000 + 4000 * noise(number, second)
        shard.pushedRowsPerSecond = shard.pulledRowsPerSecond
        shard.receivedBytesPerSecond = 4.2e7 / Double(shards) * (0.9 + 0.2 * noise(number, second, 8))
        shard.sentBytesPerSecond = 8.8e7 / Double(shards) * (0.9 + 0.2 * noise(number, second, 9))
        shard.gather = 0.1 + 0.4 * noise(number)
        shard.merge = 0.08
        shard.update = 0.12 + 0.05 * noise(number, second)
        shard.busy = shard.gather + shard.merge + shard.update
        shard.report = report(number, second, step)
        if !shard.report.parked.isEmpty {
            shard.waitsFor = "step \(step + 1) waits for micro-batches 4..<8 of worker \(number % workers)"
        }
        return shard
    }

    private func report(_ number: Int, _ second: Int, _ step: Int) -> ShardReport {
        var report = ShardReport()
        report.shard = number
        report.step = step
        report.tables = Self.tables.enumerated().map { index, name in
            var table = TableReport()
            table.name = name
            table.width = 18
            table.rows = second * [120, 2, 80][index]
            table.pulledRows = second * 6000
            table.missedRows = second * 40
            table.updatedRows = second * 5000
            table.bytes.weights = table.rows * 72
            table.bytes.optimizer = table.rows * 144
            table.bytes.counts = table.rows * 12
            table.bytes.index = table.rows * 16
            table.distinct = Double(table.rows) * 1.02
            table.hot = (0..<64).map {
                HotId(id: UInt64($0 * shards + number), count: 9000 * second / ($0 + 1), error: $0)
            }
            table.hotTotal = second * 30_000
            return table
        }
        report.denseBytes = 80_000
        report.pulls = step * workers
        report.pulledRows = second * 18_000
        report.pushes = step * workers
        report.pushedRows = second * 18_000
        report.parkings = step / 3
        report.pullBytes = second * 300_000
        report.pushBytes = second * 900_000
        report.valueBytes = second * 1_200_000
        report.otherBytes = second * 9000
        report.queue = Int(noise(number, second, 10) * 6)
        report.queuePeak = 41
        report.pullSeconds = times(150, 0.0003, number)
        report.pushSeconds = times(150, 0.0005, number + 1)
        report.applySeconds = times(60, 0.002, number + 2)
        report.parkedSeconds = times(60, 0.004, number + 3)
        report.staleness = [step * workers * 8 / 10, step * workers * 2 / 10]
        report.workers = (0..<workers).map { _ in
            var place = WorkerPlace()
            place.pulled = step + 1
            place.pushed = step
            return place
        }
        if noise(number, second, 11) > 0.7 {
            report.parked = [ParkedPull(worker: (number + 1) % workers, step: step + 1, seconds: 0.004)]
        }
        report.microBatches = 8
        report.checkpoint = checkpoint(second, bytes: 12 << 20)
        return report
    }

    private func worker(_ rank: Int, _ second: Int, _ step: Int) -> WorkerStatus {
        var worker = WorkerStatus()
        worker.rank = rank
        worker.state = .running
        worker.host = "node-\(rank / 8)"
        worker.samplesPerSecond = 42_000 / Double(workers) * (0.95 + 0.1 * noise(rank, second))
        worker.sentBytesPerSecond = 4.2e7 / Double(workers)
        worker.receivedBytesPerSecond = 8.8e7 / Double(workers)
        worker.read = 0.03
        worker.push = 0.07
        worker.compute = 0.55 + 0.3 * noise(rank)
        worker.wait = 1 - worker.read - worker.push - worker.compute
        worker.blockedBy = (0..<shards).map { $0 == rank % shards ? 0.6 : 0.4 / Double(max(1, shards - 1)) }
        worker.report.step = step + 1
        worker.report.steps = step
        worker.report.samples = step * 1024 / workers
        worker.report.readSeconds = worker.read * Double(second)
        worker.report.waitSeconds = worker.wait * Double(second)
        worker.report.computeSeconds = worker.compute * Double(second)
        worker.report.pushSeconds = worker.push * Double(second)
        worker.report.waitByShard = worker.blockedBy.map { $0 * worker.wait * Double(second) }
        worker.report.references = second * 64_000
        worker.report.pulledRows = second * 18_000
        worker.report.pushedRows = second * 18_000
        worker.report.pulls = step * shards
        worker.report.pushes = step * shards
        worker.report.sentBytes = second * 160_000
        worker.report.receivedBytes = second * 340_000
        worker.report.pullSeconds = times(100, 0.004, rank)
        worker.report.stepSeconds = times(100, 0.025, rank + 1)
        return worker
    }

    private func nodes(_ second: Int, _ step: Int) -> [NodeStatus] {
        let names =
            [("scheduler", 0)] + (0..<shards).map { ("server", $0) } + (0..<workers).map { ("worker", $0) }
        return names.enumerated().map { index, name in
            var node = NodeStatus()
            node.role = name.0
            node.rank = name.1
            node.state = .running
            node.host = "node-\(index / 8)"
            node.address = name.0 == "scheduler" ? "" : "10.0.\(index / 250).\(index % 250)"
            node.incarnation = 1
            node.pid = 1000 + index
            node.endpoints = name.0 == "server" ? ["tcp://10.0.1.\(name.1):7000"] : []
            node.step = step
            node.activity = name.0 == "worker" ? "computes step \(step + 1)" : ""
            node.silentSeconds = 0.2
            node.clockSkewSeconds = name.0 == "scheduler" ? nil : -0.001
            node.cores = name.0 == "worker" ? 0.9 : 0.4
            node.process.residentBytes = 300 << 20
            node.process.peakBytes = 320 << 20
            node.process.processorSeconds = 0.9 * Double(second)
            node.process.threads = 4
            node.process.openFiles = 40
            node.process.started = began
            return node
        }
    }

    private func evaluations(_ second: Int) -> [EvaluationStatus] {
        let count = second / 60
        return (0..<count).map { index in
            let gain: Double = 0.1 - 0.1 / Double(index + 2)
            let time: Double = began + 65 + Double(60 * index)
            return EvaluationStatus(
                time: time, split: "validation", step: 2400 * (index + 1), samples: 100_000, auc: 0.62 + gain,
                gauc: 0.6 + gain, logLoss: 0.55 - 0.002 * Double(index), calibration: 1.01, isBest: index == count - 1)
        }
    }

    private func events(_ second: Int) -> [EventStatus] {
        var events = (0..<min(64, shards + workers)).map {
            EventStatus(
                time: began + 0.05 * Double($0), kind: .joined,
                text: $0 < shards ? "server \($0) of node-\($0 / 8)" : "worker \($0 - shards) of node-\($0 / 8)",
                step: 0)
        }
        events.append(EventStatus(time: began + 5, kind: .started, text: "training began", step: 0))
        for minute in 0..<second / 60 {
            let time = began + 65 + 60 * Double(minute)
            let step = 2400 * (minute + 1)
            events.append(EventStatus(time: time, kind: .evaluated, text: "validation scored", step: step))
            events.append(
                EventStatus(time: time + 2, kind: .checkpoint, text: "checkpoint of step \(step)", step: step))
        }
        return Array(events.suffix(500))
    }
}
