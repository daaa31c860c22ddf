import Foundation

/// A page as a client sees it: one request, one answer.
enum Web {
    /// Nobody answers.
    struct Silent: Error {}

    /// The body of a page on this machine.
    static func get(_ port: UInt16, _ path: String) throws -> String {
        let descriptor = try connection(port)
        defer { close(descriptor) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        _ = request.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        var answer = Data()
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &part, part.count, 0)
            guard count > 0 else { break }
            answer.append(contentsOf: part[..<count])
        }
        guard let end = answer.firstRange(of: Data("\r\n\r\n".utf8)) else { throw Silent() }
        return String(decoding: answer[end.upperBound...], as: UTF8.self)
    }

    private static func connection(_ port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard connected else {
            close(descriptor)
            throw Silent()
        }
        return descriptor
    }

    /// The exact numbers of a page's table rows that have an attribute, by the name of their cells.
    static func values(in page: String, row attribute: String) -> [String: Int] {
        var values: [String: Int] = [:]
        for row in page.components(separatedBy: "<tr").dropFirst() where row.prefix(200).contains(attribute) {
            for match in row.matches(of: /data-name="([a-z_]+)" data-value="(-?[0-9]+)"/) {
                values[String(match.1)] = Int(match.2)
            }
        }
        return values
    }
}
