import FlyingSocks
import Foundation

/// How long a client may take.
package struct Patience: Sendable {
    /// For a whole request, from its first byte (or the connection's begin) on.
    var request = Duration.seconds(10)
    /// Between two requests.
    var idle = Duration.seconds(15)
    /// To take an answer.
    var answer = Duration.seconds(20)
    /// To close its side after an error, so that it can read why.
    var goodbye = Duration.seconds(1)

    /// The usual one.
    package init() {}
}

/// One client: what it has sent so far, what it still has to receive, and until when.
struct Connection {
    /// Bytes that are thrown away after an error, so that the client can read why, at most.
    private static let mostUnread = 1 << 20

    enum Phase { case receiving, sending, leaving, closed }

    let socket: Socket
    /// From where: an address, or the network of one.
    let peer: String
    private let limits: Patience
    private let answer: (Request) -> Response
    private var received: [UInt8] = []
    private var queue: [Data] = []
    private var sent = 0
    private var closesAfter = false
    private var isFirst = true
    private var unread = 0
    private(set) var phase = Phase.receiving
    /// When it is closed unless something happens.
    private(set) var deadline: ContinuousClock.Instant
    /// When it began, asked for something or took a part of an answer; half a request is nothing.
    private(set) var moved = ContinuousClock.now

    init(_ socket: Socket, from peer: String, limits: Patience, answer: @escaping (Request) -> Response) {
        self.socket = socket
        self.peer = peer
        self.limits = limits
        self.answer = answer
        deadline = .now + limits.request
    }

    /// Whether it has been still for so long that it may be closed to make room for another one.
    func mayYield(at now: ContinuousClock.Instant) -> Bool {
        moved.duration(to: now) > (phase == .sending ? .seconds(2) : .milliseconds(100))
    }

    /// The events of poll(2) that it waits for.
    var interest: Int16 { phase == .sending ? Int16(POLLOUT) : Int16(POLLIN) }

    /// Reads or writes what is possible without waiting.
    mutating func proceed() {
        attempt {
            switch $0.phase {
            case .receiving: try $0.receive()
            case .sending: try $0.send()
            case .leaving: try $0.discard()
            case .closed: break
            }
            while $0.phase == .receiving, !$0.received.isEmpty, try $0.answerNext() {}
        }
    }

    /// Does a part of it that goes without waiting; closes the connection where that fails.
    private mutating func attempt(_ part: (inout Connection) throws -> Void) {
        do { try part(&self) } catch SocketError.blocked { return } catch { close() }
    }

    /// Sends what is possible without waiting; answers nothing more.
    mutating func flush() { if phase == .sending { attempt { try $0.send() } } }

    /// Ends what has lasted too long; whether that was half a request or none at all.
    mutating func expire() -> Bool {
        let isUseless = phase == .receiving && (isFirst || !received.isEmpty)
        // Half a request is told why it ends; a silent connection just ends.
        if phase == .receiving, !received.isEmpty {
            refuse(.problem(.timeout, "the request did not arrive within \(limits.request)"))
        } else {
            close()
        }
        return isUseless
    }

    mutating func close() {
        guard phase != .closed else { return }
        phase = .closed
        try? socket.close()
    }

    private mutating func receive() throws {
        // Once a turn: a client that sends faster than this reads does not keep the others waiting.
        let isNew = received.isEmpty
        received += try socket.read(atMost: 4096)
        if isNew, !isFirst { deadline = .now + limits.request }
    }

    /// Answers the next request if it is here; whether it was.
    private mutating func answerNext() throws -> Bool {
        var request: Request
        do {
            guard let next = try Request.take(from: &received) else { return false }
            request = next
        } catch {
            switch error {
            case .malformed: refuse(.problem(.badRequest, "this is no HTTP request"))
            case .tooLong:
                refuse(.problem(.headerTooLarge, "a request line and headers of more than \(Request.limit) bytes"))
            case .hasBody: refuse(.problem(.tooLarge, "requests with a body are not read"))
            case .badVersion: refuse(.problem(.badVersion, "HTTP/1.1 and HTTP/1.0 are spoken here"))
            }
            return true
        }
        isFirst = false
        moved = .now
        request.peer = peer
        let response = answer(request)
        // What follows a refused method may be a body.
        let closes = !request.keepsAlive || response.status == .methodNotAllowed
        enqueue(response, closes: closes, withBody: request.method != "HEAD")
        try send()
        return true
    }

    private mutating func refuse(_ response: Response) {
        enqueue(response, closes: true, withBody: true)
        attempt { try $0.send() }
    }

    private mutating func enqueue(_ response: Response, closes: Bool, withBody: Bool) {
        queue = [response.head(closes: closes)]
        if withBody, !response.body.isEmpty { queue.append(response.body) }
        sent = 0
        closesAfter = closes
        phase = .sending
        deadline = .now + limits.answer
    }

    private mutating func send() throws {
        while let next = queue.first {
            sent = try socket.write(next, from: sent)
            moved = .now
            guard sent == next.endIndex else { continue }
            queue.removeFirst()
            sent = queue.first?.startIndex ?? 0
        }
        if closesAfter {
            // Closed with unread bytes, the system would take the answer back.
            shutdown(socket.file.rawValue, Int32(SHUT_WR))
            received = []
            phase = .leaving
            deadline = .now + limits.goodbye
            return
        }
        phase = .receiving
        deadline = .now + (received.isEmpty ? limits.idle : limits.request)
    }

    private mutating func discard() throws {
        for _ in 0..<16 { unread += try socket.read(atMost: 4096).count }
        if unread > Self.mostUnread { close() }
    }
}
