package import Telemetry
import Tensors
package import Wire

/// A valid message of every kind: what tests of hostile messages begin with.
package enum Samples {
    /// A message of a kind, from whoever the header names; data messages have two tables of widths 3 and 2, and 48 dense floats.
    package static func message(_ kind: MessageKind, _ header: Header) -> Message {
        var header = header
        header.kind = kind
        // A new kind does not compile until it has its sample.
        switch kind {
        case .pull: return pull(header)
        case .values:
            return .values(
                to: pull(header).header, from: header, values: Payload(copying: [Float](repeating: 0.5, count: 8)),
                dense: Payload(copying: [Float](repeating: 1, count: 48)))
        case .push: return push(header)
        case .pushed: return .pushed(to: header, from: header)
        case .refused: return .refused(to: header, from: header, Refusal(.unavailable, "later"))
        case .probe: return .probe(header, bytes: 64, back: 128)
        case .probed: return Message.probe(header, bytes: 64, back: 128).probed(from: header)
        case .scores:
            return .scores(
                header, range: ScoresRange(split: "valid", step: 4, first: 0, count: 2),
                logits: Payload(copying: [Float(0.5), -1]), labels: Payload(copying: [Float(1), 0]),
                keys: Payload(copying: [UInt64(1), 2]))
        default: return control(kind).message(header)
        }
    }

    /// A training pull of step 1.
    package static func pull(_ header: Header) -> Message {
        var header = header
        header.step = max(1, header.step)
        return .pull(
            header, tableCounts: Payload(copying: [UInt32(2), 1]), ids: Payload(copying: [UInt64(2), 3, 4]), dense: 48)
    }

    /// A push of the left half of step 1: 8 micro-batches of two samples.
    package static func push(_ header: Header) -> Message {
        var header = header
        header.step = max(1, header.step)
        header.subtree = Subtree(level: 2, index: 0).packed
        header.microBatches = 8
        header.samples = 8
        return .push(
            header, tableCounts: Payload(copying: [UInt32(2), 1]), ids: Payload(copying: [UInt64(2), 3, 4]),
            rowSamples: Payload(copying: [UInt32(1), 8, 0]),
            gradients: Payload(copying: [Float](repeating: 0.25, count: 8)),
            dense: Payload(copying: [Float](repeating: 0.5, count: 48)))
    }

    private static func control(_ kind: MessageKind) -> Control {
        switch kind {
        case .hello:
            var hello = Hello(
                role: .worker, wantedRank: 0, endpoints: ["tcp://127.0.0.1:7000"], host: "h", pid: 7, processor: "p",
                blas: "b", version: "1")
            (hello.job, hello.advertise, hello.isPlaced) = ("j", "h", true)
            return .hello(hello)
        case .welcome:
            var welcome = Welcome(
                job: .max, rank: 0, epoch: 1, servers: [["tcp://127.0.0.1:7000"]], workers: 2, config: "seed: 1\n",
                resumePath: "r", resumeStep: 0, dataset: "d")
            (welcome.serverKeys, welcome.nodeKeys, welcome.incarnations) = (["k"], ["k"], [7])
            return .welcome(welcome)
        case .ready: return .ready(Ready(rows: 1, seconds: 0.5))
        case .heartbeat: return .heartbeat(Heartbeat(step: 1, state: "training"))
        case .progress:
            return .progress(
                Progress(
                    step: 1, samples: 8, loss: 5.5, auxiliaryLoss: 0.5, computeSeconds: 0.5, waitSeconds: 0.5,
                    wireSeconds: 0.5, readSeconds: 0.5,
                    histogram: ScoreHistogram(negatives: [1, 2], positives: [3, 4])))
        case .reached: return .reached(Reached(step: 4))
        case .verdict: return .verdict(Verdict(step: 4, action: .score(split: "valid")))
        case .snapshot: return .snapshot(SnapshotRequest(step: 4, directory: "c", final: true))
        case .snapshotDone:
            return .snapshotDone(
                SnapshotDone(
                    step: 4, shard: 0, file: "f", rows: 1, bytes: 1, checksum: "c", partitions: [0, 1],
                    tables: [TableSize(name: "t", rows: 1)]))
        case .stop: return .stop(Stop(reason: "r", isRefusal: false))
        case .stopped: return .stopped(report)
        case .failed:
            return .failed(
                Failure(
                    role: .worker, rank: 0, step: 4, message: "m", cause: .config, isConsequence: false, checkpoint: 4))
        case .inspect: return .inspect(Inspect(seriesSince: 0.5))
        case .inspected: return .inspected(Inspection(status: ClusterStatus(), series: []))
        case .counters: return .counters(report)
        case .probeWish: return .probeWish(ProbeWish(number: 1, worker: 0, seconds: 0.5))
        case .probeResult:
            var path = PathSpeed(shard: 0, endpoint: "tcp://127.0.0.1:7000")
            (path.sentMegabytesPerSecond, path.receivedMegabytesPerSecond) = (0.5, 0.5)
            path.roundTripMicroseconds = 0.5
            return .probeResult(ProbeResult(number: 1, worker: 0, paths: [path], refusal: "r"))
        case .hold: return .hold
        case .leaving: return .leaving(Leaving(isInterrupt: true))
        case .pull, .values, .push, .pushed, .refused, .probe, .probed, .scores:
            preconditionFailure("\(kind) is no control message")
        }
    }

    /// A report in which every list has an element.
    package static var report: NodeReport {
        var report = NodeReport()
        report.waits = [WaitReport(name: "w", seconds: 0.5, count: 1)]
        report.turnedAway = ["garbage": 1]
        var shard = ShardReport()
        var table = TableReport()
        table.name = "t0"
        table.hot = [HotId(id: 7, count: 3, error: 0)]
        shard.tables = [table]
        shard.pullSeconds.add(seconds: 0.01)
        shard.refused = ["malformed": 1]
        shard.malformed = [0: 1, -1: 2]
        shard.staleness = [1]
        shard.workers = [WorkerPlace()]
        shard.parked = [ParkedPull(worker: 0, step: 1, seconds: 0.5)]
        (shard.missing, shard.microBatches) = ([0, 4], 8)
        shard.checkpoint = CheckpointReport(step: 1, time: 1.5, seconds: 0.5, bytes: 10)
        report.shards = [shard]
        var worker = WorkerReport()
        worker.waitByShard = [0.5]
        worker.stepSeconds.add(seconds: 0.01)
        report.worker = worker
        return report
    }
}
