import Foundation

/// A client over a plain socket, which can misbehave.
final class Client {
    /// What a server said.
    struct Answer {
        var status = 0
        var headers: [String: String] = [:]
        var body = Data()
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What was read beyond the last answer.
    private var rest = Data()
    private let socket: Int32

    init(port: UInt16) {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { close(socket) }

    /// Sends bytes; false when the server has closed.
    @discardableResult
    func send(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let sent = bytes.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            bytes = bytes.dropFirst(sent)
        }
        return true
    }

    /// Reads until the server closes, at most 30 s; nil when it has not by then.
    func readToEnd() -> Data? {
        var all = rest
        rest = Data()
        while true {
            guard let more = read() else { return errno == ECONNRESET ? all : nil }
            if more.isEmpty { return all }
            all += more
        }
    }

    /// Whether the server has closed this connection already.
    var isClosed: Bool {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }

    /// Reads one answer; nil when there is none.
    func answer(hasBody: Bool = true) -> Answer? {
        let mark = Data("\r\n\r\n".utf8)
        while rest.range(of: mark) == nil {
            guard let more = read(), !more.isEmpty else { return nil }
            rest += more
        }
        guard let end = rest.range(of: mark) else { return nil }
        var answer = Answer()
        let lines = String(decoding: rest[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        answer.status = Int(lines[0].split(separator: " ")[1]) ?? 0
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            answer.headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces)
        }
        rest = Data(rest[end.upperBound...])
        let length = hasBody ? Int(answer.headers["content-length"] ?? "0") ?? 0 : 0
        while rest.count < length {
            guard let more = read(), !more.isEmpty else { return nil }
            rest += more
        }
        answer.body = Data(rest.prefix(length))
        rest = Data(rest.dropFirst(length))
        return answer
    }

    private func read() -> Data? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket, &buffer, buffer.count, 0)
        return count < 0 ? nil : Data(buffer[..<count])
    }

    /// Asks once on a connection of its own.
    static func ask(
        _ port: UInt16, _ path: String, method: String = "GET", host: String = "127.0.0.1", headers: [String] = []
    ) -> Answer? {
        let client = Client(port: port)
        let lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)"] + headers
        client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return client.answer(hasBody: method != "HEAD")
    }
}
