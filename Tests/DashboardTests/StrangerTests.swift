import Foundation
import Synchronization
import Telemetry
import Testing

@testable import Display

/// Many who connect and ask nothing, and those who wait for the end.
@Suite("Strangers at the page, and who waits for the end", .serialized)
struct StrangerTests {
    /// Opens half requests on so many connections, and anew whenever one is closed, until it is told to end.
    private final class Crowd: Sendable {
        private let isOver = Mutex(false)
        private let group = DispatchGroup()

        init(_ count: Int, port: UInt16, threads: Int = 3) {
            for _ in 0..<threads {
                group.enter()
                Thread.detachNewThread { [self] in
                    var clients: [Client] = []
                    while !isOver.withLock({ $0 }) {
                        clients.removeAll(where: \.isClosed)
                        while clients.count < count / threads {
                            let client = Client(port: port)
                            client.send("GET / HTTP/1.1\r\nHost: lo")
                            clients.append(client)
                        }
                        Thread.sleep(forTimeInterval: 0.002)
                    }
                    group.leave()
                }
            }
        }

        func end() {
            isOver.withLock { $0 = true }
            group.wait()
        }
    }

    @Test("150 half requests, renewed for ever, lock out none of 50 probes, and are counted")
    func probes() throws {
        let status = SimulatedCluster(shards: 2, workers: 2).status(after: 10)
        let board = StatusBoard(status: status, series: [])
        let server = try PageServer(board: board, options: PageOptions(address: "127.0.0.1:0"))
        let crowd = Crowd(150, port: server.port)
        defer { crowd.end() }
        let deadline = ContinuousClock.now + .seconds(30)
        while board.turnedAway == 0, .now < deadline { Thread.sleep(forTimeInterval: 0.01) }
        #expect(board.turnedAway > 0)
        for probe in 0..<50 { #expect(Client.ask(server.port, "/healthz")?.status == 200, "probe \(probe)") }
        // Somebody who does more than probe is served too.
        #expect(Client.ask(server.port, "/api/v1/status")?.status == 200)
    }

    @Test("A scraper is expected at its own pace, Prometheus at once, and nobody who asked by hand or has seen the end")
    func pace() {
        let start = ContinuousClock.now
        let readers = Readers()
        func left(after seconds: Int) -> Duration? {
            readers.areExpected(scraping: true, at: start + .seconds(seconds))
        }
        readers.note(.scraper("hand", isPrometheus: false), at: start)
        #expect(left(after: 1) == nil)
        readers.note(.scraper("first", isPrometheus: true), at: start)
        #expect(left(after: 20) == .seconds(40) && left(after: 61) == nil)
        readers.note(.scraper("first", isPrometheus: true), at: start + .seconds(5))
        #expect(left(after: 6) == .seconds(10) && left(after: 17) == nil)
        readers.note(.scraper("slow", isPrometheus: false), at: start)
        readers.note(.scraper("slow", isPrometheus: false), at: start + .seconds(100))
        #expect(left(after: 101) == .seconds(119))
        #expect(readers.areExpected(scraping: false, at: start) == nil)
        readers.end()
        readers.note(.scraper("slow", isPrometheus: false), at: start + .seconds(110))
        #expect(left(after: 111) == nil)
    }

    @Test("The page stays until a scraper has come once more; a cut, and the most that is allowed, end the wait")
    func linger() throws {
        let board = StatusBoard(status: ClusterStatus(), series: [])
        let server = try PageServer(board: board, options: PageOptions(address: "127.0.0.1:0"))
        server.linger(tell: { Issue.record("nobody is there: \($0)") })
        let header = ["X-Prometheus-Scrape-Timeout-Seconds: 4"]
        #expect(Client.ask(server.port, "/metrics", headers: header)?.status == 200)
        // It has seen the end now.
        server.linger(tell: { Issue.record("it was here: \($0)") })
        let other = try PageServer(board: board, options: PageOptions(address: "127.0.0.1:0"))
        #expect(Client.ask(other.port, "/metrics", headers: header)?.status == 200)
        var told = ""
        other.linger(scrapers: .milliseconds(50)) { _ in }
        other.linger(tell: { told = $0 }, until: { !told.isEmpty })
        #expect(told.contains("until whoever scrapes it has seen the end"))
        let answer = Mutex<Int?>(nil)
        Thread.detachNewThread {
            let status = Client.ask(other.port, "/metrics", headers: header)?.status
            answer.withLock { $0 = status }
        }
        other.linger()
        let deadline = ContinuousClock.now + .seconds(10)
        while answer.withLock({ $0 }) == nil, .now < deadline { Thread.sleep(forTimeInterval: 0.01) }
        #expect(answer.withLock { $0 } == 200)
    }

    @Test("A long run's curves are told thinned, the newest point among them, and what is new only")
    func curves() throws {
        let cluster = SimulatedCluster(shards: 1, workers: 1)
        let points = (0..<90_000).map { cluster.point(after: $0) }
        let board = StatusBoard(status: cluster.status(after: 10), series: points)
        let server = try PageServer(board: board, options: PageOptions(address: "127.0.0.1:0"))
        func told(_ query: String) throws -> [SeriesPoint] {
            let answer = try #require(Client.ask(server.port, "/api/v1/series?\(query)"))
            return try TelemetryJSON.decode([SeriesPoint].self, from: answer.body)
        }
        let thin = try told("since=0&points=2000")
        #expect(thin.count == 2000 && thin.last == points.last && thin.map(\.time) == thin.map(\.time).sorted())
        #expect(try told("since=\(points[89_989].time)&points=2000") == Array(points.suffix(10)))
        #expect(try told("since=\(points[89_999].time)&points=2000") == [])
        #expect(Client.ask(server.port, "/api/v1/series?points=0")?.status == 400)
        #expect(Client.ask(server.port, "/api/v1/series?points=many")?.status == 400)
    }
}
