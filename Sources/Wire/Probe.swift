/// Somebody wants to know how fast bytes go between a worker and every shard; who only looks need not join.
package struct ProbeWish: Checked, Sendable, Equatable {
    /// Drawn by who asks; the answer has it too.
    package var number: UInt32
    /// Which worker shall measure.
    package var worker: Int
    /// For how long, all shards together; no worker takes more than `longest`.
    package var seconds: Double

    /// The longest that a worker measures.
    package static let longest = 2.0

    package init(number: UInt32, worker: Int, seconds: Double = Self.longest) {
        self.number = number
        self.worker = worker
        self.seconds = seconds
    }

    var fault: String? { beyond("worker", worker, 0...mostRanks) ?? beyond("seconds", seconds, 0...3600) }
}

/// What a worker measured, or why it did not.
package struct ProbeResult: Checked, Sendable, Equatable {
    /// That of the wish.
    package var number: UInt32
    /// Who measured.
    package var worker: Int
    /// By shard; empty when nothing was measured.
    package var paths: [PathSpeed]
    /// Why nothing was measured.
    package var refusal: String?

    package init(number: UInt32, worker: Int, paths: [PathSpeed] = [], refusal: String? = nil) {
        self.number = number
        self.worker = worker
        self.paths = paths
        self.refusal = refusal
    }

    var fault: String? {
        beyond("worker", worker, 0...mostRanks) ?? many("paths", paths.count, mostRanks + 1)
            ?? paths.lazy.compactMap { beyond(shard: $0.shard) }.first
    }
}

/// How fast bytes go to a shard and back.
package struct PathSpeed: Codable, Sendable, Equatable {
    package var shard: Int
    /// Where it listens.
    package var endpoint: String
    /// MB a second to the shard, until it says that they are there; nil when it did not answer in time.
    package var sentMegabytesPerSecond: Double?
    /// MB a second that the shard sends, from the question for them on.
    package var receivedMegabytesPerSecond: Double?
    /// Of an empty message; nil when the shard does not answer at all.
    package var roundTripMicroseconds: Double?

    /// A shard of which nothing is known yet.
    package init(shard: Int, endpoint: String) {
        self.shard = shard
        self.endpoint = endpoint
    }
}

extension Message {
    /// Bytes that a probe takes to a shard or back, at most: longer ones would keep training from the shard's socket.
    package static let longestProbe = 1 << 19

    /// A probe with so many bytes, which asks for so many back; at most `longestProbe` each way.
    package static func probe(_ header: Header, bytes: Int, back: Int) -> Message {
        var header = header
        header.kind = .probe
        header.dense = UInt32(clamping: back / 4)
        return Message(header, [Self.filled(bytes)])
    }

    /// The answer of a shard to a probe: as many bytes as it asks for.
    package func probed(from sender: Header) -> Message {
        Message(header.reply(.probed, from: sender), [Self.filled(Int(header.dense) * 4)])
    }

    /// Written once and sent again and again: a probe measures the way, not the writing.
    private static let block: Payload = {
        let buffer = Buffer(bytes: longestProbe)
        buffer.count = longestProbe
        unsafe buffer.mutable.initializeMemory(as: UInt8.self, repeating: 0x5a)
        return Payload(buffer)
    }()

    private static func filled(_ bytes: Int) -> Payload {
        let count = min(max(0, bytes), longestProbe)
        return unsafe Payload(UnsafeRawBufferPointer(rebasing: block.bytes[..<count]), owner: block.owner)
    }
}
