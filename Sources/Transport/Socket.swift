import CZeroMQ
import Foundation
package import Wire

/// A ROUTER that listens or a DEALER that connects; it belongs to the thread that uses it.
package final class Socket {
    /// What came in.
    package enum Received {
        /// A message, and the connection it came over (empty at a dealer).
        case message(Message, from: [UInt8])
        /// Something that is no message of ours.
        case garbage(String, from: [UInt8])
        /// A message of another version of the protocol.
        case otherVersion(UInt8, from: [UInt8])
    }

    /// Of which kind.
    package enum Kind: Sendable {
        /// Listens; names connections.
        case router
        /// Connects to one router.
        case dealer
    }

    /// Who sent a message, as far as the connection tells.
    package struct Peer: Sendable, Equatable {
        /// The numeric address from which it came; empty where there is none.
        package var address = ""
        /// The key that it proved to hold; nil in plaintext.
        package var key: PublicKey?

        package init(address: String = "", key: PublicKey? = nil) {
            self.address = address
            self.key = key
        }
    }

    let handle: UnsafeMutableRawPointer
    private let kind: Kind
    private let context: Context
    private let limits: Limits
    /// What became of its connections; nil where libzmq makes none (inproc, ipc).
    package private(set) var log: ConnectionLog?
    /// The first frame of the message that was received last: it knows the connection.
    private var newest: ReceivedFrame?
    /// Whether the rest of that message is still to be dropped.
    private var isSkipping = false

    private init(_ kind: Kind, _ context: Context, _ limits: Limits) throws(TransportError) {
        guard let handle = zmq_socket(context.handle, kind == .router ? ZMQ_ROUTER : ZMQ_DEALER) else {
            throw .failed("zmq_socket", lastError())
        }
        self.handle = handle
        self.kind = kind
        self.context = context
        self.limits = limits
        // Values: no message waits for a peer that is gone; frames are bounded before they are allocated; strangers that
        // say nothing are hung up on; a vanished host is noticed by TCP within half a minute.
        set(ZMQ_LINGER, 500)
        set(ZMQ_SNDHWM, 1000)
        set(ZMQ_RCVHWM, 1000)
        set(ZMQ_BACKLOG, 256)
        set(ZMQ_RECONNECT_IVL, 50)
        set(ZMQ_RECONNECT_IVL_MAX, 2000)
        set(ZMQ_HANDSHAKE_IVL, Int32(ConnectionLog.handshake / .milliseconds(1)))
        set(ZMQ_TCP_KEEPALIVE, 1)
        set(ZMQ_TCP_KEEPALIVE_IDLE, 10)
        set(ZMQ_TCP_KEEPALIVE_INTVL, 5)
        set(ZMQ_TCP_KEEPALIVE_CNT, 3)
        if kind == .router { set(ZMQ_ROUTER_MANDATORY, 1) }
        var longest = Int64(limits.frameBytes)
        zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &longest, MemoryLayout<Int64>.size)
    }

    deinit {
        // Before the socket is closed, or libzmq's thread may wait for the monitor for ever.
        if log != nil { zmq_socket_monitor(handle, nil, 0) }
        zmq_close(handle)
    }

    /// A router that listens on `endpoint`: `tcp://host:port` (port `*` for a free one), `ipc://path`, `inproc://name`.
    package static func listen(
        on endpoint: String, in context: Context, limits: Limits = Limits()
    ) throws(TransportError) -> Socket {
        let socket = try Socket(.router, context, limits)
        let address = try Endpoint(endpoint)
        // A domain, whoever is let in by it, keeps peers of ZeroMQ's older protocols out: libzmq (4.3.4) ends the process
        // when such a one names itself to a socket that closes. Keys put another domain in its place.
        guard socket.set(ZMQ_ZAP_DOMAIN, Array(Gate.openDomain.utf8)) else {
            throw .failed("zmq_setsockopt", lastError())
        }
        try socket.secure(address, asServer: true, expecting: nil)
        guard zmq_bind(socket.handle, "\(address)") == 0 else { throw .bind(endpoint: endpoint, lastError()) }
        return socket
    }

    /// Listens on a further endpoint of this machine, whose messages come in like all others.
    package func listen(also endpoint: String) throws(TransportError) {
        guard zmq_bind(handle, endpoint) == 0 else { throw .bind(endpoint: endpoint, lastError()) }
    }

    /// A dealer that connects to `endpoint`, now or as soon as somebody listens there.
    ///
    /// - Parameter key: of whoever listens there, which has to prove it; needed where this process encrypts.
    package static func connect(
        to endpoint: String, in context: Context, key: PublicKey? = nil, limits: Limits = Limits()
    ) throws(TransportError) -> Socket {
        let socket = try Socket(.dealer, context, limits)
        let address = try Endpoint(endpoint)
        try socket.secure(address, asServer: false, expecting: key)
        guard zmq_connect(socket.handle, "\(address)") == 0 else {
            throw .connect(endpoint: endpoint, lastError())
        }
        return socket
    }

    /// Watches a tcp socket and encrypts it, or refuses to let plaintext leave this machine.
    private func secure(_ endpoint: Endpoint, asServer: Bool, expecting key: PublicKey?) throws(TransportError) {
        guard endpoint.host != nil else { return }
        if endpoint.wantsIPv6 { set(ZMQ_IPV6, 1) }
        let watched = try context.gate.watch(handle, in: context.handle)
        log = watched.log
        guard let identity = context.identity, asServer || key != nil else {
            guard endpoint.isLocal || context.isInsecure else {
                throw .plaintext(endpoint: "\(endpoint)", listens: asServer)
            }
            return
        }
        // Never go on half encrypted.
        guard set(ZMQ_CURVE_SECRETKEY, identity.secret), set(ZMQ_CURVE_PUBLICKEY, identity.publicKey.bytes),
            asServer
                ? set(ZMQ_CURVE_SERVER, 1) && set(Self.enforceDomain, 1)
                    && set(ZMQ_ZAP_DOMAIN, Array("myriad-\(watched.number)".utf8))
                : set(ZMQ_CURVE_SERVERKEY, key?.bytes ?? [])
        else { throw .failed("zmq_setsockopt", "keys cannot be set: \(lastError())") }
    }

    /// Without a handler nobody is let in: `ZMQ_ZAP_ENFORCE_DOMAIN`, whose name is in libzmq's drafts only.
    private static let enforceDomain: Int32 = 93

    /// By what this end is known; nil in plaintext.
    package var identity: PublicKey? { context.identity?.publicKey }

    /// Who sent the message that was received last.
    package var peer: Peer {
        // libzmq gives processes of this machine an address, too: their user and number.
        guard log != nil, let newest else { return Peer() }
        return Peer(address: newest.address, key: newest.key)
    }

    /// Whether whoever sent the message that was received last does not take what it is sent: more would only lie in memory.
    package var senderIsBehind: Bool {
        newest?.descriptor.map { untaken_bytes(Int32(bitPattern: $0)) > 1 << 16 } ?? false
    }

    /// Whoever sent the message that was received last belongs to the job: it may have more on its way than a stranger.
    package func trustSender() {
        if let log, let descriptor = newest?.descriptor { log.trust(descriptor) }
    }

    /// Nobody but members gets past the handshake from now on.
    package func trustAll() { log?.trustAll() }

    /// Where it listens, with the port that it was given.
    package var endpoint: String {
        var text = [CChar](repeating: 0, count: 1024)
        var length = text.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { return "" }
        return String(decoding: text.prefix(max(0, length - 1)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Sends a message, at a router to a connection; false when it cannot be queued or the connection is gone.
    @discardableResult
    package func send(_ message: Message, to connection: [UInt8] = []) -> Bool {
        if kind == .router {
            let known = connection.withUnsafeBytes { SentFrame.send($0, to: handle, more: true) }
            guard known else { return false }
        }
        let header = message.header.encode(over: message.digest)
        var sent = header.withUnsafeBytes { SentFrame.send($0, to: handle, more: !message.frames.isEmpty) }
        for (index, frame) in message.frames.enumerated() where sent {
            sent = SentFrame.send(frame, to: handle, more: index + 1 < message.frames.count)
        }
        return sent
    }

    /// The next message, or nil when none waits.
    package func receive() -> Received? {
        var budget = TurnBudget()
        return receive(within: &budget)
    }

    /// The next message, or nil when none waits or the turn's budget is used up.
    package func receive(within budget: inout TurnBudget) -> Received? {
        guard budget.allowsMore, skipRest(within: &budget), var frame = ReceivedFrame(from: handle) else { return nil }
        var (bytes, count) = (0, 0)
        defer {
            budget.note(bytes: bytes)
            if let log, let descriptor = newest?.descriptor { log.took(bytes, frames: count, from: descriptor) }
        }
        var connection: [UInt8] = []
        if kind == .router {
            connection = Array(frame.bytes)
            newest = frame
            guard frame.hasMore, let next = ReceivedFrame(from: handle) else {
                return .garbage("a message without frames", from: connection)
            }
            frame = next
        }
        newest = frame
        var frames: [Payload] = []
        while true {
            (bytes, count) = (bytes + frame.bytes.count, count + 1)
            frames.append(Payload(frame.bytes, owner: frame))
            guard frame.hasMore else { break }
            if frames.count == limits.frames {
                isSkipping = true
                return .garbage("more than \(limits.frames) frames", from: connection)
            }
            guard let next = ReceivedFrame(from: handle) else { break }
            frame = next
        }
        do {
            return .message(try Message(decoding: frames), from: connection)
        } catch {
            if let version = error.version { return .otherVersion(version, from: connection) }
            return .garbage("\(error)", from: connection)
        }
    }

    /// Drops the rest of a message that has too many frames, as far as the turn's time goes: there may be millions.
    ///
    /// - Returns: whether the next frame begins a message.
    private func skipRest(within budget: inout TurnBudget) -> Bool {
        guard isSkipping else { return true }
        let frame = ReceivedFrame()
        var count = 0
        defer { if let log, let descriptor = newest?.descriptor { log.took(0, frames: count, from: descriptor) } }
        while budget.allowsMore {
            for _ in 0..<4096 {
                guard frame.next(from: handle) else { return false }
                count += 1
                if !frame.hasMore {
                    isSkipping = false
                    return true
                }
            }
        }
        return false
    }

    @discardableResult
    private func set(_ option: Int32, _ value: Int32) -> Bool {
        var value = value
        return zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size) == 0
    }

    private func set(_ option: Int32, _ bytes: [UInt8]) -> Bool {
        zmq_setsockopt(handle, option, bytes, bytes.count) == 0
    }
}
