/// A request line and its headers: all that this server reads of a request.
struct Request: Equatable {
    /// Bytes of both together, at most.
    static let limit = 8192

    /// Why bytes are no request that can be answered.
    enum Refusal: Error, Equatable { case malformed, tooLong, hasBody, badVersion }

    var method = ""
    /// Percent-decoded, without the query.
    var path = ""
    /// Percent-decoded; of a name that occurs twice the first.
    var query: [String: String] = [:]
    /// By lower-case name.
    var headers: [String: String] = [:]
    /// Whether the connection stays open for another one.
    var keepsAlive = true
    /// From where it came.
    var peer = ""

    /// Takes the first request from the front of a buffer; nil while it has not arrived wholly.
    static func take(from buffer: inout [UInt8]) throws(Refusal) -> Request? {
        // Empty lines before a request are allowed, and are all that is ignored.
        let start = buffer.firstIndex { $0 != 13 && $0 != 10 } ?? buffer.endIndex
        guard let end = headEnd(of: buffer, from: start) else {
            if buffer.count > limit { throw .tooLong }
            return nil
        }
        guard end <= limit else { throw .tooLong }
        let head = buffer[start..<end]
        buffer.removeSubrange(..<end)
        // Headers are ASCII in practice; anything else has no meaning here.
        guard head.allSatisfy({ ($0 >= 32 && $0 < 127) || $0 == 13 || $0 == 10 || $0 == 9 }) else { throw .malformed }
        var request = Request()
        let lines = head.split(separator: 10).map { $0.last == 13 ? $0.dropLast() : $0 }.filter { !$0.isEmpty }
        guard let first = lines.first else { throw .malformed }
        let words = String(decoding: first, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, let verb = words.first, !verb.isEmpty, verb.allSatisfy(\.isLetter) else {
            throw .malformed
        }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else { throw .badVersion }
        request.method = String(verb)
        try request.setTarget(words[1])
        for line in lines.dropFirst() { try request.addHeader(line) }
        let connection = request.headers["connection"]?.lowercased() ?? ""
        request.keepsAlive = words[2] == "HTTP/1.1" ? !connection.contains("close") : connection.contains("keep-alive")
        let length = request.headers["content-length"] ?? "0"
        guard length == "0", request.headers["transfer-encoding"] == nil else { throw .hasBody }
        return request
    }

    /// Where the empty line after the headers ends.
    private static func headEnd(of buffer: [UInt8], from start: Int) -> Int? {
        var index = start
        while let newline = buffer[index...].firstIndex(of: 10) {
            let next = newline + 1
            if next < buffer.count, buffer[next] == 10 { return next + 1 }
            if next + 1 < buffer.count, buffer[next] == 13, buffer[next + 1] == 10 { return next + 2 }
            index = next
        }
        return nil
    }

    private mutating func setTarget(_ target: Substring) throws(Refusal) {
        guard target.hasPrefix("/") else { throw .malformed }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = Self.decoded(parts[0]) else { throw .malformed }
        self.path = path
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(sides[0]), let value = Self.decoded(sides.count == 2 ? sides[1] : "") else {
                throw .malformed
            }
            if query[name] == nil { query[name] = value }
        }
    }

    private mutating func addHeader(_ line: ArraySlice<UInt8>) throws(Refusal) {
        // A line that begins with a blank would continue the one before: obsolete, and a way to smuggle.
        guard let colon = line.firstIndex(of: 58), colon > line.startIndex, line.first != 32, line.first != 9 else {
            throw .malformed
        }
        let name = String(decoding: line[..<colon], as: UTF8.self)
        guard name.utf8.allSatisfy({ $0 > 32 }) else { throw .malformed }
        let blank: (UInt8) -> Bool = { $0 == 32 || $0 == 9 }
        var value = line[(colon + 1)...].drop(while: blank)
        while let last = value.last, blank(last) { value.removeLast() }
        let key = name.lowercased()
        // Two hosts or lengths are a contradiction, not a list.
        if headers[key] != nil, ["host", "content-length", "authorization"].contains(key) { throw .malformed }
        let text = String(decoding: value, as: UTF8.self)
        headers[key] = headers[key].map { "\($0); \(text)" } ?? text
    }

    /// Text without %XX; nil where that is no text.
    private static func decoded(_ text: Substring) -> String? {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 37 else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16), value != 0
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
