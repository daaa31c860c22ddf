import Foundation

/// An address of a socket: `tcp://host:port`, `ipc://path` or `inproc://name`; nothing else is accepted, although libzmq
/// knows more.
package struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    /// By what it is reached.
    package enum Kind: Sendable, Equatable {
        /// A host's name or address, without brackets, and a port; `*` for any free one.
        case tcp(host: String, port: String)
        /// A path of this machine.
        case ipc(String)
        /// A name of this process.
        case inproc(String)
    }

    /// By what it is reached.
    package let kind: Kind

    /// An endpoint of a host and a port.
    package init(host: String, port: String) { kind = .tcp(host: host, port: port) }

    /// An endpoint of a path of this machine.
    package init(path: String) { kind = .ipc(path) }

    /// Reads `tcp://host:port`, `ipc://path`, `inproc://name` or, short, `host:port`.
    package init(_ text: String) throws(TransportError) {
        let wrong = TransportError.endpoint(text)
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (scheme, rest) = parts.count == 2 ? (parts[0], parts[1]) : ("tcp", text)
        switch scheme {
        case "ipc" where !rest.isEmpty: kind = .ipc(rest)
        case "inproc" where !rest.isEmpty: kind = .inproc(rest)
        case "tcp":
            guard let colon = rest.lastIndex(of: ":") else { throw wrong }
            var host = String(rest[..<colon])
            let port = String(rest[rest.index(after: colon)...])
            guard port == "*" || UInt16(port) != nil, !host.isEmpty else { throw wrong }
            if host.hasPrefix("["), host.hasSuffix("]") {
                host = String(host.dropFirst().dropLast())
            } else if host.contains(":") {
                throw wrong
            }
            guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == ";" }) else {
                throw wrong
            }
            kind = .tcp(host: host, port: port)
        default: throw wrong
        }
    }

    package var description: String {
        switch kind {
        case .tcp(let host, let port): "tcp://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .ipc(let path): "ipc://\(path)"
        case .inproc(let name): "inproc://\(name)"
        }
    }

    /// The host of a tcp endpoint.
    package var host: String? { if case .tcp(let host, _) = kind { host } else { nil } }

    /// The port of a tcp endpoint.
    package var port: String? { if case .tcp(_, let port) = kind { port } else { nil } }

    /// The same port of another host.
    package func at(host: String) -> Endpoint {
        port.map { Endpoint(host: host, port: $0) } ?? self
    }

    /// Whether nobody outside this machine can reach it.
    package var isLocal: Bool { host.map(Endpoint.isLoopback) ?? true }

    /// Whether it stands for all addresses of this machine.
    package var isWildcard: Bool { host == "*" || host == "0.0.0.0" || host == "::" }

    /// Whether an address or name is one of this machine's loopback.
    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.") || host.hasPrefix("::ffff:127.")
    }

    /// Whether the socket has to speak IPv6: an address with colons, or a name that has no other.
    var wantsIPv6: Bool {
        guard let host, host != "*" else { return false }
        if host.contains(":") { return true }
        let families = Reachability.addresses(host, port: "0").map(\.family)
        return !families.isEmpty && !families.contains(AF_INET)
    }
}
