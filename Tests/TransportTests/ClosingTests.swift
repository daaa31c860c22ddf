import Foundation
import Synchronization
import Testing

@testable import Transport

/// Peers that speak the oldest protocol of ZeroMQ, or none, at the very moment at which a socket closes: libzmq 4.3.4
/// takes what they send for the name of a connection, and ends the process when a closing socket has no place for it.
@Suite(.serialized) struct ClosingTests {
    /// The kinds of sockets that processes listen with.
    enum Door: String, CaseIterable, Sendable {
        /// A scheduler or shard in plaintext.
        case tcp
        /// A local one.
        case ipc
        /// A scheduler of `train`: tcp, and a path of this machine for the other processes.
        case both
        /// A scheduler or shard with keys.
        case keys

        func open() throws -> (socket: Socket, addresses: [Endpoint]) {
            let context = try Context(identity: self == .keys ? try KeyPair() : nil)
            let path = TransportTests.endpoint("ipc")
            let socket = try Socket.listen(on: self == .ipc ? path : "tcp://127.0.0.1:*", in: context)
            var addresses = [try Endpoint(socket.endpoint)]
            if self == .both {
                try socket.listen(also: path)
                addresses.append(try Endpoint(path))
            }
            return (socket, addresses)
        }
    }

    /// Connects again and again, sends a first byte that is none of this protocol, and the rest when the socket closes.
    private final class Peers: Sendable {
        private struct Target {
            var round = 0
            var addresses: [Endpoint] = []
            var isClosing = false
        }

        private let target = Mutex(Target())
        private let isOver = Atomic(false)
        let ready = Mutex(0)

        func aim(at addresses: [Endpoint]) {
            ready.withLock { $0 = 0 }
            target.withLock { $0 = Target(round: $0.round + 1, addresses: addresses) }
        }
        func strike() { target.withLock { $0.isClosing = true } }
        func end() { isOver.store(true, ordering: .relaxed) }

        func run(_ number: Int) {
            var seed = UInt64(number + 1) &* 0x9e37_79b9_7f4a_7c15
            var done = 0
            while !isOver.load(ordering: .relaxed) {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let aim = target.withLock { $0 }
                guard aim.round != done, !aim.addresses.isEmpty else {
                    usleep(50)
                    continue
                }
                done = aim.round
                let descriptor = Self.connect(aim.addresses[number % aim.addresses.count])
                defer { close(descriptor) }
                var bytes = (0..<64).map { UInt8(truncatingIfNeeded: seed >> UInt64($0 % 48)) }
                (bytes[0], bytes[1]) = (5, 0)
                _ = send(descriptor, bytes, 1, Int32(MSG_NOSIGNAL))
                ready.withLock { $0 += 1 }
                while !target.withLock({ $0.isClosing || $0.round != done }), !isOver.load(ordering: .relaxed) {
                    usleep(20)
                }
                usleep(UInt32(seed >> 57))
                _ = send(descriptor, Array(bytes[1...]), 63, Int32(MSG_NOSIGNAL))
                usleep(300)
            }
        }

        private static func connect(_ endpoint: Endpoint) -> Int32 {
            if case .ipc(let path) = endpoint.kind {
                let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8).prefix(107)) }
                withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        _ = Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                }
                return descriptor
            }
            return GateTests.connect(UInt16(endpoint.port ?? "") ?? 0)
        }
    }

    @Test("two hundred closings amid peers of the oldest protocol end in order", arguments: Door.allCases)
    func closings(_ door: Door) throws {
        let peers = Peers()
        let threads = (0..<24).map { number in RoleThread("peer-\(number)") { peers.run(number) } }
        defer {
            peers.end()
            for thread in threads { try? thread.join() }
        }
        for round in 0..<200 {
            var opened: (socket: Socket, addresses: [Endpoint])? = try door.open()
            peers.aim(at: opened?.addresses ?? [])
            let deadline = ContinuousClock.now + .seconds(10)
            while peers.ready.withLock({ $0 }) < threads.count, .now < deadline { usleep(50) }
            // libzmq's own thread has to have seen the first bytes.
            usleep(500)
            peers.strike()
            usleep(UInt32(round * 37 % 60))
            opened = nil
        }
    }
}
