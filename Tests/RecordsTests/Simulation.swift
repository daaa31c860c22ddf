import Foundation

@testable import Display
@testable import Telemetry

/// A cluster's status as a run of some size leaves it, made of nothing.
struct Simulation {
    var status = ClusterStatus()
    var points: [Record] = []
    static let start = 1_764_000_000.0

    init(shards: Int, workers: Int, seconds: Int = 600) {
        status.time = Self.start + Double(seconds)
        status.limitedBy = "compute of worker \(workers - 1) (91 %)"
        setJob(seconds)
        status.shards = (0..<shards).map { Self.shard($0, workers: workers) }
        status.workers = (0..<workers).map { Self.worker($0, shards: shards) }
        status.nodes = [Self.node("scheduler", 0)] + (0..<(shards + 1) / 2).map { Self.node("server", $0) }
        status.nodes += (0..<workers).map { Self.node("worker", $0) }
        status.tables = [Self.table("item", shards: shards), Self.table("user", shards: shards)]
        status.skew.rows = 1.031
        status.skew.bytes = 1.044
        status.skew.pulledRows = 1.35
        status.skew.traffic = 1.21
        status.skew.busy = 1.5
        for step in stride(from: 1000, through: 6000, by: 1000) {
            let gain = 0.03 * Double(step) / 6000
            status.evaluations.append(
                EvaluationStatus(
                    time: Self.start + Double(step) / 10, split: "validation", step: step, samples: step * 4096,
                    auc: 0.71 + gain, gauc: 0.68 + gain, logLoss: 0.55 - gain, calibration: 1.01, isBest: true))
        }
        status.evaluations.append(
            EvaluationStatus(
                time: status.time, split: "test", step: 6000, samples: 6000 * 4096, auc: 0.7345, gauc: 0.7012,
                logLoss: 0.5234, calibration: 0.997, isBest: false))
        status.events = [
            EventStatus(time: Self.start, kind: .joined, text: "server 0 on node-a", step: 0),
            EventStatus(time: Self.start + 1, kind: .started, text: "training on 5 nodes", step: 0),
            EventStatus(time: Self.start + 300, kind: .checkpoint, text: "step 3000 in 1.2 s", step: 3000),
            EventStatus(time: Self.start + 600, kind: .finished, text: "all epochs", step: 6000),
        ]
        points = (0..<seconds).map(Self.point)
    }

    private mutating func setJob(_ seconds: Int) {
        status.job.name = "simulated"
        status.job.model = "din"
        status.job.version = "0.1.0"
        status.job.state = .finished
        status.job.reason = "all epochs"
        status.job.started = Self.start - 4
        status.job.trainingStarted = Self.start
        status.job.ended = status.time
        status.job.step = 6000
        status.job.lastStep = 6000
        status.job.epochs = 2
        status.job.epoch = 1
        status.job.samples = 6000 * 4096
        status.job.samplesTotal = 6000 * 4096
        status.job.meanSamplesPerSecond = 40_960
        status.job.build.swift = "6.3"
        status.job.build.openblas = "OpenBLAS 0.3.21, Haswell"
        status.job.build.zeromq = "4.3.4"
        status.job.build.processor = "A processor of 64 cores"
    }

    private static func point(_ second: Int) -> Record {
        let t = Double(second)
        let noise = sin(t * 12.9898) * 0.01
        var point = Record(time: start + t, step: second * 10)
        point.samplesPerSecond = 41_000 + 90_000 * noise
        point.loss = 0.52 + 0.17 * exp(-t / 60) + noise
        point.auxiliaryLoss = 0.2 + 0.4 * exp(-t / 90) + noise / 2
        point.auc = 0.75 - 0.2 * exp(-t / 80) + noise
        point.rows = Int(4e6 * (1 - exp(-t / 200)))
        point.receivedBytesPerSecond = 8e7 + 1e9 * noise
        point.sentBytesPerSecond = 6e7 + 7e8 * noise
        point.read = 0.08
        point.wait = 0.15 + noise
        point.compute = 0.7 - noise
        point.push = 0.07
        return point
    }

    private static func shard(_ number: Int, workers: Int) -> ShardStatus {
        var shard = ShardStatus()
        shard.server = number / 2
        shard.state = .done
        let share = 1 + 0.2 * sin(Double(number))
        var table = TableReport()
        table.name = "item"
        table.rows = Int(1e6 * share)
        table.bytes.weights = Int(64e6 * share)
        table.bytes.optimizer = Int(128e6 * share)
        table.bytes.counts = Int(8e6 * share)
        table.bytes.index = Int(16e6 * share)
        shard.report.shard = number
        shard.report.tables = [table]
        shard.report.denseBytes = 2_000_000
        shard.report.pulls = 6000 * workers
        shard.report.pushes = 6000 * workers
        shard.report.pulledRows = Int(9e6 * share)
        shard.report.pushedRows = Int(8e6 * share)
        shard.report.parkings = 120 * number
        shard.report.pullBytes = Int(7e7 * share)
        shard.report.pushBytes = Int(6e8 * share)
        shard.report.valueBytes = Int(5e8 * share)
        shard.report.gatherSeconds = 90 * share
        shard.report.mergeSeconds = 60 * share
        shard.report.updateSeconds = 110 * share
        shard.report.writeSeconds = 4
        shard.report.queuePeak = 7 + number % 5
        shard.report.staleness = [900, 30, 2]
        for value in 1...100 {
            shard.report.pullSeconds.add(seconds: 0.0004 * Double(value) * share)
            shard.report.pushSeconds.add(seconds: 0.0007 * Double(value) * share)
            shard.report.applySeconds.add(seconds: 0.0011 * share)
        }
        return shard
    }

    private static func worker(_ rank: Int, shards: Int) -> WorkerStatus {
        var worker = WorkerStatus()
        worker.rank = rank
        worker.state = .done
        worker.host = "node-\(rank % 4)"
        worker.report.steps = 6000
        worker.report.samples = 6000 * 4096 / 4
        worker.report.readSeconds = 48
        worker.report.waitSeconds = 90 + Double(rank % 7) * 8
        worker.report.computeSeconds = 420 - Double(rank % 7) * 9
        worker.report.pushSeconds = 42
        worker.report.threads = 4
        worker.report.references = 90_000_000
        worker.report.pulledRows = 12_000_000
        worker.report.receivedBytes = 900_000_000
        worker.report.sentBytes = 1_100_000_000
        worker.report.waitByShard = (0..<shards).map { 4 + 3 * sin(Double($0 * 7 + rank)) }
        for value in 1...100 {
            worker.report.pullSeconds.add(seconds: 0.001 * Double(value))
            worker.report.stepSeconds.add(seconds: 0.1 + 0.0005 * Double(value))
        }
        return worker
    }

    private static func node(_ role: String, _ rank: Int) -> NodeStatus {
        var node = NodeStatus()
        node.role = role
        node.rank = rank
        node.state = .done
        node.host = "node-\(rank % 4)"
        node.pid = 1000 + rank
        node.endpoints = role == "server" ? ["tcp://10.0.0.\(rank):4000", "tcp://10.0.0.\(rank):4001"] : []
        node.process.residentBytes = 700_000_000
        node.process.peakBytes = 900_000_000
        node.process.processorSeconds = 2300
        node.process.threads = 6
        node.process.openFiles = 44
        return node
    }

    private static func table(_ name: String, shards: Int) -> TableStatus {
        var table = TableStatus()
        table.name = name
        table.width = 16
        table.rows = 1_000_000 * shards
        table.pulledRows = 9_000_000 * shards
        table.missedRows = 400_000 * shards
        table.updatedRows = 8_000_000 * shards
        table.distinct = 1.02e6 * Double(shards)
        table.bytes.weights = 64_000_000 * shards
        table.hot = (1...20).map {
            HotPlace(
                id: String(18_446_744_073_709_551_000 + UInt64($0)), count: 1_000_000 / $0, error: $0 < 5 ? 0 : 31 * $0,
                share: 0.08 / Double($0), shard: $0 % shards)
        }
        return table
    }

    /// Everything that could be text is hostile.
    mutating func poison(_ text: String) {
        status.limitedBy = text
        status.job.name = text
        status.job.model = text
        status.job.reason = text
        status.job.directory = text
        status.job.version = text
        status.job.id = text
        status.job.scheduler = text
        status.job.build.swift = text
        status.job.build.zeromq = text
        status.job.build.openblas = text
        status.job.build.processor = text
        for index in status.nodes.indices {
            status.nodes[index].role = text
            status.nodes[index].host = text
            status.nodes[index].endpoints = [text]
            status.nodes[index].state = .lost
            status.nodes[index].warnings = 3
        }
        for index in status.shards.indices {
            status.shards[index].report.refused = [text: 4]
            status.shards[index].endpoint = text
            status.shards[index].waitsFor = text
        }
        for index in status.workers.indices {
            status.workers[index].host = text
            status.workers[index].report.refused = [text: 5]
        }
        for index in status.tables.indices {
            status.tables[index].name = text
            status.tables[index].refusedRows = 6
            status.tables[index].hot = [HotPlace(id: text, count: 1, error: 0, share: 1, shard: 0)]
        }
        for index in status.events.indices { status.events[index].text = text }
        for index in status.evaluations.indices { status.evaluations[index].split = text }
        status.job.state = .failed
        status.failure = FailureReport(
            time: status.time, cause: .killed, first: text, host: text, pid: 1, what: text, log: text,
            lastLines: [text, text], followers: [text], remedy: text, step: 17)
    }
}
