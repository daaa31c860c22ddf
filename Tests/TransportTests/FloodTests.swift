import Foundation
import Glibc
import Testing
import Wire

@testable import Transport

/// Strangers that send more than anybody takes: it would lie in libzmq's memory for ever.
@Suite struct FloodTests {
    /// A peer of ZeroMQ's protocol 3.1 on a socket of its own, which writes what libzmq never would.
    private struct Peer {
        let descriptor: Int32

        init?(port: UInt16) {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let isConnected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            let greeting: [UInt8] =
                [0xff] + [UInt8](repeating: 0, count: 8) + [0x7f, 3, 0] + Array("NULL".utf8)
                + [UInt8](repeating: 0, count: 48)
            let ready: [UInt8] =
                [4, 28, 5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, 6]
                + Array("DEALER".utf8)
            guard isConnected, send(greeting) == 64, receive(64), send(ready) == 30 else { return nil }
        }

        func send(_ bytes: [UInt8]) -> Int {
            Glibc.send(descriptor, bytes, bytes.count, Int32(truncatingIfNeeded: MSG_NOSIGNAL | MSG_DONTWAIT))
        }

        /// Whether the other side has hung up; waits while it neither has nor takes more.
        func isHungUp() -> Bool {
            var events = pollfd(fd: descriptor, events: Int16(POLLOUT | Self.hungUp), revents: 0)
            poll(&events, 1, -1)
            return Int32(events.revents) & (Self.hungUp | POLLERR | POLLHUP) != 0
        }

        /// `POLLRDHUP`, which Glibc's module does not name.
        private static let hungUp: Int32 = 0x2000

        private func receive(_ count: Int) -> Bool {
            var buffer = [UInt8](repeating: 0, count: count)
            return recv(descriptor, &buffer, count, Int32(truncatingIfNeeded: MSG_WAITALL)) == count
        }
    }

    @Test("a message without an end is hung up on, and whoever keeps within bounds is heard all the while")
    func endless() throws {
        let context = try Context()
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let port = try #require(try Endpoint(door.endpoint).port.flatMap { UInt16($0) })
        let peer = try #require(Peer(port: port))
        defer { close(peer.descriptor) }
        // One part of 64 KiB after the other, each with the flag that another one follows.
        let part: [UInt8] = [3, 0, 0, 0, 0, 0, 1, 0, 0] + [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        while sent < 8 << 30, !peer.isHungUp() { sent += max(0, peer.send(Array(part[(sent % part.count)...]))) }
        #expect(sent > ConnectionLog.mostWaiting && sent < 8 << 30)
        let friend = try Socket.connect(to: door.endpoint, in: context)
        let header = Header(.heartbeat, role: .worker, rank: 0, incarnation: 1, job: 1, epoch: 1)
        friend.send(Control.heartbeat(Heartbeat(step: 1, state: "")).message(header))
        var poller = Poller([door], Inbox<Int>())
        var heard = false
        while !heard {
            poller.wait(.milliseconds(50))
            if case .message(let message, _)? = door.receive() { heard = message.header.kind == .heartbeat }
        }
        #expect(door.log?.counts.count(.flooding) == 1)
    }

    @Test("of what is taken nothing is counted against anybody, and a member may have more on its way")
    func within() throws {
        let log = ConnectionLog()
        log.opened(5, "a")
        log.took(3 << 30, from: 5)
        log.opened(6, "b")
        #expect(log.strangers.map(\.taken).sorted() == [0, 3 << 30])
        log.trust(5)
        #expect(log.strangers.map(\.descriptor) == [6])
        log.hungUp(on: 6, .flooding)
        #expect(log.strangers.isEmpty && log.counts.count(.flooding) == 1)
        log.closed(6)
        #expect(log.takeNews().map(\.failure) == [.flooding] && log.counts.open == 1)
    }
}
