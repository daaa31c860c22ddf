import Foundation

extension Context {
    /// Proves that a key nobody allowed is refused, before anything is opened to the network: connects to itself with
    /// a key made for this moment.
    ///
    /// - Parameter endpoint: whose host is to be listened on.
    /// - Throws: `TransportError.notGuarded` when it is let in, or when that cannot be found out.
    package func proveGuarded(at endpoint: Endpoint) throws(TransportError) {
        guard let identity, let host = endpoint.host else { return }
        let door = try Socket.listen(
            on: "\(Endpoint(host: endpoint.isWildcard ? "127.0.0.1" : host, port: "*"))", in: self)
        let stranger = try Context(identity: try KeyPair(), isInsecure: true)
        let socket = try Socket.connect(to: door.endpoint, in: stranger, key: identity.publicKey)
        let deadline = ContinuousClock.now + .seconds(10)
        while .now < deadline {
            let counts = door.log?.counts ?? .init()
            if counts.handshakes > 0 || socket.log.map({ $0.counts.handshakes > 0 }) == true {
                throw .notGuarded("a key made up for the test was let in")
            }
            if counts.count(.unknownKey) + counts.count(.abandoned) > 0 { return }
            Thread.sleep(forTimeInterval: 0.002)
        }
        throw .notGuarded("a key made up for the test was neither let in nor refused within 10 s")
    }
}
