package import Telemetry

/// Who a node is, in its first message.
package struct Hello: Checked, Sendable, Equatable {
    /// What it is.
    package var role: Role
    /// The rank that it had or was given by its launcher.
    package var wantedRank: Int?
    /// Where its shards listen, one a shard; empty for a worker.
    package var endpoints: [String]
    package var host: String
    package var pid: Int
    /// CPU model: a cluster of mixed ones is not bit-exact.
    package var processor: String
    /// Kernels that OpenBLAS chose.
    package var blas: String
    /// Version of the program.
    package var version: String
    /// The job that it was started for; nil to join whichever runs.
    package var job: String?
    /// The host by which others reach its shards; nil to leave that to the scheduler, who sees from where it comes.
    package var advertise: String?
    /// Whether somebody said where its shards listen: then that is where others reach them.
    package var isPlaced: Bool?

    /// The properties that every node has, in their order.
    package init(
        role: Role, wantedRank: Int? = nil, endpoints: [String] = [], host: String, pid: Int, processor: String,
        blas: String, version: String
    ) {
        self.role = role
        self.wantedRank = wantedRank
        self.endpoints = endpoints
        self.host = host
        self.pid = pid
        self.processor = processor
        self.blas = blas
        self.version = version
    }

    var fault: String? {
        beyond(rank: wantedRank) ?? many("endpoints", endpoints.count, 4096) ?? beyond("pid", pid, 0...Int(Int32.max))
    }
}

/// What a node needs to know before it builds itself.
package struct Welcome: Checked, Sendable, Equatable {
    /// The job, for every later header.
    @AsText package var job: UInt64
    /// Its number within its role.
    package var rank: Int
    /// Version of this map of members.
    package var epoch: Int
    /// Per server, the endpoint of each of its shards; flattened, the order of shards.
    package var servers: [[String]]
    package var workers: Int
    /// The resolved config, YAML.
    package var config: String
    /// Checkpoint directory to start from.
    package var resumePath: String?
    /// Steps of this job already applied in it; 0 when this job counts from 1 whatever the state's step.
    package var resumeStep: Int
    /// Whether its weights alone are taken, and the optimizers begin afresh.
    package var resetsOptimizer: Bool?
    /// The dataset's fingerprint: what a node opens must be the same.
    package var dataset: String?
    /// The public key of each server, which it proved to the scheduler; nil in plaintext.
    package var serverKeys: [String]?
    /// The public keys of all nodes: shards let nobody else in; nil in plaintext.
    package var nodeKeys: [String]?
    /// What the process of each worker drew at its start, by rank: shards take the messages of nobody else.
    package var incarnations: [UInt32] = []
    /// Seconds of silence, on either side, after which the other one counts as dead (`cluster.silence`).
    package var silence = 12.0

    /// The properties that every welcome has, in their order.
    package init(
        job: UInt64, rank: Int, epoch: Int, servers: [[String]], workers: Int, config: String,
        resumePath: String? = nil, resumeStep: Int = 0, dataset: String? = nil
    ) {
        self.job = job
        self.rank = rank
        self.epoch = epoch
        self.servers = servers
        self.workers = workers
        self.config = config
        self.resumePath = resumePath
        self.resumeStep = resumeStep
        self.dataset = dataset
    }

    var fault: String? {
        beyond(rank: rank) ?? beyond("epoch", epoch, 0...Int(UInt32.max)) ?? beyond(step: resumeStep)
            ?? beyond("workers", workers, 0...mostRanks + 1) ?? beyond(seconds: silence) ?? many(
                "servers", servers.count, mostRanks + 1)
            ?? many("incarnations", incarnations.count, mostRanks + 1)
            ?? many("shards", servers.reduce(0) { $0 + $1.count }, mostRanks + 1)
    }
}

/// A node has built or restored itself.
package struct Ready: Checked, Sendable, Equatable {
    package var rows: Int
    /// Time it took.
    package var seconds: Double

    package init(rows: Int = 0, seconds: Double = 0) {
        self.rows = rows
        self.seconds = seconds
    }

    var fault: String? { beyond(seconds: seconds) }
}

/// A node is alive; the scheduler answers with its own.
package struct Heartbeat: Checked, Sendable, Equatable {
    /// Where it is.
    package var step: Int
    /// What it does or waits for, in words.
    package var state: String

    package init(step: Int, state: String) {
        self.step = step
        self.state = state.harmless
    }

    var fault: String? { beyond(step: step) }
}

/// The end, wanted or not.
package struct Stop: Checked, Sendable, Equatable {
    /// Why, in words.
    package var reason: String
    /// Whether the scheduler will not have this node: the node itself has failed.
    package var isRefusal: Bool?
    /// Whether the job was stopped before its end, or failed; only in a farewell.
    package var isUnfinished: Bool?

    /// The scheduler has heard a node's last word.
    package static func farewell(isUnfinished: Bool) -> Stop { Stop(reason: "farewell", isUnfinished: isUnfinished) }

    /// Whether it answers a last word.
    package var isFarewell: Bool { reason == "farewell" }

    package init(reason: String, isRefusal: Bool? = nil, isUnfinished: Bool? = nil) {
        self.reason = reason
        self.isRefusal = isRefusal
        self.isUnfinished = isUnfinished
    }
}

/// From now on a worker waits for a verdict after every step.
struct Hold: Checked {}

/// Somebody wants a node's process to end.
package struct Leaving: Checked, Sendable, Equatable {
    /// Whether it was Ctrl-C, and not SIGTERM.
    package var isInterrupt: Bool

    package init(isInterrupt: Bool) { self.isInterrupt = isInterrupt }
}

/// A node cannot go on.
package struct Failure: Checked, Sendable, Equatable {
    /// Who.
    package var role: Role
    /// Its number within its role.
    package var rank: Int
    /// Where it was.
    package var step: Int?
    /// What happened, where, and what to do.
    package var message: String
    /// What kind of failure, where the node knows.
    package var cause: FailureReport.Cause?
    /// Whether another node is to blame.
    package var isConsequence: Bool?
    /// The state that could not be written, if it was that, and the shard whose part is missing.
    package var checkpoint: Int?
    package var shard: Int?

    package init(
        role: Role, rank: Int, step: Int? = nil, message: String, cause: FailureReport.Cause? = nil,
        isConsequence: Bool? = nil, checkpoint: Int? = nil, shard: Int? = nil
    ) {
        self.role = role
        self.rank = rank
        self.step = step
        self.message = message.harmless(keepsLines: true)
        self.cause = cause
        self.isConsequence = isConsequence
        self.checkpoint = checkpoint
        self.shard = shard
    }

    var fault: String? {
        beyond(rank: rank) ?? beyond(step: step) ?? beyond(step: checkpoint) ?? shard.flatMap { beyond(shard: $0) }
    }
}

extension Failure {
    /// What an error tells of itself.
    package init(role: Role, rank: Int, step: Int? = nil, _ error: any Error) {
        let known = error as? any FailureCausing
        self.init(
            role: role, rank: rank, step: step, message: "\(error)", cause: known?.cause,
            isConsequence: known.map { $0.isConsequence ? true : nil } ?? nil)
    }
}
