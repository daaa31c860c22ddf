import Foundation
import Telemetry
import Testing

@testable import Display

/// Clients that are slow, endless or too many.
@Suite("Guards of the page server")
struct GuardTests {
    /// A server that loses patience sooner than the usual one; the same code counts the time.
    private func server(request: Duration = .milliseconds(600), idle: Duration = .milliseconds(600)) throws
        -> PageServer
    {
        var patience = Patience()
        patience.request = request
        patience.idle = idle
        patience.answer = .milliseconds(600)
        patience.goodbye = .milliseconds(300)
        let status = SimulatedCluster(shards: 8, workers: 16).status(after: 10)
        return try PageServer(
            board: StatusBoard(status: status, series: []), options: PageOptions(address: "127.0.0.1:0"),
            patience: patience
        )
    }

    @Test("The usual patience is seconds, eight kilobytes and 64 connections")
    func limits() {
        let usual = Patience()
        #expect(usual.request == .seconds(10) && usual.idle == .seconds(15) && usual.answer == .seconds(20))
        #expect(usual.goodbye == .seconds(1))
        #expect(Request.limit == 8192)
        #expect(PageLoop.capacity == 64)
    }

    @Test(
        "A half-sent request is closed, also one that trickles",
        arguments: ["", "GET", "GET / HTTP/1.1\r\nHost: local"])
    func slow(_ start: String) throws {
        let server = try server()
        let client = Client(port: server.port)
        client.send(start)
        let began = ContinuousClock.now
        // Each new byte must not buy more time.
        while !start.isEmpty, began.duration(to: .now) < .seconds(20), !client.isClosed, client.send("a") {
            Thread.sleep(forTimeInterval: 0.05)
        }
        let end = try #require(client.readToEnd())
        #expect(end.isEmpty || String(decoding: end, as: UTF8.self).contains("408"))
        #expect(began.duration(to: .now) < .seconds(20))
    }

    @Test("A second request that trickles is closed as the first one is")
    func slowSecond() throws {
        let server = try server(idle: .seconds(60))
        let client = Client(port: server.port)
        client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.answer()?.status == 200)
        let began = ContinuousClock.now
        client.send("GET /")
        while began.duration(to: .now) < .seconds(20), !client.isClosed, client.send("a") {
            Thread.sleep(forTimeInterval: 0.05)
        }
        #expect(began.duration(to: .now) < .seconds(20))
    }

    @Test("A header without end is refused after 8 KB, however fast it comes")
    func endless() throws {
        let server = try server(request: .seconds(30))
        let client = Client(port: server.port)
        client.send("GET / HTTP/1.1\r\n")
        let line = "X-Header: \(String(repeating: "x", count: 990))\r\n"
        var sent = 0
        while sent < 100_000, client.send(line) { sent += 1 }
        // 100 MB were not taken.
        #expect(sent < 100_000)
        let one = Client(port: server.port)
        one.send("GET /\(String(repeating: "y", count: 20_000))")
        #expect(one.answer()?.status == 431)
        #expect(Client.ask(server.port, "/healthz")?.status == 200)
    }

    @Test("Between requests a connection may rest for a while only")
    func idle() throws {
        let server = try server()
        let client = Client(port: server.port)
        client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.answer()?.status == 200)
        #expect(client.readToEnd() == Data())
    }

    @Test("A client that does not read its answers is closed, and holds up nobody")
    func deaf() throws {
        let server = try server()
        let client = Client(port: server.port)
        let ask = "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let began = ContinuousClock.now
        while client.send(ask), began.duration(to: .now) < .seconds(20) {
            #expect(Client.ask(server.port, "/healthz")?.status == 200)
        }
        #expect(began.duration(to: .now) < .seconds(20))
    }

    @Test("Of 500 idle connections 64 are kept until their time is over; then all is as before")
    func crowd() throws {
        let server = try server(request: .seconds(2))
        let clients = (0..<500).map { _ in Client(port: server.port) }
        let deadline = ContinuousClock.now + .seconds(30)
        while clients.count(where: { !$0.isClosed }) > PageLoop.capacity, .now < deadline {
            Thread.sleep(forTimeInterval: 0.02)
        }
        #expect(clients.count(where: { !$0.isClosed }) <= PageLoop.capacity)
        var answer: Client.Answer?
        while answer == nil, .now < deadline {
            answer = Client.ask(server.port, "/healthz")
            if answer == nil { Thread.sleep(forTimeInterval: 0.05) }
        }
        #expect(answer?.status == 200)
        while clients.contains(where: { !$0.isClosed }), .now < deadline { Thread.sleep(forTimeInterval: 0.02) }
        #expect(!clients.contains { !$0.isClosed })
    }
}
