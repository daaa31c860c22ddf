@testable import Telemetry

/// A status as a running cluster of any size would have it, the same one every time.
enum Simulated {
    /// When it was taken.
    static let time = 1_790_000_000.0

    /// Shards two a server, and workers.
    static func status(shards: Int = 4, workers: Int = 3) -> ClusterStatus {
        var status = ClusterStatus()
        status.time = time
        status.job = job()
        status.limitedBy = "compute of worker 1 (91 %)"
        let servers = (shards + 1) / 2
        status.nodes = [node("scheduler", 0)] + (0..<servers).map { node("server", $0) }
        status.nodes += (0..<workers).map { node("worker", $0) }
        status.shards = (0..<shards).map { shard($0, workers: workers) }
        status.workers = (0..<workers).map { worker($0, shards: shards) }
        status.tables = [table("item", shards), table("category", shards)]
        status.skew.rows = 1.01
        status.skew.bytes = 1.02
        status.skew.pulledRows = 1.21
        status.skew.traffic = 1.3
        status.skew.busy = 1.38
        status.lag = (0..<workers).map { worker in (0..<shards).map { ($0 + worker) % 3 - 1 } }
        status.waits = [WaitStatus(who: "worker 1", name: "values of shard 1 for step 1205", seconds: 7.5, count: 31)]
        status.events = (0..<12).map {
            EventStatus(time: time - 60 + Double($0), kind: .joined, text: "worker \($0) joined", step: $0)
        }
        status.evaluations = [
            EvaluationStatus(
                time: time - 30, split: "validation", step: 1000, samples: 8000, auc: 0.9026, gauc: 0.8876,
                logLoss: 0.4158, calibration: 1.0003, isBest: true)
        ]
        return status
    }

    /// The same job after its end: 100 s of training.
    static func finished(shards: Int = 4, workers: Int = 3) -> ClusterStatus {
        var status = status(shards: shards, workers: workers)
        status.job.state = .finished
        status.job.reason = "all steps done"
        status.job.trainingStarted = time - 100
        status.job.ended = time
        for index in status.nodes.indices { status.nodes[index].state = .done }
        return status
    }

    /// Points a second, rising and falling.
    static func series(_ count: Int = 90) -> [SeriesPoint] {
        (0..<count).map { (index: Int) -> SeriesPoint in
            let place = Double(index)
            let wave = Double(index % 7) * 1000
            let auc: Double? = index < 2 ? nil : 0.5 + place * 0.004
            return SeriesPoint(
                time: time - Double(count) + place, step: index * 10, samplesPerSecond: 60_000 + wave,
                loss: 0.7 - place * 0.003, auc: auc, rows: index * 100, receivedBytesPerSecond: 1e7,
                sentBytesPerSecond: 2e7, read: 0.1, wait: 0.2, compute: 0.6, push: 0.1)
        }
    }

    private static func job() -> JobStatus {
        var job = JobStatus()
        job.name = "din-1"
        job.directory = "/runs/din-1"
        job.id = "00c0ffee"
        job.model = "din"
        job.state = .running
        job.started = time - 65
        job.trainingStarted = time - 60
        job.step = 1204
        job.lastStep = 3000
        job.epoch = 1
        job.epochs = 4
        job.samples = 1_232_896
        job.samplesTotal = 3_072_000
        job.samplesPerSecond = 67_688
        job.meanSamplesPerSecond = 66_123
        job.loss = 0.41234
        job.auc = 0.81237
        job.checkpoint = CheckpointReport(step: 1000, time: time - 12, seconds: 0.42, bytes: 231_000_000)
        job.scheduler = "tcp://127.0.0.1:5555"
        return job
    }

    private static func node(_ role: String, _ rank: Int) -> NodeStatus {
        var node = NodeStatus()
        node.role = role
        node.rank = rank
        node.state = .running
        node.host = "node-\(rank)"
        node.address = role == "scheduler" ? "" : "10.0.0.\(rank % 200)"
        node.incarnation = 1
        node.pid = 4000 + rank
        node.endpoints = role == "worker" ? [] : ["tcp://10.0.0.\(rank % 200):5555"]
        node.step = 1204
        node.activity = role == "worker" ? "waits for values of shard 1 for step 1205" : "answers"
        node.silentSeconds = 0.4
        node.cores = 0.93
        node.process.residentBytes = 82_000_000
        node.process.peakBytes = 83_500_000
        node.process.threads = 4
        node.process.openFiles = 17
        return node
    }

    private static func shard(_ number: Int, workers: Int) -> ShardStatus {
        var shard = ShardStatus()
        shard.server = number / 2
        shard.state = .running
        shard.endpoint = "tcp://10.0.0.\(number % 200):\(5000 + number)"
        shard.report.shard = number
        shard.report.step = 1204
        var item = TableReport()
        item.name = "item"
        item.width = 18
        item.rows = 1_240_312 + number * 1000
        item.bytes.weights = 89_302_464
        item.bytes.optimizer = 89_302_464
        item.bytes.index = 29_000_000
        item.pulledRows = 6_000_000
        item.distinct = 1_251_000
        shard.report.tables = [item]
        shard.report.denseBytes = 40_000
        shard.report.pulls = 18_412 + number
        shard.report.pushes = 4603
        shard.report.pulledRows = 6_000_000
        shard.report.pullBytes = 48_000_000
        shard.report.pushBytes = 432_000_000
        shard.report.valueBytes = 433_000_000
        shard.report.otherBytes = 300_000
        shard.report.gatherSeconds = 12
        shard.report.mergeSeconds = 9
        shard.report.updateSeconds = 8.5
        shard.report.queue = 3
        for index in 1...200 { shard.report.pullSeconds.add(seconds: Double(index + number) * 1e-5) }
        for _ in 0..<10 { shard.report.applySeconds.add(seconds: 0.0017) }
        shard.report.checkpoint = CheckpointReport(step: 1000, time: time - 12, seconds: 0.4, bytes: 115_000_000)
        shard.report.staleness = [900, 80, 20]
        shard.report.workers = (0..<workers).map { _ in
            var place = WorkerPlace()
            place.pulled = 1204
            place.pushed = 1203
            return place
        }
        if number == 1 {
            shard.report.parked = [ParkedPull(worker: 0, step: 1205, seconds: 0.3)]
            shard.waitsFor = "step 1205 waits for micro-batches 4..<8 of worker 1"
            shard.report.malformed = [2: 3]
            shard.report.refused = ["rate": 2]
            shard.report.duplicates = 1
        }
        shard.pullsPerSecond = 306.9
        shard.pushesPerSecond = 76.7
        shard.receivedBytesPerSecond = 8_000_000
        shard.sentBytesPerSecond = 7_221_666
        shard.busy = 0.49
        return shard
    }

    private static func worker(_ rank: Int, shards: Int) -> WorkerStatus {
        var worker = WorkerStatus()
        worker.rank = rank
        worker.state = .running
        worker.host = "node-\(rank)"
        worker.report.step = 1205
        worker.report.samples = 410_965
        worker.report.readSeconds = 9
        worker.report.waitSeconds = 12
        worker.report.computeSeconds = 38
        worker.report.pushSeconds = 1
        worker.report.waitByShard = (0..<shards).map { $0 == 1 ? 8.52 : 3.48 / Double(max(1, shards - 1)) }
        worker.report.references = 9_000_000
        worker.report.pulledRows = 2_000_000
        for index in 1...100 { worker.report.pullSeconds.add(seconds: Double(index) * 1e-4) }
        worker.report.sentBytes = 640_000_000
        worker.report.receivedBytes = 577_000_000
        worker.samplesPerSecond = 22_562
        worker.read = 0.15
        worker.wait = 0.2
        worker.compute = 0.63
        worker.push = 0.02
        worker.blockedBy = worker.report.waitByShard.map { $0 / 12 }
        return worker
    }

    private static func table(_ name: String, _ shards: Int) -> TableStatus {
        var table = TableStatus()
        table.name = name
        table.width = 18
        table.rows = 1_240_312 * shards
        table.distinct = 1_251_000 * Double(shards)
        table.hotTotal = 9_000_000
        let share = name == "item" ? 0.087 : 0.047
        table.hot = (0..<30).map { place in
            HotPlace(
                id: String(UInt64.max - UInt64(place)), count: 783_000 - place * 1000, error: place * 7,
                share: share - Double(place) * 0.001, shard: place % max(1, shards))
        }
        return table
    }
}

extension Simulated {
    /// A job that a killed worker ended.
    static func failed() -> ClusterStatus {
        var status = finished()
        status.job.state = .failed
        status.failure = FailureReport(
            time: time, cause: .killed, first: "worker 1", host: "node-1", pid: 4001, what: "was killed by signal 9",
            log: "runs/din-1/logs/worker-1.log", lastLines: ["the line before", "the last line"],
            followers: ["worker 0", "server 0"], remedy: "look at the memory", step: 1204)
        return status
    }
}
