import Foundation
import Synchronization

/// A page on a free port of 127.0.0.1, for whoever asks, until it is let go.
final class ServedPage: Sendable {
    /// The page cannot be served.
    struct Failure: Error {
        let errno: Int32
    }

    /// Where it is.
    let port: Int
    private let listener: Int32
    private let isOver = Mutex(false)

    init(_ text: String, contentType: String) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard bound else { throw Failure(errno: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
        let body = Array(text.utf8)
        let head = "HTTP/1.1 200 OK\r\nContent-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n"
        let answer = Array((head + "Connection: close\r\n\r\n").utf8) + body
        Thread { [weak self] in
            while self?.isOver.withLock({ $0 }) == false {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                var request = [UInt8](repeating: 0, count: 4096)
                if recv(connection, &request, request.count, 0) > 0 {
                    var sent = 0
                    while sent < answer.count {
                        let count = answer[sent...].withUnsafeBytes {
                            send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                        }
                        guard count > 0 else { break }
                        sent += count
                    }
                }
                close(connection)
            }
        }.start()
    }

    deinit {
        isOver.withLock { $0 = true }
        // Wakes the thread up.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
