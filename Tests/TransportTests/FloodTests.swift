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
            guard poll(&events, 1, 60_000) == 1 else {
                Issue.record("neither taken from nor hung up on for a minute")
                return true
            }
            return Int32(events.revents) & (Self.hungUp | POLLERR | POLLHUP) != 0
        }

        /// `POLLRDHUP`, which Glibc's module does not name.
        private static let hungUp: Int32 = 0x2000

        private func receive(_ count: Int) -> Bool {
            var buffer = [UInt8](repeating: 0, count: count)
            return recv(descriptor, &buffer, count, Int32(truncatingIfNeeded: MSG_WAITALL)) == count
        }
    }

    /// Does something again and again, for at most a minute, until it is done.
    private func retry(_ body: () -> Bool) {
        let deadline = ContinuousClock.now + .seconds(60)
        while !body() {
            guard .now < deadline else {
                Issue.record("not done within a minute")
                return
            }
        }
    }

    /// A socket that listens, and a stranger who has shaken hands with it.
    private func open(in context: Context) throws -> (door: Socket, peer: Peer) {
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let port = try #require(try Endpoint(door.endpoint).port.flatMap { UInt16($0) })
        return (door, try #require(Peer(port: port)))
    }

    @Test("a message without an end is hung up on, and whoever keeps within bounds is heard all the while")
    func endless() throws {
        let context = try Context()
        let (door, peer) = try open(in: context)
        defer { close(peer.descriptor) }
        // Somebody is heard already.
        let friend = try Socket.connect(to: door.endpoint, in: context)
        let header = Header(.heartbeat, role: .worker, rank: 0, incarnation: 1, job: 1, epoch: 1)
        friend.send(Control.heartbeat(Heartbeat(step: 0, state: "")).message(header))
        retry {
            usleep(1000)
            return door.receive() != nil
        }
        // One part of 64 KiB after the other, each with the flag that another one follows.
        let part: [UInt8] = [3, 0, 0, 0, 0, 0, 1, 0, 0] + [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        while sent < 8 << 30, !peer.isHungUp() { sent += max(0, peer.send(Array(part[(sent % part.count)...]))) }
        #expect(sent > ConnectionLog.mostWaiting.each && sent < 8 << 30)
        friend.send(Control.heartbeat(Heartbeat(step: 1, state: "")).message(header))
        var poller = Poller([door], Inbox<Int>())
        retry {
            poller.wait(.milliseconds(50))
            guard case .message(let message, _)? = door.receive() else { return false }
            return message.header.kind == .heartbeat
        }
        #expect(door.log?.counts.count(.flooding) == 1)
    }

    @Test("a message of millions of frames is dropped turn by turn, and what comes behind it is read")
    func manyFrames() throws {
        let context = try Context()
        let (door, peer) = try open(in: context)
        defer { close(peer.descriptor) }
        let frames =
            [UInt8](repeating: 0, count: 400_000).enumerated().map { $0.offset % 2 == 0 ? 1 : $0.element } + [0, 0]
        var sent = 0
        while sent < frames.count, !peer.isHungUp() { sent += max(0, peer.send(Array(frames[sent...]))) }
        #expect(sent == frames.count)
        let friend = try Socket.connect(to: door.endpoint, in: context)
        let header = Header(.heartbeat, role: .worker, rank: 0, incarnation: 1, job: 1, epoch: 1)
        var poller = Poller([door], Inbox<Int>())
        var (garbage, isHeard) = (0, false)
        retry {
            friend.send(Control.heartbeat(Heartbeat(step: 1, state: "")).message(header))
            poller.wait(.milliseconds(20))
            var budget = TurnBudget()
            while let received = door.receive(within: &budget) {
                switch received {
                case .message: isHeard = true
                case .garbage: garbage += 1
                case .otherVersion: Issue.record("another version")
                }
            }
            return garbage > 0 && isHeard
        }
        #expect(garbage == 1)
    }

    @Test(
        "a message of any length goes over a connection that this side made, and over a member's also when it is made anew"
    )
    func large() throws {
        let context = try Context()
        let door = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        var worker = try Socket.connect(to: door.endpoint, in: context)
        let header = Header(.probe, role: .worker, rank: 0, incarnation: 1, job: 1, epoch: 1)
        let buffer = Buffer(bytes: 200 << 20)
        buffer.count = 200 << 20
        let long = Payload(buffer)
        var poller = Poller([door, worker], Inbox<Int>())
        func exchange(_ message: Message) -> Int {
            worker.send(message)
            var back: Int?
            retry {
                poller.wait(.milliseconds(20))
                if case .message(let message, let from)? = door.receive() {
                    door.trustSender()
                    door.send(message, to: from)
                }
                if case .message(let message, _)? = worker.receive() { back = message.frames.first?.count ?? 0 }
                return back != nil
            }
            return back ?? 0
        }
        #expect(exchange(.probe(header, bytes: 0, back: 0)) == 0)
        #expect(exchange(Message(header, [long])) == long.count)
        // Its first message over another connection may be long too.
        for number in 2...3 {
            poller = Poller([door], Inbox<Int>())
            worker = try Socket.connect(to: door.endpoint, in: context)
            retry {
                usleep(1000)
                return door.log?.counts.handshakes == number && door.log?.counts.open == 1
            }
            poller = Poller([door, worker], Inbox<Int>())
            #expect(exchange(Message(header, [long])) == long.count)
        }
        #expect(door.log?.counts.count(.flooding) == 0 && worker.log?.counts.count(.flooding) == 0)
    }

    @Test("who does not take its answers is known by the next question")
    func behind() throws {
        let context = try Context()
        let (door, peer) = try open(in: context)
        defer { close(peer.descriptor) }
        let question = Message(Header(.inspect, role: .scheduler, rank: 0, incarnation: 1, job: 1, epoch: 1))
        let bytes = question.header.encode(over: question.digest)
        let answer = Message(question.header, [Payload(copying: [UInt8](repeating: 0, count: 1 << 20))])
        var answers = 0
        retry {
            guard peer.send([0, UInt8(bytes.count)] + bytes) > 0 else { return false }
            usleep(2000)
            while case .message(_, let from)? = door.receive() {
                if door.senderIsBehind { return true }
                answers += 1
                door.send(answer, to: from)
            }
            return false
        }
        #expect((1...256).contains(answers), "\(answers) MiB")
        // Whoever has read them may ask again.
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        retry {
            while recv(peer.descriptor, &buffer, buffer.count, Int32(truncatingIfNeeded: MSG_DONTWAIT)) > 0 {}
            _ = peer.send([0, UInt8(bytes.count)] + bytes)
            usleep(2000)
            return door.receive() != nil && !door.senderIsBehind
        }
    }
}
