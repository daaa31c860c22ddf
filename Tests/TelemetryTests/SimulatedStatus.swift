@testable import Telemetry

/// A status of a job that uses everything; no two numbers in it are equal, so that none can be taken for another.
struct SimulatedStatus {
    private var last = 1000

    /// A cluster of so many shards (two a server) and workers, all parts of it filled.
    static func make(shards: Int = 3, workers: Int = 4, tables: [String] = ["item", "category"]) -> ClusterStatus {
        var simulation = SimulatedStatus()
        return simulation.status(shards, workers, tables)
    }

    private mutating func number() -> Int {
        last += 7
        return last
    }

    private mutating func real() -> Double { Double(number()) + 0.123456789 }

    private mutating func times() -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for _ in 0..<20 {
            let place = Double(number() * 2_654_435_761 % 1_000_003) / 1_000_003
            // From 100 ns to 100 s: the open ends too.
            histogram.add(seconds: 1e-7 * exp10(9 * place))
        }
        return histogram
    }

    private func exp10(_ power: Double) -> Double {
        var (value, rest) = (1.0, power)
        while rest >= 1 { (value, rest) = (value * 10, rest - 1) }
        return value * (1 + 9 * rest)
    }

    private mutating func status(_ shards: Int, _ workers: Int, _ tables: [String]) -> ClusterStatus {
        var status = ClusterStatus()
        status.time = 1_764_087_973.25
        status.job = job()
        for shard in 0..<shards { status.shards.append(self.shard(shard, workers, tables)) }
        for rank in 0..<workers { status.workers.append(worker(rank, shards)) }
        let servers = (shards + 1) / 2
        status.nodes = [node("scheduler", 0)]
        for rank in 0..<servers { status.nodes.append(node("server", rank)) }
        for rank in 0..<workers { status.nodes.append(node("worker", rank)) }
        for name in tables { status.tables.append(table(name)) }
        status.skew.rows = real()
        status.skew.bytes = real()
        status.skew.pulledRows = real()
        status.skew.traffic = real()
        status.skew.busy = real()
        status.lag = (0..<workers).map { worker in (0..<shards).map { (worker * 5 + $0 * 3) % 9 - 1 } }
        status.waits = [
            WaitStatus(who: "worker 1", name: "values of shard 1 for step 17", seconds: real(), count: number()),
            WaitStatus(who: "worker 1", name: "verdict of shard 0", seconds: 2.5, count: number()),
            WaitStatus(who: "scheduler", name: "worker 1", seconds: real(), count: number()),
        ]
        status.evaluations = [
            evaluation("validation", isBest: true), evaluation("validation", isBest: false),
            evaluation("test", isBest: false),
        ]
        status.failure = FailureReport(
            time: 1, cause: .killed, first: "worker 1", host: "h", pid: 7, what: "killed", remedy: "resume", step: 1)
        return status
    }

    private mutating func job() -> JobStatus {
        var job = JobStatus()
        job.name = "din-1"
        job.model = "din"
        job.version = "0.4.0"
        job.build.swift = "6.3.1"
        job.build.zeromq = "4.3.4"
        job.build.openblas = "0.3.21 Haswell"
        job.state = .failed
        job.started = 1_764_087_000.5
        job.trainingStarted = 1_764_087_010.5
        job.ended = 1_764_087_970.5
        job.step = number()
        job.lastStep = number()
        job.epoch = number()
        job.epochs = number()
        job.samples = number()
        job.samplesTotal = number()
        job.loss = real()
        job.auxiliaryLoss = real()
        job.auc = real()
        job.checkpoint = CheckpointReport(step: number(), time: real(), seconds: real(), bytes: number())
        job.checkpointFailures = number()
        return job
    }

    private mutating func node(_ role: String, _ rank: Int) -> NodeStatus {
        var node = NodeStatus()
        node.role = role
        node.rank = rank
        node.state = NodeStatus.State.allCases[number() / 7 % NodeStatus.State.allCases.count]
        node.incarnation = UInt32(number())
        node.step = number()
        node.silentSeconds = real()
        // Of the scheduler, and of nodes that have not reported, nothing is known.
        if role != "scheduler" { node.clockSkewSeconds = real() }
        node.warnings = number()
        if role != "worker" { node.turnedAway = ["unknownKey": number(), "garbage": number()] }
        node.process.residentBytes = number()
        node.process.peakBytes = number()
        node.process.processorSeconds = real()
        node.process.threads = number()
        node.process.openFiles = number()
        node.process.started = real()
        return node
    }

    private mutating func table(_ name: String) -> TableStatus {
        var table = TableStatus()
        table.name = name
        table.width = number()
        table.distinct = real()
        table.hot = [
            HotPlace(id: "18446744073709551615", count: number(), error: number(), share: real(), shard: 0),
            HotPlace(id: "7", count: number(), error: number(), share: real(), shard: 1),
        ]
        return table
    }

    private mutating func shard(_ shard: Int, _ workers: Int, _ tables: [String]) -> ShardStatus {
        var status = ShardStatus()
        status.server = shard / 2
        status.state = .running
        var report = ShardReport()
        report.shard = shard
        report.step = number()
        report.denseBytes = number()
        report.pulls = number()
        report.pulledRows = number()
        report.pushes = number()
        report.pushedRows = number()
        report.duplicates = number()
        report.parkings = number()
        report.refused = ["sendKeys": number(), "stepPassed": number(), "ofTomorrow": number()]
        // The last one's rank is none of a worker's: a sender may claim anything.
        report.malformed = [0: number(), workers - 1: number(), 65_535: number()]
        report.garbage = number()
        report.pullBytes = number()
        report.pushBytes = number()
        report.valueBytes = number()
        report.otherBytes = number()
        report.queue = number()
        report.queuePeak = number()
        report.pullSeconds = times()
        report.pushSeconds = times()
        report.applySeconds = times()
        report.parkedSeconds = times()
        report.gatherSeconds = real()
        report.mergeSeconds = real()
        report.updateSeconds = real()
        report.writeSeconds = real()
        report.staleness = [number(), number(), number(), number(), number(), number()]
        report.workers = (0..<workers).map { _ in
            var place = WorkerPlace()
            place.duplicates = number()
            return place
        }
        report.parked = (0..<shard).map { ParkedPull(worker: $0, step: 4, seconds: real()) }
        report.missing = [4, 8, 10, 11]
        report.microBatches = number()
        report.checkpoint = CheckpointReport(step: number(), time: real(), seconds: real(), bytes: number())
        report.regularization = real()
        for name in tables { report.tables.append(part(of: name)) }
        status.report = report
        return status
    }

    private mutating func part(of name: String) -> TableReport {
        var table = TableReport()
        table.name = name
        table.rows = number()
        table.pulledRows = number()
        table.missedRows = number()
        table.updatedRows = number()
        table.refusedRows = number()
        table.bytes.weights = number()
        table.bytes.optimizer = number()
        table.bytes.counts = number()
        table.bytes.index = number()
        table.bytes.slack = number()
        return table
    }

    private mutating func worker(_ rank: Int, _ shards: Int) -> WorkerStatus {
        var status = WorkerStatus()
        status.rank = rank
        status.state = .running
        var report = WorkerReport()
        report.step = number()
        report.steps = number()
        report.samples = number()
        report.scored = number()
        report.readSeconds = real()
        report.waitSeconds = real()
        report.computeSeconds = real()
        report.pushSeconds = real()
        report.waitByShard = (0..<shards).map { _ in real() }
        report.threads = number()
        report.references = number()
        report.pulledRows = number()
        report.pushedRows = number()
        report.pulls = number()
        report.pushes = number()
        report.retries = number()
        report.refused = ["sendKeys": number(), "unavailable": number()]
        report.sentBytes = number()
        report.receivedBytes = number()
        report.pullSeconds = times()
        report.stepSeconds = times()
        report.nonfinite = number()
        status.report = report
        return status
    }

    private mutating func evaluation(_ split: String, isBest: Bool) -> EvaluationStatus {
        EvaluationStatus(
            time: real(), split: split, step: number(), samples: number(), auc: real(), gauc: real(), logLoss: real(),
            calibration: real(), isBest: isBest)
    }
}
