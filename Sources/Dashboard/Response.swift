import Foundation

/// An answer: status, type and bytes.
struct Response: Sendable {
    /// The few statuses that this server uses.
    enum Status: Int, Sendable {
        case ok = 200
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case timeout = 408
        case tooLarge = 413
        case headerTooLarge = 431
        case failure = 500
        case unavailable = 503
        case badVersion = 505

        var phrase: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .timeout: "Request Timeout"
            case .tooLarge: "Content Too Large"
            case .headerTooLarge: "Request Header Fields Too Large"
            case .failure: "Internal Server Error"
            case .unavailable: "Service Unavailable"
            case .badVersion: "HTTP Version Not Supported"
            }
        }
    }

    static let json = "application/json; charset=utf-8"
    static let text = "text/plain; charset=utf-8"

    var status = Status.ok
    var type = Response.json
    var body = Data()
    /// Further headers.
    var headers: [(name: String, value: String)] = []

    /// A sentence about a request that is not answered, as JSON.
    static func problem(_ status: Status, _ sentence: String, _ more: [String: [String]] = [:]) -> Response {
        struct Problem: Encodable {
            let error: String
            let more: [String: [String]]
            func encode(to encoder: any Encoder) throws {
                var box = encoder.container(keyedBy: Key.self)
                try box.encode(error, forKey: Key(stringValue: "error"))
                for (name, values) in more { try box.encode(values, forKey: Key(stringValue: name)) }
            }
            struct Key: CodingKey {
                var stringValue: String
                var intValue: Int? { nil }
                init(stringValue: String) { self.stringValue = stringValue }
                init?(intValue: Int) { nil }
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var body = (try? encoder.encode(Problem(error: sentence, more: more))) ?? Data()
        body.append(10)
        return Response(status: status, body: body)
    }

    /// Nothing but this server's own style sheet, script and answers; inline code does not run even if it got in.
    private static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// Status line and headers.
    func head(closes: Bool) -> Data {
        var lines = [
            "HTTP/1.1 \(status.rawValue) \(status.phrase)", "Content-Type: \(type)", "Content-Length: \(body.count)",
            "Cache-Control: no-store", "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY",
            "Referrer-Policy: no-referrer", "Cross-Origin-Resource-Policy: same-origin",
            "Content-Security-Policy: \(Self.policy)", "Connection: \(closes ? "close" : "keep-alive")",
        ]
        lines += headers.map { "\($0.name): \($0.value)" }
        return Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
