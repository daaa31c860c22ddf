import CZeroMQ
import Foundation
import Testing
import Wire

@testable import Transport

@Suite struct TransportTests {
    static func header(_ kind: MessageKind, request: UInt32 = 0) -> Header {
        Header(kind, role: .worker, rank: 1, incarnation: 2, job: 3, epoch: 1, request: request)
    }

    static func endpoint(_ scheme: String) -> String {
        switch scheme {
        case "tcp": "tcp://127.0.0.1:*"
        case "ipc": "ipc://\(NSTemporaryDirectory())/myriad-\(UUID().uuidString.prefix(8))"
        default: "inproc://\(UUID().uuidString)"
        }
    }

    /// Polls until the socket has something, for at most ten seconds.
    static func next(_ socket: Socket) -> Socket.Received? {
        let inbox = Inbox<Int>()
        var poller = Poller([socket], inbox)
        for _ in 0..<100 {
            if let received = socket.receive() { return received }
            poller.wait(.milliseconds(100))
        }
        return nil
    }

    @Test("messages go both ways, large frames without a copy that outlives them", arguments: ["inproc", "ipc", "tcp"])
    func roundTrip(scheme: String) throws {
        let context = try Context()
        let router = try Socket.listen(on: Self.endpoint(scheme), in: context)
        let dealer = try Socket.connect(to: router.endpoint, in: context)
        let pool = BufferPool()
        for round in 0..<200 {
            let buffer = pool.take(bytes: 1 << 16)
            let floats = buffer.array(of: Float.self, count: 1 << 14)
            for index in 0..<floats.count { floats[index] = Float(round + index) }
            let message = Message(
                Self.header(.values, request: UInt32(round)),
                [Payload(copying: [UInt8](repeating: 7, count: round)), Payload(buffer)])
            #expect(dealer.send(message))
            guard case .message(let got, let from)? = Self.next(router) else {
                Issue.record("nothing came in round \(round)")
                return
            }
            #expect(got.header == message.header && got.frames.count == 2 && got.frames[0].count == round)
            #expect(got.frames[1].bytes.elementsEqual(buffer.bytes))
            #expect(router.send(Message(Self.header(.pushed, request: got.header.request)), to: from))
            guard case .message(let answer, _)? = Self.next(dealer) else {
                Issue.record("no answer in round \(round)")
                return
            }
            #expect(answer.header.request == UInt32(round))
        }
        #expect(pool.kept < 64, "buffers come back")
    }

    @Test("a busy port is an error that names it and what to do")
    func busy() throws {
        let context = try Context()
        let first = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        do {
            _ = try Socket.listen(on: first.endpoint, in: context)
            Issue.record("two sockets listen on \(first.endpoint)")
        } catch {
            #expect("\(error)".contains("cannot listen on \(first.endpoint): Address already in use"))
        }
        #expect(throws: TransportError.self) { try Socket.connect(to: "nonsense", in: context) }
    }

    @Test("garbage on the port is reported and the router goes on")
    func garbage() throws {
        let context = try Context()
        let router = try Socket.listen(on: "tcp://127.0.0.1:*", in: context)
        let port = try #require(UInt16(router.endpoint.split(separator: ":").last ?? ""))
        // Bytes of no protocol at all: libzmq drops the connection.
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(raw) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        let noise = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
        _ = noise.withUnsafeBytes { Foundation.send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        // Well-formed ZeroMQ, but not ours.
        let dealer = try Socket.connect(to: router.endpoint, in: context)
        zmq_send(dealer.handle, "hello", 5, 0)
        for _ in 0..<20 { zmq_send(dealer.handle, "x", 1, ZMQ_SNDMORE) }
        zmq_send(dealer.handle, "x", 1, 0)
        dealer.send(Message(Self.header(.pushed, request: 9)))
        // The noise itself, which libzmq takes for its oldest protocol, never gets this far.
        var garbage: [String] = []
        while let received = Self.next(router) {
            switch received {
            case .garbage(let reason, _): garbage.append(reason)
            case .otherVersion: Issue.record("noise was taken for a message")
            case .message(let message, _):
                #expect(message.header.request == 9)
                #expect(garbage.count == 2 && garbage.contains { $0.contains("frames") })
                #expect(GateTests.until { router.log?.counts.count(.garbage) == 1 && router.log?.counts.open == 1 })
                return
            }
        }
        Issue.record("a good message after garbage did not arrive")
    }

    @Test(
        "a stop that comes together with the welcome is not lost, though the scheduler is gone by then",
        arguments: [false, true])
    func stopBehindWelcome(isGone: Bool) throws {
        let context = try Context()
        let scheduler = try Socket.listen(on: Self.endpoint("inproc"), in: context)
        let hello = Hello(role: .worker, host: "x", pid: 7, processor: "p", blas: "b", version: "1")
        var options = NodeOptions(scheduler: scheduler.endpoint, hello: hello)
        (options.wait, options.silence) = (.seconds(5), .seconds(isGone ? 1 : 60))
        let link = try SchedulerLink(options, in: context)
        guard case .message(_, let from)? = Self.next(scheduler) else {
            Issue.record("no hello came")
            return
        }
        var welcome = Welcome(job: 1, rank: 0, epoch: 1, servers: [], workers: 1, config: "")
        if isGone { welcome.silence = 1 }
        let stop = Control.stop(Stop(reason: "interrupted"))
        let identity = Header(.welcome, role: .scheduler, rank: 0, incarnation: 1, job: 1, epoch: 1)
        for control in [Control.welcome(welcome), stop] {
            #expect(scheduler.send(control.message(identity), to: from))
        }
        // Both are there before the node looks, and perhaps the silence that followed.
        Thread.sleep(forTimeInterval: isGone ? 3 : 0.1)
        #expect(try link.join() == welcome)
        #expect(try link.receive() == [stop])
        guard isGone else { return }
        #expect(throws: SchedulerLink.Lost.self) {
            while true {
                let later = try link.receive()
                #expect(later.isEmpty)
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    @Test("an inbox wakes a thread that polls")
    func wake() throws {
        let inbox = Inbox<Int>()
        let thread = Thread {
            Thread.sleep(forTimeInterval: 0.05)
            inbox.post(1)
            inbox.post(2)
        }
        thread.start()
        var poller = Poller([], inbox)
        var got: [Int] = []
        while got.count < 2 {
            poller.wait(.seconds(30))
            got += inbox.take()
        }
        #expect(got == [1, 2])
    }

    @Test("a message to a connection that is gone is refused, not queued for ever")
    func gone() throws {
        let context = try Context()
        let router = try Socket.listen(on: "inproc://gone", in: context)
        #expect(!router.send(Message(Self.header(.pushed)), to: [1, 2, 3, 4, 5]))
    }
}
