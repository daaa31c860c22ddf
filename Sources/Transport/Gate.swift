import CZeroMQ
import Foundation
import Synchronization

/// Watches who connects to a process, and says whose key is let in (ZeroMQ's authentication protocol, RFC 27).
///
/// A thread of its own owns the handler's socket and one monitor for each tcp socket; others see its logs.
package final class Gate: Sendable {
    /// What is said of a key.
    package enum Answer: Sendable {
        case allowed
        /// For good: the other side is told, and does not come back.
        case refused
        /// Not yet known: the other side comes back by itself.
        case later
    }

    /// The domain of sockets that listen in plaintext: where there is a handler, it lets everybody in there, and without
    /// one libzmq does.
    static let openDomain = "open"

    enum Command: Sendable {
        case watch(Handle, Int, ConnectionLog)
        case stop
    }

    /// A socket on its way to the thread that will own it.
    struct Handle: @unchecked Sendable { let socket: UnsafeMutableRawPointer }

    fileprivate let inbox = Inbox<Command>()
    fileprivate let policy = Mutex<@Sendable (PublicKey) -> Answer> { _ in .later }
    fileprivate let logs = Mutex<(next: Int, open: [Int: ConnectionLog])>((0, [:]))
    private let thread = Mutex<RoleThread?>(nil)

    /// Starts the thread; with a handler in place before any socket of the context listens.
    init(in context: UnsafeMutableRawPointer, authenticates: Bool) throws(TransportError) {
        var handler: Handle?
        if authenticates {
            guard let socket = zmq_socket(context, ZMQ_REP) else { throw .failed("zmq_socket", lastError()) }
            var linger: Int32 = 0
            zmq_setsockopt(socket, ZMQ_LINGER, &linger, MemoryLayout<Int32>.size)
            guard zmq_bind(socket, "inproc://zeromq.zap.01") == 0 else {
                zmq_close(socket)
                throw .failed("zmq_bind", "the handler of keys: \(lastError())")
            }
            handler = Handle(socket: socket)
        }
        let owned = handler
        let started = RoleThread("gate") { [self] in
            var loop = GateLoop(gate: self, handler: owned)
            loop.run()
        }
        thread.withLock { $0 = started }
    }

    /// Says from now on whose key is let in; until then nobody is.
    package func admit(_ policy: @escaping @Sendable (PublicKey) -> Answer) {
        self.policy.withLock { $0 = policy }
    }

    /// Watches a socket that is not yet bound or connected; returns its log and its number.
    func watch(
        _ socket: UnsafeMutableRawPointer, in context: UnsafeMutableRawPointer
    ) throws(TransportError) -> (log: ConnectionLog, number: Int) {
        let log = ConnectionLog()
        let number = logs.withLock { logs in
            defer { logs.next += 1 }
            logs.open[logs.next] = log
            return logs.next
        }
        let name = "inproc://monitor-\(number)"
        guard zmq_socket_monitor(socket, name, 0xFFFF) == 0, let pair = zmq_socket(context, ZMQ_PAIR) else {
            throw .failed("zmq_socket_monitor", lastError())
        }
        // libzmq waits, with all connections, for a monitor that does not keep up: it never has to.
        var unlimited: Int32 = 0
        zmq_setsockopt(pair, ZMQ_RCVHWM, &unlimited, MemoryLayout<Int32>.size)
        zmq_setsockopt(pair, ZMQ_LINGER, &unlimited, MemoryLayout<Int32>.size)
        guard zmq_connect(pair, name) == 0 else { throw .failed("zmq_connect", lastError()) }
        inbox.post(.watch(Handle(socket: pair), number, log))
        return (log, number)
    }

    /// Ends the thread, after the last socket and before the context.
    func stop() {
        inbox.post(.stop)
        try? thread.withLock { $0 }?.join()
    }
}

/// The thread of a gate.
private struct GateLoop {
    let gate: Gate
    let handler: Gate.Handle?
    var looked = ContinuousClock.now
    var monitors: [(pair: UnsafeMutableRawPointer, number: Int, log: ConnectionLog)] = []

    mutating func run() {
        var isOver = false
        while !isOver {
            var items = [zmq_pollitem_t(socket: nil, fd: gate.inbox.descriptor, events: Int16(ZMQ_POLLIN), revents: 0)]
            if let handler { items.append(item(handler.socket)) }
            items += monitors.map { item($0.pair) }
            zmq_poll(&items, Int32(items.count), monitors.contains { $0.log.hasStrangers } ? 25 : 1000)
            for command in gate.inbox.take() {
                switch command {
                case .watch(let handle, let number, let log): monitors.append((handle.socket, number, log))
                case .stop: isOver = true
                }
            }
            if let handler { while authenticate(handler.socket) {} }
            monitors = monitors.filter { monitor in
                let isOpen = isOpen(monitor.pair, monitor.log)
                if !isOpen { gate.logs.withLock { $0.open[monitor.number] = nil } }
                return isOpen
            }
            // After what libzmq tells: a descriptor that it has closed may be another connection's already.
            if looked.duration(to: .now) >= .milliseconds(25) {
                looked = .now
                lookForFloods()
            }
        }
        for monitor in monitors { zmq_close(monitor.pair) }
        if let handler { zmq_close(handler.socket) }
    }

    /// Takes what a monitor tells; false when it was the last of it.
    private func isOpen(_ pair: UnsafeMutableRawPointer, _ log: ConnectionLog) -> Bool {
        while let event = MonitorEvent(from: pair) {
            if event.kind == ZMQ_EVENT_MONITOR_STOPPED {
                zmq_close(pair)
                return false
            }
            note(event, log)
        }
        return true
    }

    private func item(_ socket: UnsafeMutableRawPointer) -> zmq_pollitem_t {
        zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }

    private func note(_ event: MonitorEvent, _ log: ConnectionLog) {
        switch event.kind {
        case ZMQ_EVENT_CONNECTED: log.opened(event.value, "")
        case ZMQ_EVENT_ACCEPTED:
            log.opened(event.value, Reachability.peer(of: Int32(bitPattern: event.value)))
            makeRoom(for: event.value, log)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: log.greeted()
        case ZMQ_EVENT_DISCONNECTED: log.closed(event.value)
        default: if let failure = event.failure { log.failed(failure) }
        }
    }

    /// Hangs up on strangers of whom more lies in memory than they may have there.
    private func lookForFloods() {
        for monitor in monitors {
            let floods = monitor.log.floods { Int(clamping: tcp_bytes_received(Int32(bitPattern: $0))) }
            for descriptor in floods { hangUp(descriptor, monitor.log, .flooding) }
        }
    }

    /// Makes room when there are too many connections.
    private func makeRoom(for descriptor: UInt32, _ log: ConnectionLog) {
        let open = monitors.reduce(0) { $0 + $1.log.counts.open }
        guard open > Self.mostConnections || log.isCrowded else { return }
        let isFull = open > Self.mostConnections * 3 / 2
        if let other = log.leastWelcome(beside: descriptor, isFull: isFull) { hangUp(other, log, .crowded) }
    }

    private func hangUp(_ descriptor: UInt32, _ log: ConnectionLog, _ failure: ConnectionLog.Failure) {
        guard log.hangsUp(on: descriptor, failure) else { return }
        shutdown(Int32(bitPattern: descriptor), Int32(SHUT_RDWR))
    }

    /// Connections that a process bears at once: half of the files that it may open are for its own.
    private static let mostConnections: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
        return min(4096, max(32, Int(clamping: limit.rlim_cur) / 2))
    }()

    /// Answers one request for a key; false when none waits.
    ///
    /// Frames: version, request, domain, address, identity, mechanism, credentials.
    private func authenticate(_ socket: UnsafeMutableRawPointer) -> Bool {
        guard let first = ReceivedFrame(from: socket) else { return false }
        var frames = [Array(first.bytes)]
        var hasMore = first.hasMore
        while hasMore, let frame = ReceivedFrame(from: socket) {
            frames.append(Array(frame.bytes))
            hasMore = frame.hasMore
        }
        func text(_ place: Int) -> String { frames.count > place ? String(decoding: frames[place], as: UTF8.self) : "" }
        var (code, key) = ("400", "")
        if text(2) == Gate.openDomain {
            // A socket with keys never has this domain.
            code = "200"
        } else if frames.count == 7, text(5) == "CURVE", let found = PublicKey(bytes: frames[6]) {
            key = "\(found)"
            let answer = gate.policy.withLock { $0 }
            switch answer(found) {
            case .allowed: code = "200"
            case .later: code = "300"
            case .refused:
                let number = text(2).split(separator: "-").last.flatMap { Int($0) }
                let log = number.flatMap { number in gate.logs.withLock { $0.open[number] } }
                log?.refused(found, from: Reachability.plain(text(3)))
            }
        }
        let request = frames.count > 1 ? frames[1] : []
        let reply = [Array("1.0".utf8), request, Array(code.utf8), [], code == "200" ? Array(key.utf8) : [], []]
        for (place, frame) in reply.enumerated() {
            _ = frame.withUnsafeBytes { SentFrame.send($0, to: socket, more: place + 1 < reply.count) }
        }
        return true
    }
}

/// What libzmq tells of a socket.
private struct MonitorEvent {
    let kind: Int32
    /// A descriptor, a code, or an error, by the kind.
    let value: UInt32

    /// The next event; nil when none waits.
    init?(from pair: UnsafeMutableRawPointer) {
        guard let frame = ReceivedFrame(from: pair), frame.bytes.count == 6 else { return nil }
        kind = Int32(frame.bytes.loadUnaligned(as: UInt16.self))
        value = frame.bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
        // The address is our own at a listener: nothing new.
        if frame.hasMore { _ = ReceivedFrame(from: pair) }
    }

    var failure: ConnectionLog.Failure? {
        switch kind {
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: .abandoned
        // 300 and 500 say "come again"; 400 is final.
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: value == 400 ? .unknownKey : .abandoned
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            switch Int32(bitPattern: value) {
            case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: .wrongServerKey
            case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: .plaintext
            default: .garbage
            }
        default: nil
        }
    }
}
