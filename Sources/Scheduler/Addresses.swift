import Transport
import Wire

/// Where others reach the shards of a server, and whether they can.
enum Addresses {
    /// A server's hello with the endpoints that others are told: on the host it names, else where it was told to listen,
    /// else on the address from which the scheduler sees it come.
    static func placed(_ hello: Hello, seenFrom address: String) -> Hello {
        var placed = hello
        placed.endpoints = hello.endpoints.map { text in
            guard let endpoint = try? Endpoint(text), endpoint.host != nil else { return text }
            if let host = hello.advertise { return "\(endpoint.at(host: host))" }
            let isFixed = hello.isPlaced == true && !endpoint.isWildcard
            return address.isEmpty || isFixed ? text : "\(endpoint.at(host: address))"
        }
        return placed
    }

    /// A server on a loopback address of a job whose workers are elsewhere; nil when there is none.
    static func unreachable(_ members: Membership) -> (server: Member, what: String)? {
        let far = members.ranked(.worker).first {
            !$0.entry.peer.address.isEmpty && !Endpoint.isLoopback($0.entry.peer.address)
        }
        guard let far else { return nil }
        for (server, entry) in members.ranked(.server) {
            for text in entry.hello.endpoints {
                guard let endpoint = try? Endpoint(text), endpoint.host != nil, endpoint.isLocal else { continue }
                return (
                    server,
                    "\(server) listens on \(endpoint), which \(far.member) at \(far.entry.peer.address) cannot reach: start "
                        + "the server with the scheduler's address as the workers reach it, or name one of its own by "
                        + "--listen or --advertise"
                )
            }
        }
        return nil
    }
}
