import Foundation
import Testing
import Wire

@testable import Transport

/// Who is let in, and what both sides are told of who is not.
@Suite struct GateTests {
    private let scheduler = Result { try KeyPair() }
    private let node = Result { try KeyPair() }

    /// Polls until it is so, for at most half a minute.
    static func until(_ isSo: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            if isSo() { return true }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return false
    }

    @Test("an allowed key is let in, and every message says whose it is and from where")
    func allowed() throws {
        let (own, key) = (try scheduler.get(), try node.get())
        let context = try Context(identity: own)
        context.gate.admit { $0 == key.publicKey ? .allowed : .refused }
        try context.proveGuarded(at: try Endpoint("127.0.0.1:*"))
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let socket = try Socket.connect(to: door.endpoint, in: try Context(identity: key), key: own.publicKey)
        #expect(socket.send(Message(TransportTests.header(.hello))))
        #expect(TransportTests.next(door) != nil)
        #expect(door.peer == Socket.Peer(address: "127.0.0.1", key: key.publicKey))
        #expect(Self.until { door.log?.counts.handshakes == 1 && socket.log?.counts.apart == nil })
    }

    @Test("an unknown key is refused, named and counted on both sides")
    func unknown() throws {
        let (own, key) = (try scheduler.get(), try node.get())
        let context = try Context(identity: own)
        context.gate.admit { _ in .refused }
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let socket = try Socket.connect(to: door.endpoint, in: try Context(identity: key), key: own.publicKey)
        #expect(Self.until { socket.log?.counts.count(.unknownKey) == 1 })
        #expect(Self.until { door.log?.counts.count(.unknownKey) == 1 && door.log?.counts.open == 0 })
        let news = door.log?.takeNews() ?? []
        #expect(news == [.init(address: "127.0.0.1", failure: .unknownKey, key: key.publicKey)])
        #expect(door.log?.takeNews().isEmpty == true && door.log?.counts.handshakes == 0)
    }

    @Test("nobody is let in before it is known who may; then those who came too early come back")
    func later() throws {
        let (own, key) = (try scheduler.get(), try node.get())
        let context = try Context(identity: own)
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let socket = try Socket.connect(to: door.endpoint, in: try Context(identity: key), key: own.publicKey)
        #expect(Self.until { (door.log?.counts.count(.abandoned) ?? 0) > 1 })
        #expect(socket.log?.counts.handshakes == 0)
        context.gate.admit { _ in .allowed }
        #expect(Self.until { socket.log?.counts.handshakes == 1 })
    }

    @Test("a wrong key of the server, and plaintext on one side, are told apart on both sides")
    func told() throws {
        let own = try scheduler.get()
        let context = try Context(identity: own)
        context.gate.admit { _ in .allowed }
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let wrong = try Socket.connect(
            to: door.endpoint, in: try Context(identity: try node.get()), key: try KeyPair().publicKey)
        #expect(Self.until { (wrong.log?.counts.count(.abandoned) ?? 0) > 1 })
        #expect(Self.until { (door.log?.counts.count(.wrongServerKey) ?? 0) > 1 })
        let plain = try Socket.connect(to: door.endpoint, in: try Context())
        // Whoever sees it first hangs up, which the other one may notice before it sees it, too.
        func sees(_ socket: Socket) -> Bool {
            let counts = socket.log?.counts ?? .init()
            return counts.count(.plaintext) + counts.count(.abandoned) > 0
        }
        #expect(Self.until { plain.log?.counts.count(.plaintext) == 1 && sees(door) })
        #expect(Reachability.mechanism(of: try Endpoint(door.endpoint)) == "CURVE")
        let open = try Socket.listen(on: "tcp://127.0.0.1:*", in: try Context())
        let secured = try Socket.connect(
            to: open.endpoint, in: try Context(identity: try node.get()), key: own.publicKey)
        #expect(Self.until { secured.log?.counts.count(.plaintext) == 1 && sees(open) })
        #expect(Reachability.mechanism(of: try Endpoint(open.endpoint)) == "NULL")
        #expect(door.log?.counts.handshakes == 0)
    }

    @Test("a gate that lets everybody in is found out before anything is opened")
    func open() throws {
        let context = try Context(identity: try scheduler.get())
        context.gate.admit { _ in .allowed }
        #expect(throws: TransportError.notGuarded("a key made up for the test was let in")) {
            try context.proveGuarded(at: try Endpoint("127.0.0.1:*"))
        }
    }

    @Test("of many strangers that say nothing most are hung up on at once, and who may is let in all the same")
    func crowd() throws {
        let (own, key) = (try scheduler.get(), try node.get())
        let context = try Context(identity: own)
        context.gate.admit { _ in .allowed }
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let port = try #require(UInt16(try Endpoint(door.endpoint).port ?? ""))
        let strangers = (0..<400).map { _ in Self.connect(port) }
        defer { for stranger in strangers { close(stranger) } }
        #expect(strangers.allSatisfy { $0 >= 0 })
        #expect(Self.until { (door.log?.counts.count(.crowded) ?? 0) > 0 })
        let socket = try Socket.connect(to: door.endpoint, in: try Context(identity: key), key: own.publicKey)
        #expect(Self.until { socket.log?.counts.handshakes == 1 })
        #expect(Self.until { (door.log?.counts.strangers ?? 1) == 0 })
    }

    @Test("a path of this machine is open to all in a process with keys, whose handler is asked")
    func path() throws {
        let context = try Context(identity: try scheduler.get())
        context.gate.admit { _ in .refused }
        let door = try Socket.listen(on: TransportTests.endpoint("ipc"), in: context)
        let socket = try Socket.connect(to: door.endpoint, in: try Context())
        #expect(socket.send(Message(TransportTests.header(.hello))))
        #expect(TransportTests.next(door) != nil)
    }

    @Test("any number of peers of an older protocol come and go, and the door is not full", arguments: [false, true])
    func olderPeers(hasKeys: Bool) throws {
        let context = try Context(identity: hasKeys ? try scheduler.get() : nil)
        context.gate.admit { _ in .allowed }
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let port = try #require(UInt16(try Endpoint(door.endpoint).port ?? ""))
        for _ in 0..<400 {
            let peer = Self.connect(port)
            send(peer, [5, 0, 1, 2], 4, Int32(MSG_NOSIGNAL))
            var byte: UInt8 = 0
            while recv(peer, &byte, 1, 0) > 0 {}
            close(peer)
        }
        #expect(Self.until { door.log?.counts.connections == 400 && door.log?.counts.open == 0 })
        #expect(door.log?.counts.strangers == 0)
        let own = try scheduler.get().publicKey
        let socket = try Socket.connect(
            to: door.endpoint, in: try Context(identity: hasKeys ? try node.get() : nil), key: hasKeys ? own : nil)
        #expect(Self.until { socket.log?.counts.handshakes == 1 && door.log?.counts.handshakes == 1 })
    }

    /// A TCP connection to a port of this machine that nothing is said over; −1 when there is none.
    static func connect(_ port: UInt16) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 ? descriptor : -1
    }
}
