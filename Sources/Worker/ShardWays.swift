import Telemetry
import Transport
import Wire

/// A worker's connections to the shards, and what is wrong with one that does not come about.
final class ShardWays {
    /// A shard that this worker has no connection to.
    package struct Unreachable: FailureCausing, CustomStringConvertible {
        package let description: String
        package let cause: FailureReport.Cause
        // When its server is dead, the server's end is the news.
        package var isConsequence: Bool { true }
    }

    /// How long a connection may be missing: a server that is started or connected anew needs a moment.
    private static let patience = Duration.seconds(8)

    let ways: [ShardWay]
    let sockets: [Socket]
    private let servers: [Int]
    private var looked = ContinuousClock.now

    /// Connects to every shard of a welcome.
    init(_ welcome: Welcome, in context: Context) throws {
        var (ways, servers): ([ShardWay], [Int]) = ([], [])
        for (server, endpoints) in welcome.servers.enumerated() {
            let key = welcome.serverKeys.flatMap { $0.indices.contains(server) ? PublicKey($0[server]) : nil }
            ways += endpoints.map { ShardWay(endpoint: $0, key: context.identity == nil ? nil : key) }
            servers += endpoints.map { _ in server }
        }
        self.ways = ways
        self.servers = servers
        sockets = try ways.map { try Socket.connect(to: $0.endpoint, in: context, key: $0.key) }
    }

    /// Looks once a second whether every connection stands; throws when one has been missing for too long.
    func check(at time: ContinuousClock.Instant) throws(Unreachable) {
        guard looked.duration(to: time) > .seconds(1) else { return }
        looked = time
        for (shard, socket) in sockets.enumerated() {
            guard let counts = socket.log?.counts, let since = counts.apart else { continue }
            let place = "shard \(shard) (server \(servers[shard])) at \(ways[shard].endpoint)"
            if counts.handshakes == 0, counts.count(.unknownKey) > 0 {
                throw Unreachable(description: "\(place) refuses this worker's key", cause: .keys)
            }
            if counts.handshakes == 0, counts.count(.plaintext) > 0 {
                throw Unreachable(description: "\(place) and this worker do not both encrypt", cause: .keys)
            }
            guard since.duration(to: time) > Self.patience else { continue }
            let why = (try? Endpoint(ways[shard].endpoint)).map { Reachability.explain($0) } ?? ""
            throw Unreachable(
                description:
                    "no connection to \(place) for \(Int(Self.patience / .seconds(1))) s: \(why). If that is not where this "
                    + "machine reaches the server, start the server with --listen or --advertise and the address that is",
                cause: .unreachable)
        }
    }
}
