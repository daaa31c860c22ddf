import CZeroMQ
import Wire

/// A received frame, which owns libzmq's memory.
final class ReceivedFrame {
    private let message: UnsafeMutablePointer<zmq_msg_t>

    /// Receives the next frame without waiting; nil when there is none.
    convenience init?(from socket: UnsafeMutableRawPointer) {
        self.init()
        if !next(from: socket) { return nil }
    }

    /// An empty one, for frames that are dropped.
    init() {
        message = .allocate(capacity: 1)
        zmq_msg_init(message)
    }

    /// Receives another frame in the place of this one; false when there is none.
    func next(from socket: UnsafeMutableRawPointer) -> Bool { zmq_msg_recv(message, socket, ZMQ_DONTWAIT) >= 0 }

    deinit {
        zmq_msg_close(message)
        message.deallocate()
    }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(message), count: zmq_msg_size(message))
    }

    var hasMore: Bool { zmq_msg_more(message) != 0 }

    /// From where the connection came; empty where it has no address.
    var address: String {
        guard let text = zmq_msg_gets(message, "Peer-Address") else { return "" }
        return Reachability.plain(String(cString: text))
    }

    /// The descriptor of its connection; nil where it has none.
    var descriptor: UInt32? { UInt32(exactly: zmq_msg_get(message, ZMQ_SRCFD)) }

    /// The key that the connection proved to hold.
    var key: PublicKey? { zmq_msg_gets(message, "User-Id").flatMap { PublicKey(String(cString: $0)) } }
}

/// Sends frames: small ones copied, large ones handed to libzmq with their owner.
enum SentFrame {
    /// Below this a copy is cheaper than the bookkeeping.
    private static let copied = 2048

    /// Sends bytes that may change afterwards.
    static func send(_ bytes: UnsafeRawBufferPointer, to socket: UnsafeMutableRawPointer, more: Bool) -> Bool {
        zmq_send(socket, bytes.baseAddress, bytes.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0
    }

    /// Sends a payload; its owner is released on a thread of libzmq when the bytes have left.
    static func send(_ payload: Payload, to socket: UnsafeMutableRawPointer, more: Bool) -> Bool {
        guard payload.count >= copied, let owner = payload.owner, let base = payload.bytes.baseAddress else {
            return send(payload.bytes, to: socket, more: more)
        }
        var message = zmq_msg_t()
        let hint = Unmanaged.passRetained(owner)
        zmq_msg_init_data(
            &message, UnsafeMutableRawPointer(mutating: base), payload.count,
            { _, hint in
                if let hint { Unmanaged<AnyObject>.fromOpaque(hint).release() }
            }, hint.toOpaque())
        if zmq_msg_send(&message, socket, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0 { return true }
        zmq_msg_close(&message)
        return false
    }
}
