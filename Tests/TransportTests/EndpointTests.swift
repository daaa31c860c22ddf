import Foundation
import Testing
import Wire

@testable import Transport

@Suite struct EndpointTests {
    @Test(
        "endpoints are read, written and judged",
        arguments: [
            ("10.0.0.1:5555", "tcp://10.0.0.1:5555", false), ("tcp://host-a:*", "tcp://host-a:*", false),
            ("tcp://[fd00::2]:7", "tcp://[fd00::2]:7", false), ("[::1]:7", "tcp://[::1]:7", true),
            ("127.0.0.11:7", "tcp://127.0.0.11:7", true), ("localhost:7", "tcp://localhost:7", true),
            ("ipc:///tmp/x", "ipc:///tmp/x", true), ("inproc://x", "inproc://x", true),
            ("0.0.0.0:7", "tcp://0.0.0.0:7", false),
        ])
    func read(text: String, canonical: String, isLocal: Bool) throws {
        let endpoint = try Endpoint(text)
        #expect("\(endpoint)" == canonical && endpoint.isLocal == isLocal)
        #expect(try Endpoint(canonical) == endpoint)
    }

    @Test(
        "what is no endpoint is refused, also what only libzmq would take",
        arguments: [
            "nonsense", "tcp://host", "tcp://:5", "tcp://host:70000", "tcp://host:x", "udp://host:5", "pgm://e;1:5",
            "tcp://fd00::2:7", "tcp://e;10.0.0.1:5", "tcp://a b:5", "ipc://", "inproc://", "tcp://[]:5",
        ])
    func refused(text: String) {
        #expect(throws: TransportError.endpoint(text)) { try Endpoint(text) }
    }

    @Test("plaintext does not leave this machine unless that is allowed")
    func plaintext() throws {
        let outside = "tcp://0.0.0.0:*"
        #expect(throws: TransportError.plaintext(endpoint: outside, listens: true)) {
            try Socket.listen(on: outside, in: try Context())
        }
        #expect(throws: TransportError.plaintext(endpoint: "tcp://192.0.2.9:5", listens: false)) {
            try Socket.connect(to: "192.0.2.9:5", in: try Context())
        }
        // A process with keys does not connect to a scheduler whose key it does not know either.
        #expect(throws: TransportError.plaintext(endpoint: "tcp://192.0.2.9:5", listens: false)) {
            try Socket.connect(to: "192.0.2.9:5", in: try Context(identity: try KeyPair()))
        }
        _ = try Socket.listen(on: outside, in: try Context(isInsecure: true))
        _ = try Socket.listen(on: outside, in: try Context(identity: try KeyPair()))
    }

    @Test("why an address cannot be reached is said in words")
    func explained() throws {
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: try Context())
        #expect(Reachability.explain(try Endpoint(door.endpoint)).contains("something accepts connections"))
        #expect(Reachability.explain(try Endpoint("127.0.0.1:9")).contains("nobody listens on port 9 of 127.0.0.1"))
        #expect(Reachability.explain(try Endpoint("no-such-host.invalid:9")).contains("has no address"))
        #expect(Reachability.localAddress(toward: try Endpoint("127.0.0.3:9")) == "127.0.0.1")
        #expect(Reachability.localAddress(toward: try Endpoint("[::1]:9")) == "::1")
    }
}
