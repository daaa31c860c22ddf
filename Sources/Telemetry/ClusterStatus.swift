/// Everything known of a job at one moment: the one source of terminal, page, API, Prometheus and `status.json`.
package struct ClusterStatus: Codable, Sendable, Equatable {
    /// The version of this layout.
    package static let schema = 2

    package var schema = ClusterStatus.schema
    /// Seconds since 1970.
    package var time = 0.0
    /// The job as a whole.
    package var job = JobStatus()
    /// "compute of worker 3 (91 %)": what a faster one of would make the job faster.
    package var limitedBy = ""
    /// Processes (threads in `train`) by role and rank: the scheduler first, then servers, then workers.
    package var nodes: [NodeStatus] = []
    /// By number.
    package var shards: [ShardStatus] = []
    /// By rank.
    package var workers: [WorkerStatus] = []
    /// By table of the schema, all shards together.
    package var tables: [TableStatus] = []
    /// Imbalance of shards.
    package var skew = Skew()
    /// Steps by which worker w lags at shard s: `lag[w][s]`; −1 while it has not asked there.
    package var lag: [[Int]] = []
    /// Everything that somebody waits for, longest first.
    package var waits: [WaitStatus] = []
    /// Newest last; at most 500.
    package var events: [EventStatus] = []
    /// Splits scored, oldest first: the newest ones, and the best of each split.
    package var evaluations: [EvaluationStatus] = []
    /// How many older ones are only in `metrics.jsonl`, by split; nil while all are here.
    package var evaluationsLeftOut: [String: Int]?
    /// Why and how the job failed.
    package var failure: FailureReport?

    package init() {}

    /// Whether the job has ended, one way or the other: its rates and shares are means over training then.
    package var isOver: Bool {
        switch job.state {
        case .waiting, .running: false
        case .finished, .stopped, .failed: true
        }
    }

    /// Seconds from the first step to the end, or to now; 0 before the first step.
    package var trainingSeconds: Double {
        guard job.trainingStarted > 0 else { return 0 }
        return max(0, (job.ended > 0 ? job.ended : time) - job.trainingStarted)
    }

    /// Evaluations that are kept: a long run has thousands, and each status holds all.
    package static let evaluationsKept = 200

    /// Takes over an evaluation; of those that are too many the oldest goes that is not the best of its split.
    package mutating func add(_ evaluation: EvaluationStatus) {
        evaluations.append(evaluation)
        guard evaluations.count > Self.evaluationsKept else { return }
        let best = Set(
            Dictionary(evaluations.indices.filter { evaluations[$0].isBest }.map { (evaluations[$0].split, $0) }) { $1 }
                .values)
        guard let place = evaluations.indices.first(where: { !best.contains($0) }) else { return }
        let split = evaluations.remove(at: place).split
        evaluationsLeftOut = (evaluationsLeftOut ?? [:]).merging([split: 1]) { $0.plus($1) }
    }
}

/// The job as a whole.
package struct JobStatus: Codable, Sendable, Equatable {
    /// Where it is in its life.
    package enum State: String, Codable, Sendable, CaseIterable { case waiting, running, finished, stopped, failed }

    /// The run's name: the last part of its directory.
    package var name = ""
    /// The run's directory, absolute.
    package var directory = ""
    /// The job's number, in hexadecimal.
    package var id = ""
    /// "din" and so on.
    package var model = ""
    /// Of the program.
    package var version = ""
    /// Where it is in its life.
    package var state = State.waiting
    /// Why it ended, in words.
    package var reason = ""
    /// Seconds since 1970.
    package var started = 0.0
    /// Seconds since 1970 when the first step began; 0 before.
    package var trainingStarted = 0.0
    /// Seconds since 1970; 0 before the end.
    package var ended = 0.0
    /// The step that all workers have finished.
    package var step = 0
    /// The last step at the latest.
    package var lastStep = 0
    /// The epoch of `step`, from 0.
    package var epoch = 0
    /// Epochs.
    package var epochs = 0
    /// Samples trained on, of how many.
    package var samples = 0
    package var samplesTotal = 0
    /// Over the last seconds.
    package var samplesPerSecond = 0.0
    /// Over all of training.
    package var meanSamplesPerSecond = 0.0
    /// Cross-entropy a sample over the last second of progress; nil before the first step.
    package var loss: Double?
    /// Auxiliary loss a sample, weighted.
    package var auxiliaryLoss: Double?
    /// AUC of the last second's predictions, before their update.
    package var auc: Double?
    /// The newest complete checkpoint.
    package var checkpoint: CheckpointReport?
    /// Checkpoints that could not be written.
    package var checkpointFailures = 0
    /// Where the scheduler listens; empty when nobody outside can reach it.
    package var scheduler = ""
    /// Whether its processes encrypt what they say to each other; nil where they cannot be overheard.
    package var isEncrypted: Bool?
    /// The page; empty for none.
    package var page = ""
    /// The resolved configuration, YAML.
    package var config = ""
    /// Libraries and kernels.
    package var build = BuildStatus()
}

/// What the program was built from and runs on.
package struct BuildStatus: Codable, Sendable, Equatable {
    package var swift = ""
    package var zeromq = ""
    package var openblas = ""
    package var processor = ""

    package init() {}
}

/// One shard: where it is, its counters, and what they did over the last seconds.
package struct ShardStatus: Codable, Sendable, Equatable {
    /// The server's rank.
    package var server = 0
    package var state = NodeStatus.State.waiting
    package var endpoint = ""
    /// The counters.
    package var report = ShardReport()
    /// A second, over the last seconds.
    package var pullsPerSecond = 0.0
    package var pushesPerSecond = 0.0
    package var pulledRowsPerSecond = 0.0
    package var pushedRowsPerSecond = 0.0
    package var receivedBytesPerSecond = 0.0
    package var sentBytesPerSecond = 0.0
    /// Share of the thread's time, 0 to 1, over the last seconds.
    package var busy = 0.0
    package var gather = 0.0
    package var merge = 0.0
    package var update = 0.0
    package var write = 0.0
    /// "step 17 waits for micro-batches 4..<8 of worker 1"; empty when nothing is parked.
    package var waitsFor = ""

    /// The shares by work.
    package var work: [(String, Double)] {
        [("gather", gather), ("merge", merge), ("update", update), ("write", write)]
    }

    package init() {}
}

/// One worker: its counters, and what they did over the last seconds.
package struct WorkerStatus: Codable, Sendable, Equatable {
    package var rank = 0
    package var state = NodeStatus.State.waiting
    package var host = ""
    /// The counters.
    package var report = WorkerReport()
    package var samplesPerSecond = 0.0
    package var sentBytesPerSecond = 0.0
    package var receivedBytesPerSecond = 0.0
    /// Shares of its time, 0 to 1, over the last seconds.
    package var read = 0.0
    package var wait = 0.0
    package var compute = 0.0
    package var push = 0.0
    /// Share of its waiting in which each shard was the last to answer, over the last seconds.
    package var blockedBy: [Double] = []

    /// The shares by what it does.
    package var phases: [(String, Double)] { [("read", read), ("wait", wait), ("compute", compute), ("push", push)] }

    package init() {}
}

/// One table over all shards.
package struct TableStatus: Codable, Sendable, Equatable {
    package var name = ""
    package var width = 0
    package var rows = 0
    package var bytes = MemoryReport()
    package var pulledRows = 0
    package var missedRows = 0
    package var updatedRows = 0
    package var refusedRows = 0
    /// Sum over shards, whose ids are disjoint.
    package var distinct = 0.0
    /// Most frequent first, with the shard where each lives.
    package var hot: [HotPlace] = []
    package var hotTotal = 0

    package init() {}
}

/// A hot id and where it lives.
package struct HotPlace: Codable, Sendable, Equatable {
    /// In decimal: JSON's readers lose digits of 64-bit numbers.
    package var id: String
    package var count: Int
    package var error: Int
    /// Of all counts of its table.
    package var share: Double
    package var shard: Int
}

/// Largest over mean of all shards: 1 is balance.
///
/// 0 where nothing was counted.
package struct Skew: Codable, Sendable, Equatable {
    package var rows = 0.0
    package var bytes = 0.0
    package var pulledRows = 0.0
    package var traffic = 0.0
    package var busy = 0.0

    package init() {}
}

/// Somebody waits.
package struct WaitStatus: Codable, Sendable, Equatable {
    /// "worker 1", "scheduler".
    package var who: String
    /// What for.
    package var name: String
    package var seconds: Double
    package var count: Int

    package init(who: String, name: String, seconds: Double, count: Int) {
        self.who = who
        self.name = name
        self.seconds = seconds
        self.count = count
    }
}

/// Something that happened.
package struct EventStatus: Codable, Sendable, Equatable {
    /// What kind of thing.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case joined, restarted, started, evaluated, checkpoint, warning, waiting, lost, failed, finished, stopped
    }

    /// Seconds since 1970.
    package var time: Double
    package var kind: Kind
    /// In words.
    package var text: String
    /// The step that the job had reached.
    package var step: Int

    package init(time: Double, kind: Kind, text: String, step: Int) {
        self.time = time
        self.kind = kind
        self.text = text
        self.step = step
    }
}

/// A split that was scored.
package struct EvaluationStatus: Codable, Sendable, Equatable {
    package var time: Double
    package var split: String
    package var step: Int
    package var samples: Int
    package var auc: Double?
    package var gauc: Double?
    package var logLoss: Double
    package var calibration: Double
    package var isBest: Bool

    package init(
        time: Double, split: String, step: Int, samples: Int, auc: Double?, gauc: Double?, logLoss: Double,
        calibration: Double, isBest: Bool
    ) {
        self.time = time
        self.split = split
        self.step = step
        self.samples = samples
        self.auc = auc
        self.gauc = gauc
        self.logLoss = logLoss
        self.calibration = calibration
        self.isBest = isBest
    }
}

/// One point of the curves: what `/api/v1/series` and the page draw, newest last.
package struct SeriesPoint: Codable, Sendable, Equatable {
    /// Seconds since 1970.
    package var time: Double
    package var step: Int
    package var samplesPerSecond: Double
    package var loss: Double?
    /// Of the last second's predictions, before their update.
    package var auc: Double?
    package var rows: Int
    /// Of all shards together.
    package var receivedBytesPerSecond: Double
    package var sentBytesPerSecond: Double
    /// Means over workers of the shares of time.
    package var read: Double
    package var wait: Double
    package var compute: Double
    package var push: Double

    package init(
        time: Double, step: Int, samplesPerSecond: Double, loss: Double?, auc: Double?, rows: Int,
        receivedBytesPerSecond: Double, sentBytesPerSecond: Double, read: Double, wait: Double, compute: Double,
        push: Double
    ) {
        self.time = time
        self.step = step
        self.samplesPerSecond = samplesPerSecond
        self.loss = loss
        self.auc = auc
        self.rows = rows
        self.receivedBytesPerSecond = receivedBytesPerSecond
        self.sentBytesPerSecond = sentBytesPerSecond
        self.read = read
        self.wait = wait
        self.compute = compute
        self.push = push
    }
}
