package import Wire

/// Measures how fast bytes go to shards and back, over sockets of its own; the shards count nothing of it.
package struct ShardProbe {
    /// How long the first answer of a shard may take, whatever the time in all: it may be in the middle of a step.
    private static let patience = Duration.seconds(1)
    /// Beyond this nothing is measured any more, also when shard after shard does not answer.
    private static let longest = Duration.seconds(8)
    /// The first shows whether there is time for the others; all of them, both ways, are 7 MiB.
    private static let sizes = [1 << 16] + [Int](repeating: Message.longestProbe, count: 7)

    private let socket: Socket
    private let identity: Header

    /// Measures one shard after the other, so that they do not disturb each other.
    ///
    /// - Parameters:
    ///   - seconds: in all; each shard gets its share of what is left.
    ///   - context: needed for shards of this process, which only their own context reaches; others are measured in a
    ///     context of its own with the same keys, whose thread of input and output is not the one that training uses.
    package static func measure(
        _ ways: [ShardWay], as identity: Header, seconds: Double, in context: Context
    ) throws -> [PathSpeed] {
        let began = ContinuousClock.now
        let own = try Context(identity: context.identity, isInsecure: context.isInsecure)
        return try ways.enumerated().map { shard, way in
            let endpoint = way.endpoint
            var path = PathSpeed(shard: shard, endpoint: endpoint)
            let passed = began.duration(to: .now)
            guard passed < longest else { return path }
            let share = (.seconds(seconds) - passed) / (ways.count - shard)
            let socket = try Socket.connect(
                to: endpoint, in: endpoint.hasPrefix("inproc") ? context : own, key: way.key)
            ShardProbe(socket: socket, identity: identity).fill(&path, by: .now + share)
            return path
        }
    }

    private func fill(_ path: inout PathSpeed, by deadline: ContinuousClock.Instant) {
        let patient = max(deadline, .now + Self.patience)
        // The first message waits for the connection.
        guard exchange(bytes: 0, back: 0, by: patient) != nil else { return }
        path.roundTripMicroseconds = (0..<5).compactMap { _ in exchange(bytes: 0, back: 0, by: patient) }.min()
            .map { $0 * 1e6 }
        let half = ContinuousClock.now + ContinuousClock.now.duration(to: deadline) / 2
        path.sentMegabytesPerSecond = best(back: false, by: half, atLeastBy: patient)
        path.receivedMegabytesPerSecond = best(back: true, by: deadline, atLeastBy: patient)
    }

    /// The best of a few messages to the shard, or back from it, the longer ones only as far as time allows.
    private func best(
        back: Bool, by deadline: ContinuousClock.Instant, atLeastBy patient: ContinuousClock.Instant
    ) -> Double? {
        var best: Double?
        for bytes in Self.sizes {
            // As fast as the last one, it would take so long.
            let expected = best.map { Double(bytes) / 1e6 / $0 } ?? 0
            guard best == nil || .now + .seconds(expected) < deadline else { break }
            let end = best == nil ? patient : deadline
            guard let seconds = exchange(bytes: back ? 0 : bytes, back: back ? bytes : 0, by: end) else { break }
            best = max(best ?? 0, Double(bytes) / 1e6 / max(1e-9, seconds))
        }
        return best
    }

    /// Seconds until the answer is there.
    private func exchange(bytes: Int, back: Int, by deadline: ContinuousClock.Instant) -> Double? {
        var header = identity
        header.request = .random(in: 1...UInt32.max)
        let message = Message.probe(header, bytes: bytes, back: back)
        let nothing = Inbox<Int>()
        var poller = Poller([socket], nothing)
        let began = ContinuousClock.now
        guard socket.send(message) else { return nil }
        while .now < deadline {
            poller.wait(.milliseconds(20))
            var budget = TurnBudget()
            while let received = socket.receive(within: &budget) {
                guard case .message(let answer, _) = received, answer.header.kind == .probed,
                    answer.header.request == header.request
                else { continue }
                return began.duration(to: .now) / .seconds(1)
            }
        }
        return nil
    }
}
