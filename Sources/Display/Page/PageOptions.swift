import FlyingSocks
import Foundation

/// Where the page is served, and who may see it.
package struct PageOptions: Sendable, Equatable {
    /// `auto`, or `host:port`; port 0 is any free one.
    package var address: String
    /// What a request has to show; nil where only this machine can connect.
    package var token: String?

    /// The first port that `auto` tries, and how many it tries before it takes any.
    static let firstPort: UInt16 = 7165
    static let portCount: UInt16 = 100

    /// - Parameters:
    ///   - address: `auto`, or `host:port`.
    ///   - token: a secret; empty is none.
    package init(address: String = "auto", token: String? = nil) {
        self.address = address
        self.token = token.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A host and a port to listen on.
    struct Endpoint: Equatable {
        var host: String
        var port: UInt16
        var isIPv6: Bool { host.contains(":") }
        /// Whether nobody but this machine can connect.
        var isLoopback: Bool { host == "::1" || (host.hasPrefix("127.") && !isIPv6) }
        var text: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// What to try in turn.
    func endpoints() throws -> [Endpoint] {
        if let token, !Self.isFit(token) { throw PageError.badToken }
        if address == "auto" {
            let ports = Array(Self.firstPort..<Self.firstPort + Self.portCount) + [0]
            return ports.map { Endpoint(host: "127.0.0.1", port: $0) }
        }
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw PageError.badAddress(address)
        }
        var host = String(address[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host == "localhost" { host = "127.0.0.1" }
        let endpoint = Endpoint(host: host, port: port)
        guard (try? Self.bound(endpoint) { _ in }) != nil else { throw PageError.badAddress(address) }
        if !endpoint.isLoopback, token == nil { throw PageError.needsToken(address) }
        return [endpoint]
    }

    /// A socket that listens, and the port it got.
    func listen() throws -> (socket: Socket, endpoint: Endpoint) {
        let candidates = try endpoints()
        for candidate in candidates {
            let socket = try Socket(domain: candidate.isIPv6 ? AF_INET6 : AF_INET)
            do {
                try socket.setValue(true, for: .localAddressReuse)
                try socket.setFlags(.nonBlocking)
                // A child that inherited it would keep the port after the end of this process.
                _ = fcntl(socket.file.rawValue, F_SETFD, FD_CLOEXEC)
                try Self.bound(candidate) { try socket.bind(to: $0) }
                try socket.listen()
                var endpoint = candidate
                switch try socket.sockname() {
                case .ip4(_, let port), .ip6(_, let port): endpoint.port = port
                case .unix: break
                }
                return (socket, endpoint)
            } catch SocketError.failed(_, let code, let message) {
                try? socket.close()
                guard code == EADDRINUSE else {
                    throw PageError.unavailable(candidate.text, reason: message)
                }
            }
        }
        throw PageError.taken(address)
    }

    /// Calls a function with the address of an endpoint.
    private static func bound(_ endpoint: Endpoint, _ body: (any SocketAddress) throws -> Void) throws {
        if endpoint.isIPv6 {
            try body(sockaddr_in6.inet6(ip6: endpoint.host, port: endpoint.port))
        } else {
            try body(sockaddr_in.inet(ip4: endpoint.host, port: endpoint.port))
        }
    }

    private static func isFit(_ token: String) -> Bool {
        let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=")
        return (8...256).contains(token.utf8.count) && token.allSatisfy(letters.contains)
    }
}
