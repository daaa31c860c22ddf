import Foundation

/// An answer: status, type and bytes.
struct Response: Sendable {
    /// The few statuses that this server uses.
    enum Status: String, Sendable {
        case ok = "200 OK"
        case badRequest = "400 Bad Request"
        case unauthorized = "401 Unauthorized"
        case forbidden = "403 Forbidden"
        case notFound = "404 Not Found"
        case methodNotAllowed = "405 Method Not Allowed"
        case timeout = "408 Request Timeout"
        case tooLarge = "413 Content Too Large"
        case headerTooLarge = "431 Request Header Fields Too Large"
        case unavailable = "503 Service Unavailable"
        case badVersion = "505 HTTP Version Not Supported"
    }

    static let json = "application/json; charset=utf-8"
    static let text = "text/plain; charset=utf-8"

    var status = Status.ok
    var type = Response.json
    var body = Data()
    /// Further headers.
    var headers: [(name: String, value: String)] = []

    /// A sentence about a request that is not answered, as JSON.
    static func problem(
        _ status: Status, _ sentence: String, _ more: [String: [String]] = [:],
        headers: [(name: String, value: String)] = []
    ) -> Response {
        var object: [String: Any] = more
        object["error"] = sentence
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        var body = (try? JSONSerialization.data(withJSONObject: object, options: options)) ?? Data()
        body.append(10)
        return Response(status: status, body: body, headers: headers)
    }

    /// Nothing but this server's own style sheet, script and answers; inline code does not run even if it got in.
    private static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// Status line and headers.
    func head(closes: Bool) -> Data {
        var lines = [
            "HTTP/1.1 \(status.rawValue)", "Content-Type: \(type)", "Content-Length: \(body.count)",
            "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY",
            "Referrer-Policy: no-referrer", "Cross-Origin-Resource-Policy: same-origin",
            "Content-Security-Policy: \(Self.policy)", "Connection: \(closes ? "close" : "keep-alive")",
        ]
        lines += headers.map { "\($0.name): \($0.value)" }
        return Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
