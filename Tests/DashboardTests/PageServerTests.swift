import Foundation
import Synchronization
import Telemetry
import Testing

@testable import Display

/// The server as clients meet it, over real sockets.
@Suite("Page server")
struct PageServerTests {
    private static let board = StatusBoard(
        status: SimulatedCluster(shards: 2, workers: 3).status(after: 130),
        series: (0..<130).map { SimulatedCluster(shards: 2, workers: 3).point(after: $0) })

    private func server(
        _ board: StatusBoard = PageServerTests.board, address: String = "127.0.0.1:0", token: String? = nil,
        patience: Patience = Patience()
    ) throws -> PageServer {
        try PageServer(board: board, options: PageOptions(address: address, token: token), patience: patience)
    }

    @Test("Every route answers, with headers that keep a browser careful")
    func routes() throws {
        let server = try server()
        let types = [
            "/": "text/html; charset=utf-8", "/page.css": "text/css; charset=utf-8",
            "/page.js": "text/javascript; charset=utf-8", "/healthz": "text/plain; charset=utf-8",
            "/readyz": "text/plain; charset=utf-8", "/metrics": "text/plain; version=0.0.4; charset=utf-8",
            "/api/v1/schema": "application/schema+json",
        ]
        for route in Router.routes {
            let path = route.replacing("table=&k=", with: "table=item&k=3").replacing("since=", with: "since=0")
                .replacing("points=", with: "points=9")
            let answer = try #require(Client.ask(server.port, path), "\(path)")
            #expect(answer.status == 200, "\(path)")
            #expect(answer.headers["content-type"] == types[path] ?? "application/json; charset=utf-8", "\(path)")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["x-frame-options"] == "DENY")
            let policy = answer.headers["content-security-policy"] ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            #expect(!answer.body.isEmpty)
            let head = try #require(Client.ask(server.port, path, method: "HEAD"))
            #expect(head.status == 200 && head.headers["content-length"] == String(answer.body.count))
        }
        #expect(Client.ask(server.port, "/metrics")?.text.contains("\nmyriad_job_step 5200\n") == true)
    }

    @Test("Unknown paths list the routes; nothing climbs out of them")
    func unknown() throws {
        let server = try server()
        for path in [
            "/nothing", "/api/v1/", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/../../etc/passwd",
        ] {
            let answer = try #require(Client.ask(server.port, path))
            #expect(answer.status == 404 && answer.text.contains("\"/api/v1/status\""), "\(path)")
        }
        #expect(Client.ask(server.port, "/api/v1/hotkeys?table=none")?.text.contains("\"item\"") == true)
        #expect(Client.ask(server.port, "/api/v1/hotkeys?k=0")?.status == 400)
        #expect(Client.ask(server.port, "/api/v1/series?since=yesterday")?.status == 400)
    }

    @Test("Nothing can be changed, and a page elsewhere cannot read through another name")
    func refused() throws {
        let server = try server()
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let answer = try #require(Client.ask(server.port, "/", method: method))
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD", "\(method)")
        }
        #expect(Client.ask(server.port, "/", host: "evil.example")?.status == 403)
        #expect(Client.ask(server.port, "/healthz", host: "evil.example:\(server.port)")?.status == 403)
        #expect(Client.ask(server.port, "/", host: "localhost:\(server.port)")?.status == 200)
        let client = Client(port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
        #expect(client.answer()?.status == 413)
        #expect(client.readToEnd() != nil)
        let garbage = Client(port: server.port)
        garbage.send("\u{16}\u{3}\u{1}\u{2} hello\r\n\r\n")
        #expect(garbage.answer()?.status == 400)
        #expect(garbage.readToEnd() != nil)
    }

    @Test("One connection carries many requests, also several at once")
    func keepAlive() throws {
        let server = try server()
        let client = Client(port: server.port)
        for _ in 0..<3 {
            client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(client.answer()?.text == "ok\n")
        }
        client.send(String(repeating: "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 200))
        for _ in 0..<200 { #expect(client.answer()?.status == 200) }
        client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(client.answer()?.headers["connection"] == "close")
        #expect(client.readToEnd() == Data())
    }

    @Test("A token opens by header, by cookie, and once by the address")
    func tokens() throws {
        let token = "0123456789abcdef"
        let server = try server(token: token)
        for path in ["/", "/api/v1/status", "/metrics", "/page.js", "/nothing"] {
            #expect(Client.ask(server.port, path)?.status == 401, "\(path)")
            #expect(Client.ask(server.port, path, headers: ["Authorization: Bearer 0123456789abcdee"])?.status == 401)
        }
        #expect(Client.ask(server.port, "/healthz")?.status == 200)
        #expect(Client.ask(server.port, "/readyz")?.status == 200)
        let bearer = Client.ask(
            server.port, "/api/v1/status", host: "any.name", headers: ["Authorization: Bearer \(token)"])
        #expect(bearer?.status == 200 && bearer?.headers["set-cookie"] == nil)
        #expect(Client.ask(server.port, "/?token=wrong-token")?.status == 401)
        let first = try #require(Client.ask(server.port, "/?token=\(token)"))
        let cookie = try #require(first.headers["set-cookie"])
        #expect(first.status == 200 && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
        let pair = String(cookie.prefix { $0 != ";" })
        #expect(Client.ask(server.port, "/api/v1/status", headers: ["Cookie: a=b; \(pair)"])?.status == 200)
        #expect(Client.ask(server.port, "/api/v1/status", headers: ["Cookie: a=b; \(pair)x"])?.status == 401)
    }

    @Test("A probe learns whether the job does its work, and why not")
    func readiness() throws {
        let board = StatusBoard()
        let server = try server(board)
        func probe(_ change: (inout ClusterStatus) -> Void) -> Client.Answer? {
            var status = ClusterStatus()
            change(&status)
            board.publish(status)
            return Client.ask(server.port, "/readyz")
        }
        #expect(Client.ask(server.port, "/readyz")?.status == 503)
        let waiting = probe { status in
            var node = NodeStatus()
            node.role = "server"
            node.rank = 1
            status.nodes = [node]
        }
        #expect(waiting?.status == 503 && waiting?.text == "waiting: not here yet: server 1\n")
        #expect(probe { $0.job.state = .running }?.status == 200)
        #expect(probe { $0.job.state = .finished }?.status == 200)
        let failed = probe {
            $0.job.state = .failed
            $0.job.reason = "worker 1 was killed"
        }
        #expect(failed?.status == 503 && failed?.text == "failed: worker 1 was killed\n")
        #expect(Client.ask(server.port, "/healthz")?.status == 200)
    }

    @Test("The port is free again after the end, taken before, and auto goes on to the next one")
    func ports() throws {
        let first = try server()
        #expect(throws: PageError.taken("127.0.0.1:\(first.port)")) { try server(address: "127.0.0.1:\(first.port)") }
        let auto = try server(address: "auto")
        let next = try server(address: "auto")
        #expect(next.port > auto.port)
        #expect(Client.ask(next.port, "/healthz")?.status == 200)
        #expect(next.url == "http://127.0.0.1:\(next.port)/")
        let client = Client(port: first.port)
        client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.answer()?.status == 200)
        first.stop()
        #expect(client.readToEnd() == Data())
        let again = try server(address: "127.0.0.1:\(first.port)")
        #expect(Client.ask(again.port, "/healthz")?.status == 200)
    }
}
