import Foundation

/// What plain TCP says of an address: why a connection does not come about, and from where a host is reached.
package enum Reachability {
    /// One of a name's addresses.
    struct Address {
        let family: Int32
        fileprivate let bytes: [UInt8]

        /// Calls with the address as the socket functions want it.
        fileprivate func with<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
            bytes.withUnsafeBytes { raw in
                raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) }
            }
        }

        /// The numeric address.
        var text: String { with(Reachability.text) ?? "" }
    }

    /// The addresses of a host's name.
    static func addresses(_ host: String, port: String) -> [Address] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [Address] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr {
                let raw = UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
                found.append(Address(family: entry.pointee.ai_family, bytes: Array(raw)))
            }
            next = entry.pointee.ai_next
        }
        return found
    }

    /// The numeric text of an address; an IPv4 address mapped into IPv6 is given as what it is.
    static func text(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else { return "" }
        let text = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return plain(text)
    }

    /// An address without the prefix under which IPv6 sockets show IPv4.
    package static func plain(_ address: String) -> String {
        address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    }

    /// The address of this machine from which a host is reached; nil when there is no way to it.
    package static func localAddress(toward endpoint: Endpoint) -> String? {
        guard case .tcp(let host, let port) = endpoint.kind else { return nil }
        for address in addresses(host, port: port == "*" ? "9" : port) {
            // Connecting a datagram socket sends nothing: it only asks the routing table.
            let descriptor = socket(address.family, Int32(SOCK_DGRAM.rawValue), 0)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard address.with({ connect(descriptor, $0, $1) }) == 0 else { continue }
            let name = name { getsockname(descriptor, $0, $1) }
            if !name.isEmpty { return name }
        }
        return nil
    }

    /// The other end of a connection of this process, while it is open.
    static func peer(of descriptor: Int32) -> String { name { getpeername(descriptor, $0, $1) } }

    /// The text of an address that the system is asked for; empty when it has none.
    private static func name(
        _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> String {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { addresses in
                addresses.baseAddress.map { ask($0, &length) == 0 ? text($0, length) : "" } ?? ""
            }
        }
    }

    /// Why an endpoint cannot be talked to, found by connecting to it; takes at most two seconds.
    package static func explain(_ endpoint: Endpoint) -> String {
        guard case .tcp(let host, let port) = endpoint.kind else { return "nothing answers there" }
        let found = addresses(host, port: port)
        guard let address = found.first else { return "the name '\(host)' has no address: is it spelled right?" }
        let place = address.text == host ? host : "\(host) (\(address.text))"
        switch attempt(address) {
        case 0:
            return
                "something accepts connections on port \(port) of \(place), but it is not the one that is meant, or it "
                + "hangs"
        case ECONNREFUSED:
            return "nobody listens on port \(port) of \(place) (connection refused): wrong port, or not started"
        case EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL:
            return "there is no way to \(place): wrong address, host down or network cut"
        case ETIMEDOUT, EINPROGRESS:
            return "\(place) does not answer at all: host down, wrong address, or a firewall drops port \(port)"
        case let problem: return "connecting to port \(port) of \(place): \(String(cString: strerror(problem)))"
        }
    }

    /// The mechanism that a ZeroMQ socket announces: "NULL" or "CURVE"; nil when it is no ZeroMQ, or takes over two
    /// seconds.
    ///
    /// A greeting of ZMTP 3 (RFC 23) has 64 bytes: signature 10, version 2, mechanism 20, as-server 1, filler 31.
    ///
    /// - Parameter stay: how long the connection is held after that: the other side learns from where it came only while
    ///   it is open.
    package static func mechanism(of endpoint: Endpoint, staying stay: Double = 0) -> String? {
        guard case .tcp(let host, let port) = endpoint.kind, let address = addresses(host, port: port).first else {
            return nil
        }
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        // Without our mechanism it tells its own and waits; with one that does not fit it would hang up first.
        let opening: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3]
        guard address.with({ connect(descriptor, $0, $1) }) == 0,
            send(descriptor, opening, opening.count, Int32(MSG_NOSIGNAL)) == opening.count
        else { return nil }
        var answer = [UInt8](repeating: 0, count: 64)
        guard recv(descriptor, &answer, 64, Int32(MSG_WAITALL)) >= 32, answer[0] == 0xFF else { return nil }
        if stay > 0 { Thread.sleep(forTimeInterval: stay) }
        return String(decoding: answer[12..<32].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The error of connecting within two seconds; 0 when it is possible.
    private static func attempt(_ address: Address) -> Int32 {
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        if address.with({ connect(descriptor, $0, $1) }) == 0 { return 0 }
        guard errno == EINPROGRESS else { return errno }
        var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, 2000) > 0 else { return ETIMEDOUT }
        var problem: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &length)
        return problem
    }
}
