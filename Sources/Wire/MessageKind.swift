/// What a message is; the numbers are the wire's and never reused.
package enum MessageKind: UInt8, Sendable, CaseIterable {
    // Data: between workers and shards.
    /// Worker → shard: rows and a dense slice are asked for.
    case pull = 1
    /// Shard → worker: the answer to a pull.
    case values = 2
    /// Worker → shard: a contribution of gradients.
    case push = 3
    /// Shard → worker: the push is held.
    case pushed = 4
    /// Shard → worker: a pull or push that cannot be served, and why.
    case refused = 5
    /// Anybody → shard: bytes, and how many are wanted back, to see how fast they go; nothing is counted.
    case probe = 6
    /// Shard → whoever asked: the bytes that are wanted.
    case probed = 7

    // Control: between any node and the scheduler. 19 and 26 are retired: they were `start` and `restore`.
    /// Node → scheduler: who I am.
    case hello = 16
    /// Scheduler → node: your rank, and everybody's addresses.
    case welcome = 17
    /// Node → scheduler: built and restored.
    case ready = 18
    /// Both ways: alive, and doing what.
    case heartbeat = 20
    /// Worker → scheduler: what a step brought.
    case progress = 21
    /// Worker → scheduler: logits and labels of a range of a split.
    case scores = 22
    /// Scheduler → worker: go on, stop, or score a split.
    case verdict = 23
    /// Scheduler → server: write your rows.
    case snapshot = 24
    /// Server → scheduler: written.
    case snapshotDone = 25
    /// Scheduler → node: end.
    case stop = 27
    /// Node → scheduler: ended, with a report.
    case stopped = 28
    /// Node → scheduler: cannot go on.
    case failed = 29
    /// Worker → scheduler: at a step after which the scheduler decides.
    case reached = 30
    /// Anybody → scheduler: how does the job stand?
    case inspect = 31
    /// Scheduler → whoever asked: so.
    case inspected = 32
    /// Node → scheduler: a copy of its counters.
    case counters = 33
    /// Anybody → scheduler → worker: how fast do bytes go between you and the shards?
    case probeWish = 34
    /// Worker → scheduler → whoever asked: so fast.
    case probeResult = 35
    /// Scheduler → worker: stop after the step you are in, say which it is, and wait for a verdict.
    case hold = 36
    /// Node → scheduler: somebody wants this process to end; end the job in order.
    case leaving = 37

    /// Whether it travels between worker and shard.
    package var isData: Bool { rawValue < 16 }

    /// Whether the scheduler takes it from whoever is no member of the job.
    package var isOfAnybody: Bool { [.hello, .inspect, .probeWish].contains(self) }
}

/// How the frames of a message are to be read; four bits.
package struct MessageFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    // 1 is retired: it said that rows are bfloat16.
    /// A push that carries its ids (the shard does not hold the key list of the pull).
    package static let keys = MessageFlags(rawValue: 2)
    /// A push of some rows of its pull: it carries their positions in the pull's list.
    package static let positions = MessageFlags(rawValue: 4)
    /// A pull that scores and takes no part in training.
    package static let evaluation = MessageFlags(rawValue: 8)
}

/// What a process or thread is in the job; two bits.
package enum Role: UInt8, Sendable, CaseIterable, Codable {
    case scheduler = 0
    case server = 1
    case worker = 2
    /// Looks only.
    case monitor = 3
}
