import CZeroMQ
import Foundation
import Testing

/// Sockets of libzmq with settings that Myriad's own sockets cannot have, a handler of ZAP, and monitors.
final class ForeignSockets {
    /// A pair of CURVE keys (Z85).
    struct Keys {
        let publicKey: String
        let secretKey: String

        init() throws {
            var (first, second) = ([CChar](repeating: 0, count: 41), [CChar](repeating: 0, count: 41))
            try #require(zmq_curve_keypair(&first, &second) == 0)
            func text(_ characters: [CChar]) -> String {
                String(decoding: characters.prefix(40).map(UInt8.init(bitPattern:)), as: UTF8.self)
            }
            publicKey = text(first)
            secretKey = text(second)
        }
    }

    /// What a monitor told.
    struct Event: Equatable {
        let number: UInt16
        let value: UInt32
    }

    /// What came of a connection.
    struct Seen {
        var messages: [String] = []
        /// Who sent them, as the handler names him.
        var userIds: [String] = []
        var events: [Event] = []
        /// How often the handler was asked.
        var asked = 0
    }

    /// Events after which a connection has failed.
    static let refusals = Set(
        [
            ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
            ZMQ_EVENT_DISCONNECTED,
        ].map { UInt16($0) })

    /// `ZMQ_ZAP_ENFORCE_DOMAIN`, which zmq.h of release builds does not name, although they have it.
    private static let enforceDomain: Int32 = 93

    /// The key that the handler lets in.
    let allowed: Keys
    private let server: Keys
    private let context: UnsafeMutableRawPointer
    private var sockets: [UnsafeMutableRawPointer] = []
    private var router: UnsafeMutableRawPointer
    private var handler: UnsafeMutableRawPointer?
    private var monitor: UnsafeMutableRawPointer
    private var asked = 0

    /// Listens and connects as a row of the matrix says.
    init(_ row: AuthenticationMatrixTests.Row) throws {
        allowed = try Keys()
        server = try Keys()
        context = try #require(zmq_ctx_new())
        let context = context
        var opened: [UnsafeMutableRawPointer] = []
        func open(_ type: Int32) throws -> UnsafeMutableRawPointer {
            let socket = try #require(zmq_socket(context, type))
            Self.set(socket, ZMQ_LINGER, 0)
            opened.append(socket)
            return socket
        }
        if row.handler == .present {
            let socket = try open(ZMQ_ROUTER)
            try #require(zmq_bind(socket, "inproc://zeromq.zap.01") == 0)
            handler = socket
        }
        router = try open(ZMQ_ROUTER)
        if row.usesKeys {
            Self.set(router, ZMQ_CURVE_SERVER, 1)
            Self.set(router, ZMQ_CURVE_SECRETKEY, server.secretKey)
        }
        if !row.domain.isEmpty { Self.set(router, ZMQ_ZAP_DOMAIN, row.domain) }
        if row.isEnforced { Self.set(router, Self.enforceDomain, 1) }
        try #require(zmq_socket_monitor(router, "inproc://monitor", ZMQ_EVENT_ALL) == 0)
        monitor = try open(ZMQ_PAIR)
        try #require(zmq_connect(monitor, "inproc://monitor") == 0)
        try #require(zmq_bind(router, "tcp://127.0.0.1:*") == 0)

        let dealer = try open(ZMQ_DEALER)
        // One failure is enough; a client that comes again would only repeat it.
        Self.set(dealer, ZMQ_RECONNECT_IVL, -1)
        if row.client != .withoutKeys {
            let own = row.client == .allowedKey ? allowed : try Keys()
            Self.set(
                dealer, ZMQ_CURVE_SERVERKEY, row.client == .wrongServerKey ? try Keys().publicKey : server.publicKey)
            Self.set(dealer, ZMQ_CURVE_PUBLICKEY, own.publicKey)
            Self.set(dealer, ZMQ_CURVE_SECRETKEY, own.secretKey)
        }
        try #require(zmq_connect(dealer, Self.endpoint(of: router)) == 0)
        // A client that has been refused already has nowhere to send to, and would wait for ever.
        let isSent = zmq_send(dealer, "hello", 5, ZMQ_DONTWAIT) == 5
        try #require(isSent || !row.isAccepted)
        sockets = opened
    }

    /// Ends the sockets, then their context.
    func close() {
        zmq_socket_monitor(router, nil, 0)
        for socket in sockets { zmq_close(socket) }
        zmq_ctx_term(context)
    }

    /// Looks until a message has come in or a connection has failed, for at most a minute.
    func watch() -> Seen {
        var seen = Seen()
        let deadline = ContinuousClock.now + .seconds(60)
        while .now < deadline, seen.messages.isEmpty,
            !seen.events.contains(where: { Self.refusals.contains($0.number) })
        {
            look(&seen)
        }
        return seen
    }

    /// What comes in until a connection that nothing holds back has been served: it was made later than the refused one.
    func messagesBehindProof() -> [String] {
        guard let open = zmq_socket(context, ZMQ_ROUTER), let dealer = zmq_socket(context, ZMQ_DEALER) else {
            return []
        }
        defer { for socket in [open, dealer] { zmq_close(socket) } }
        Self.set(dealer, ZMQ_LINGER, 0)
        guard zmq_bind(open, "tcp://127.0.0.1:*") == 0, zmq_connect(dealer, Self.endpoint(of: open)) == 0,
            zmq_send(dealer, "proof", 5, 0) == 5
        else {
            Issue.record("no proof can be sent")
            return []
        }
        var seen = Seen()
        let deadline = ContinuousClock.now + .seconds(60)
        while .now < deadline {
            look(&seen)
            if Self.receive(open, userId: nil)?.last == "proof" { return seen.messages }
        }
        Issue.record("the proof did not arrive within a minute")
        return seen.messages
    }

    private func look(_ seen: inout Seen) {
        var items = [router, monitor, handler].compactMap(\.self).map {
            zmq_pollitem_t(socket: $0, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        }
        zmq_poll(&items, Int32(items.count), 20)
        if let handler, let request = Self.receive(handler, userId: nil) { answer(request, handler) }
        seen.asked = asked
        var userId = ""
        while let frames = Self.receive(router, userId: &userId) {
            seen.messages.append(frames.last ?? "")
            seen.userIds.append(userId)
        }
        while let event = event() { seen.events.append(event) }
    }

    /// Answers a request of ZAP (RFC 27): NULL and every key but one are refused.
    ///
    /// Its frames: connection, empty, version, request, domain, address, identity, mechanism, credentials.
    private func answer(_ request: [String], _ handler: UnsafeMutableRawPointer) {
        asked += 1
        let isAllowed = request.count == 9 && request[7] == "CURVE" && request[8] == allowed.publicKey
        let answer = [
            request[0], "", "1.0", request.count > 3 ? request[3] : "", isAllowed ? "200" : "400",
            isAllowed ? "OK" : "no", isAllowed ? allowed.publicKey : "", "",
        ]
        for (index, frame) in answer.enumerated() {
            // The connection's name is bytes, which were kept as Latin-1.
            let bytes = frame.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            zmq_send(handler, bytes, bytes.count, index + 1 < answer.count ? ZMQ_SNDMORE : 0)
        }
    }

    private func event() -> Event? {
        var bytes = [UInt8](repeating: 0, count: 6)
        guard zmq_recv(monitor, &bytes, 6, ZMQ_DONTWAIT) == 6 else { return nil }
        var address = [UInt8](repeating: 0, count: 256)
        zmq_recv(monitor, &address, address.count, 0)
        return bytes.withUnsafeBytes {
            Event(
                number: $0.loadUnaligned(as: UInt16.self), value: $0.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
        }
    }

    /// The frames of a message, each as Latin-1 (credentials as Z85), or nil when none waits.
    private static func receive(
        _ socket: UnsafeMutableRawPointer, userId: UnsafeMutablePointer<String>?
    ) -> [String]? {
        var frames: [String] = []
        while true {
            var message = zmq_msg_t()
            zmq_msg_init(&message)
            defer { zmq_msg_close(&message) }
            guard zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0 else { return frames.isEmpty ? nil : frames }
            let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))
            if frames.count == 8, bytes.count == 32 {
                var text = [CChar](repeating: 0, count: 41)
                zmq_z85_encode(&text, bytes.baseAddress, 32)
                frames.append(String(decoding: text.prefix(40).map(UInt8.init(bitPattern:)), as: UTF8.self))
            } else {
                frames.append(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
            }
            if let userId, let name = zmq_msg_gets(&message, "User-Id") { userId.pointee = String(cString: name) }
            if zmq_msg_more(&message) == 0 { return frames }
        }
    }

    private static func endpoint(of socket: UnsafeMutableRawPointer) -> String {
        var text = [CChar](repeating: 0, count: 256)
        var length = text.count
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &text, &length)
        return String(decoding: text.prefix(max(0, length - 1)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func set(_ socket: UnsafeMutableRawPointer, _ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size)
    }

    private static func set(_ socket: UnsafeMutableRawPointer, _ option: Int32, _ value: String) {
        zmq_setsockopt(socket, option, value, value.utf8.count)
    }
}
