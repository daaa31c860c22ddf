import CShims
import Foundation
import Telemetry

/// Which path answers what.
struct Router: Sendable {
    private let board: StatusBoard
    private let gate: Gate
    private let book: AnswerBook
    private let series: SeriesBook

    /// Every path, for whoever asks for another one.
    static let routes =
        [
            "/", "/healthz", "/readyz", "/metrics", "/page.css", "/page.js", "/api/v1/schema",
            "/api/v1/hotkeys?table=&k=", "/api/v1/series?since=&points=",
        ] + sections.keys.sorted()

    /// The parts of a status.
    private static let sections: [String: AnswerBook.Kind] = {
        let kinds = AnswerBook.Kind.allCases.filter { $0 != .page && $0 != .metrics }
        return Dictionary(uniqueKeysWithValues: kinds.map { ("/api/v1/\($0.rawValue)", $0) })
    }()

    init(board: StatusBoard, gate: Gate) {
        self.board = board
        self.gate = gate
        series = SeriesBook(board: board)
        book = AnswerBook(board: board, series: series)
    }

    /// Answers a request.
    func answer(_ request: Request) -> Response {
        if let refusal = gate.refusal(of: request) { return refusal }
        var response = route(request)
        if let cookie = gate.cookieHeader(for: request) { response.headers.append(cookie) }
        return response
    }

    private func route(_ request: Request) -> Response {
        switch request.path {
        case "/": return Response(type: "text/html; charset=utf-8", body: book.data(.page))
        case "/page.css": return file(myriad_page_css(), "text/css; charset=utf-8")
        case "/page.js": return file(myriad_page_js(), "text/javascript; charset=utf-8")
        case "/healthz": return Response(type: Response.text, body: Data("ok\n".utf8))
        case "/readyz": return ready()
        case "/metrics": return Response(type: Prometheus.contentType, body: book.data(.metrics))
        case "/api/v1/schema":
            return file(myriad_status_schema_json(), "application/schema+json")
        case "/api/v1/series": return points(request)
        case "/api/v1/hotkeys": return hotkeys(request)
        default:
            return Self.sections[request.path].map { Response(body: book.data($0)) }
                ?? .problem(.notFound, "nothing is at this path", ["routes": Self.routes])
        }
    }

    private func file(_ text: UnsafePointer<CChar>, _ type: String) -> Response {
        Response(type: type, body: Data(String(cString: text).utf8))
    }

    private func points(_ request: Request) -> Response {
        let text = request.query["since"] ?? "0"
        guard let time = Double(text), time.isFinite else {
            return .problem(.badRequest, "since=\(text): want seconds since 1970")
        }
        let points = request.query["points"].flatMap { $0.isEmpty ? nil : $0 }
        guard points.map({ Int($0).map { $0 > 0 } ?? false }) ?? true else {
            return .problem(.badRequest, "points=\(points ?? ""): want a number from 1 on")
        }
        return Response(body: series.data(since: time, most: points.flatMap { Int($0) }))
    }

    /// Whether the job does its work: what an orchestrator waits for.
    private func ready() -> Response {
        let status = board.status
        let isReady = status.job.state == .running || status.job.state == .finished
        let reason = status.failure?.what ?? (status.job.reason.isEmpty ? Self.missing(status) : status.job.reason)
        let text = isReady ? "\(status.job.state.rawValue)" : "\(status.job.state.rawValue): \(reason)"
        return Response(status: isReady ? .ok : .unavailable, type: Response.text, body: Data("\(text)\n".utf8))
    }

    private static func missing(_ status: ClusterStatus) -> String {
        let names = status.nodes.filter { $0.state == .waiting }.map { "\($0.role) \($0.rank)" }
        return names.isEmpty ? "the job has not begun" : "not here yet: \(names.joined(separator: ", "))"
    }

    private func hotkeys(_ request: Request) -> Response {
        struct Answer: Encodable {
            let table: String
            let distinct: Double
            let hotTotal: Int
            let hot: [HotPlace]
        }
        let text = request.query["k"] ?? "20"
        guard let count = Int(text), (1...1000).contains(count) else {
            return .problem(.badRequest, "k=\(text): want a number from 1 to 1000")
        }
        var tables = board.status.tables
        if let name = request.query["table"], !name.isEmpty {
            let names = tables.map(\.name)
            tables = tables.filter { $0.name == name }
            guard !tables.isEmpty else {
                return .problem(.notFound, "there is no table \"\(name)\"", ["tables": names])
            }
        }
        return Response(
            body: StatusJSON.json(
                tables.map {
                    Answer(
                        table: $0.name, distinct: $0.distinct, hotTotal: $0.hotTotal, hot: Array($0.hot.prefix(count)))
                }))
    }
}
