import Foundation
package import Transport
import Wire

/// How fast bytes go from here to a shard and back; the shard counts nothing of it.
package struct ShardProbe: Codable, Sendable, Equatable {
    /// Which shard, and where it listens.
    package var shard: Int
    package var endpoint: String
    /// Both ways together; nil when it did not answer.
    package var megabytesPerSecond: Double?
    /// Of an empty message, in milliseconds.
    package var roundTrip: Double?

    /// Sends 4 MiB to a shard three times and keeps the best.
    package static func measure(shard: Int, endpoint: String, in context: Context) throws -> ShardProbe {
        let socket = try Socket.connect(to: endpoint, in: context)
        var probe = ShardProbe(shard: shard, endpoint: endpoint)
        // The first message waits for the connection.
        _ = exchange(0, socket)
        probe.roundTrip = (0..<3).compactMap { _ in exchange(0, socket) }.min().map { $0 * 1000 }
        let bytes = 4 << 20
        let best = (0..<3).compactMap { _ in exchange(bytes, socket) }.min()
        probe.megabytesPerSecond = best.map { 2 * Double(bytes) / 1e6 / max(1e-9, $0) }
        return probe
    }

    /// Seconds until a message of so many bytes is back, at most three.
    private static func exchange(_ bytes: Int, _ socket: Socket) -> Double? {
        let header = Header(
            .probe, role: .monitor, rank: 0, incarnation: 1, job: 0, epoch: 0, request: .random(in: 1...UInt32.max))
        let began = ContinuousClock.now
        socket.send(Message(header, [Payload(copying: [UInt8](repeating: 0x5a, count: bytes))]))
        let nothing = Inbox<Int>()
        var poller = Poller([socket], nothing)
        while began.duration(to: .now) < .seconds(3) {
            poller.wait(.milliseconds(100))
            while let received = socket.receive() {
                guard case .message(let message, _) = received, message.header.kind == .probed,
                    message.header.request == header.request
                else { continue }
                return began.duration(to: .now) / .seconds(1)
            }
        }
        return nil
    }
}
