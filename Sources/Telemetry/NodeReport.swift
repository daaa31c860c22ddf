/// What a node tells the scheduler once a second: copies of plain counters, all of them totals since its start.
///
/// The one vocabulary of statistics: terminal, page, API, Prometheus and files are made from it (`ClusterStatus`).
package struct NodeReport: Codable, Sendable, Equatable {
    /// Memory, time and handles of its process.
    package var process = ProcessReport()
    /// Seconds since 1970 when the counters were copied.
    package var time = 0.0
    /// A server's shards.
    package var shards: [ShardReport] = []
    /// What a worker did.
    package var worker: WorkerReport?
    /// What it waits for right now; empty when it waits for nothing.
    package var waits: [WaitReport] = []
    /// Log lines of level warning and error.
    package var warnings = 0
    /// Connections that it did not let in, by reason; nil where it takes none.
    package var turnedAway: [String: Int]?

    package init() {}
}

/// A process as its system sees it.
package struct ProcessReport: Codable, Sendable, Equatable {
    /// Resident set now.
    package var residentBytes = 0
    /// Its largest.
    package var peakBytes = 0
    /// User and system time.
    package var processorSeconds = 0.0
    /// Threads.
    package var threads = 0
    /// Processors of its host that it may use.
    package var processors = 0
    /// Open file descriptors.
    package var openFiles = 0
    /// Seconds since 1970 when it started.
    package var started = 0.0

    package init() {}
}

/// Something that a thread waits for.
package struct WaitReport: Codable, Sendable, Equatable {
    /// What for, in words: "values of shard 1 for step 17".
    package var name: String
    /// For how long already.
    package var seconds: Double
    /// How often it has waited since its start.
    package var count: Int

    package init(name: String, seconds: Double, count: Int) {
        self.name = name
        self.seconds = seconds
        self.count = count
    }
}

/// What a shard has, has done and waits for.
package struct ShardReport: Codable, Sendable, Equatable {
    /// Its number over all servers.
    package var shard = 0
    /// Steps applied.
    package var step = 0
    /// By table of the schema.
    package var tables: [TableReport] = []
    /// Weights and optimizer state of its slice of the dense parameters.
    package var denseBytes = 0
    /// Pulls answered with values.
    package var pulls = 0
    /// Rows in them.
    package var pulledRows = 0
    /// Pushes that were held or applied.
    package var pushes = 0
    /// Rows in them.
    package var pushedRows = 0
    /// Pushes of something already covered: retries and duplicates, ignored.
    package var duplicates = 0
    /// Pulls that had to wait for a step.
    package var parkings = 0
    /// Messages refused, by reason (`Refusal.Reason`).
    package var refused: [String: Int] = [:]
    /// Malformed messages by the sender's rank among the workers; −1 for ranks that no worker has.
    package var malformed: [Int: Int] = [:]
    /// Messages without a readable header: nobody knows who sent them.
    package var garbage = 0
    /// Bytes of pulls received, headers included; and so on.
    package var pullBytes = 0
    package var pushBytes = 0
    /// Bytes of answers sent with values, and without (acknowledgements, refusals).
    package var valueBytes = 0
    package var otherBytes = 0
    /// Messages that it found waiting when it last woke, and the most it ever found.
    package var queue = 0
    package var queuePeak = 0
    /// From a pull's arrival (or its release) to its answer.
    package var pullSeconds = LatencyHistogram()
    /// From a push's arrival to its acknowledgement, the update included where it completed the step.
    package var pushSeconds = LatencyHistogram()
    /// Regularizing and updating once per step.
    package var applySeconds = LatencyHistogram()
    /// From a pull's arrival to its release, of those that had to wait.
    package var parkedSeconds = LatencyHistogram()
    /// Thread time spent on gathering rows, holding sums, updating, writing checkpoints; the rest is idle.
    package var gatherSeconds = 0.0
    package var mergeSeconds = 0.0
    package var updateSeconds = 0.0
    package var writeSeconds = 0.0
    /// By steps: pulls that were answered from a state so many steps behind the newest one that its asker has pushed to.
    package var staleness: [Int] = []
    /// By rank: how far each worker is here.
    package var workers: [WorkerPlace] = []
    /// Pulls that wait right now.
    package var parked: [ParkedPull] = []
    /// Micro-batches that are missing to complete the next step, [first, after the last] pairs.
    package var missing: [Int] = []
    /// Micro-batches of that step.
    package var microBatches = 0
    /// The newest checkpoint that it wrote its part of.
    package var checkpoint: CheckpointReport?
    /// λ/2 · Σ |w|²/n over the regularized rows of the last step.
    package var regularization = 0.0

    package init() {}

    /// Rows of all tables.
    package var rows: Int { tables.total(\.rows) }
    /// Bytes of rows by kind, and of dense parameters.
    package var bytes: MemoryReport { tables.reduce(into: MemoryReport()) { $0.add($1.bytes) } }
    /// All bytes received.
    package var receivedBytes: Int { pullBytes.plus(pushBytes) }
    /// All bytes sent.
    package var sentBytes: Int { valueBytes.plus(otherBytes) }
    /// Thread time by work.
    package var work: [(String, Double)] {
        [("gather", gatherSeconds), ("merge", mergeSeconds), ("update", updateSeconds), ("write", writeSeconds)]
    }
    /// All of it.
    package var busySeconds: Double { gatherSeconds + mergeSeconds + updateSeconds + writeSeconds }
}

/// How far a worker is at a shard.
package struct WorkerPlace: Codable, Sendable, Equatable {
    /// The step of its last pull for training; 0 before.
    package var pulled = 0
    /// The step of its last push; 0 before.
    package var pushed = 0
    /// Pushes that were duplicates.
    package var duplicates = 0
    /// Malformed messages.
    package var malformed = 0

    package init() {}
}

/// A pull that waits.
package struct ParkedPull: Codable, Sendable, Equatable {
    /// The rank of the worker that asked.
    package var worker: Int
    /// The step that it wants to begin.
    package var step: Int
    /// For how long already.
    package var seconds: Double

    package init(worker: Int, step: Int, seconds: Double) {
        self.worker = worker
        self.step = step
        self.seconds = seconds
    }
}

/// A part of a checkpoint that is on disk.
package struct CheckpointReport: Codable, Sendable, Equatable {
    /// Of the state after this step.
    package var step: Int
    /// Seconds since 1970 when it was done.
    package var time: Double
    /// How long it took.
    package var seconds: Double
    /// Bytes written.
    package var bytes: Int

    package init(step: Int, time: Double, seconds: Double, bytes: Int) {
        self.step = step
        self.time = time
        self.seconds = seconds
        self.bytes = bytes
    }
}

/// Memory of rows by what it holds.
package struct MemoryReport: Codable, Sendable, Equatable {
    /// Weights of the stored rows.
    package var weights = 0
    /// Their optimizer state.
    package var optimizer = 0
    /// Their counts and steps.
    package var counts = 0
    /// The indexes, free entries included.
    package var index = 0
    /// Room for further rows: address space, not resident until used.
    package var slack = 0

    /// What is used, by kind: all but the slack.
    package var kinds: [(String, Int)] {
        [("weights", weights), ("optimizer", optimizer), ("counts", counts), ("index", index)]
    }
    /// All of it.
    package var used: Int { kinds.total(\.1) }

    /// Adds another one.
    package mutating func add(_ other: MemoryReport) {
        weights = weights.plus(other.weights)
        optimizer = optimizer.plus(other.optimizer)
        counts = counts.plus(other.counts)
        index = index.plus(other.index)
        slack = slack.plus(other.slack)
    }
}

/// One table on one shard.
package struct TableReport: Codable, Sendable, Equatable {
    /// Its name in the schema.
    package var name = ""
    /// Floats of a row.
    package var width = 0
    /// Rows stored.
    package var rows = 0
    /// Rows pulled.
    package var pulledRows = 0
    /// Of those, rows that were not stored: their initial values were answered.
    package var missedRows = 0
    /// Rows updated: each once a step.
    package var updatedRows = 0
    /// Gradients dropped because the table is at its limit.
    package var refusedRows = 0
    /// Memory.
    package var bytes = MemoryReport()
    /// Estimate of the distinct ids ever pulled (HyperLogLog, standard error 1.6 %).
    package var distinct = 0.0
    /// The ids that most samples contained, most frequent first: 20 while training, all 64 in a node's last word.
    package var hot: [HotId] = []
    /// Samples × ids counted for `hot`.
    package var hotTotal = 0

    package init() {}
}

/// An id that many samples contain: its true count lies in `count − error ... count`.
package struct HotId: Codable, Sendable, Equatable {
    /// The id as the dataset has it.
    package var id: UInt64
    /// Samples that contain it, at most.
    package var count: Int
    /// By how much that may be too many.
    package var error: Int

    package init(id: UInt64, count: Int, error: Int) {
        self.id = id
        self.count = count
        self.error = error
    }

    /// Ids as text: JSON's readers lose digits of 64-bit numbers.
    private enum CodingKeys: String, CodingKey { case id, count, error }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        guard let id = UInt64(try box.decode(String.self, forKey: .id)) else {
            throw DecodingError.dataCorruptedError(forKey: .id, in: box, debugDescription: "not an id")
        }
        self.id = id
        count = try box.decode(Int.self, forKey: .count)
        error = try box.decode(Int.self, forKey: .error)
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(String(id), forKey: .id)
        try box.encode(count, forKey: .count)
        try box.encode(error, forKey: .error)
    }
}

/// What a worker has done.
package struct WorkerReport: Codable, Sendable, Equatable {
    /// The step in work.
    package var step = 0
    /// Steps finished.
    package var steps = 0
    /// Samples trained on.
    package var samples = 0
    /// Samples scored for evaluations.
    package var scored = 0
    /// Where its communication thread's time went: filling micro-batches, waiting for values or verdicts, computing
    /// forward and backward, packing and sending.
    package var readSeconds = 0.0
    package var waitSeconds = 0.0
    package var computeSeconds = 0.0
    package var pushSeconds = 0.0
    /// By shard: waiting in which that shard was the last to answer.
    package var waitByShard: [Double] = []
    /// Compute threads.
    package var threads = 1
    /// Ids that its samples contained, each once a sample: what a trainer without deduplication would pull.
    package var references = 0
    /// Distinct rows that it pulled instead.
    package var pulledRows = 0
    /// Rows that it pushed.
    package var pushedRows = 0
    /// Requests sent, answers with values received.
    package var pulls = 0
    package var pushes = 0
    /// Requests repeated because their deadline had passed.
    package var retries = 0
    /// Requests that a shard refused, by reason.
    package var refused: [String: Int] = [:]
    /// Bytes sent to shards and received from them.
    package var sentBytes = 0
    package var receivedBytes = 0
    /// From a pull to the last shard's values.
    package var pullSeconds = LatencyHistogram()
    /// From one step's values to the next step's.
    package var stepSeconds = LatencyHistogram()
    /// Steps whose loss was not finite.
    package var nonfinite = 0

    package init() {}

    /// Ids by row pulled; 0 before the first pull.
    package var dedupFactor: Double { pulledRows > 0 ? Double(references) / Double(pulledRows) : 0 }
    /// Its time by what it does.
    package var phases: [(String, Double)] {
        [("read", readSeconds), ("wait", waitSeconds), ("compute", computeSeconds), ("push", pushSeconds)]
    }
    /// All of it.
    package var seconds: Double { readSeconds + waitSeconds + computeSeconds + pushSeconds }
}
