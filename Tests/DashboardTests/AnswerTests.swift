import Foundation
import Telemetry
import Testing

@testable import Display

/// What the answers say.
@Suite("Answers of the page server")
struct AnswerTests {
    private let cluster = SimulatedCluster(shards: 3, workers: 4)

    private func router(_ status: ClusterStatus, _ series: [SeriesPoint] = []) -> Router {
        Router(
            board: StatusBoard(status: status, series: series), gate: Gate(token: nil, cookie: "c"))
    }

    private func body(_ router: Router, _ path: String, _ query: [String: String] = [:]) -> Data {
        var request = Request()
        request.method = "GET"
        request.path = path
        request.query = query
        request.headers = ["host": "localhost"]
        return router.answer(request).body
    }

    @Test("The status is the same JSON as status.json, and each section a part of it")
    func sections() throws {
        var status = cluster.status(after: 61)
        status.failure = Self.failure
        let router = router(status)
        let whole = body(router, "/api/v1/status")
        #expect(try whole == TelemetryJSON.encode(status))
        let read = try TelemetryJSON.decode(ClusterStatus.self, from: whole)
        #expect(read == status)
        let object = try #require(try JSONSerialization.jsonObject(with: whole) as? [String: Any])
        for name in ["job", "nodes", "shards", "workers", "tables", "waits", "events", "evaluations", "lag", "failure"]
        {
            let part = try JSONSerialization.jsonObject(
                with: body(router, "/api/v1/\(name)"), options: .fragmentsAllowed)
            #expect((part as? NSObject)?.isEqual(object[name]) == true, "\(name)")
        }
        #expect(String(decoding: body(router, "/api/v1/config"), as: UTF8.self).contains("kind: din"))
        #expect(body(self.router(cluster.status(after: 1)), "/api/v1/failure") == Data("null".utf8))
    }

    @Test("What is written by hand is what the general encoder writes, odd numbers and no workers included")
    func matrices() throws {
        var status = cluster.status(after: 61)
        status.workers[0].blockedBy = [0, 1, 0.1, 1e-7, -0.0, 1e300, .nan, .infinity, -.infinity]
        status.workers[1].report.waitByShard = [1.0 / 3, 12345678.9, 123456789012345680]
        status.workers[2].blockedBy = []
        status.workers[2].host = "\"blocked_by\":[] \\"
        status.shards[0].report.workers = []
        status.shards[1].endpoint = "\"workers\":[]"
        status.lag = [[], [-1, 0, 7]]
        for one in [status, ClusterStatus()] {
            #expect(StatusJSON.section(.shards, of: one) == StatusJSON.json(one.shards))
            #expect(StatusJSON.section(.workers, of: one) == StatusJSON.json(one.workers))
            #expect(StatusJSON.section(.lag, of: one) == StatusJSON.json(one.lag))
            #expect(StatusJSON.whole(one) { StatusJSON.section($0, of: one) } == StatusJSON.json(one))
        }
    }

    @Test("Every count of a shard, worker, table and hot id can be found by its name")
    func hooks() {
        let status = cluster.status(after: 61)
        let html = Page(status).markup.text
        func cell(_ row: String, _ name: String) -> [Int] {
            html.components(separatedBy: "<tr").filter { $0.contains(row) }.flatMap { row in
                row.matches(of: /data-name="([a-z_]+)" data-value="(-?[0-9]+)"/).filter { $0.1 == name }
                    .compactMap { Int($0.2) }
            }
        }
        for shard in status.shards {
            let report = shard.report
            let counts = [
                "pulls": report.pulls, "pulled_rows": report.pulledRows, "pushes": report.pushes,
                "pushed_rows": report.pushedRows, "pull_bytes": report.pullBytes, "push_bytes": report.pushBytes,
                "value_bytes": report.valueBytes, "other_bytes": report.otherBytes, "duplicates": report.duplicates,
                "rows": report.rows, "weights": report.bytes.weights, "step": report.step,
            ]
            for (name, count) in counts { #expect(cell("data-shard=\"\(report.shard)\"", name) == [count], "\(name)") }
        }
        for worker in status.workers {
            #expect(cell("data-worker=\"\(worker.rank)\"", "samples") == [worker.report.samples])
            #expect(cell("data-worker=\"\(worker.rank)\"", "steps") == [worker.report.steps])
        }
        for table in status.tables {
            for hot in table.hot.prefix(20) {
                let row = "data-table=\"\(table.name)\" data-id=\"\(hot.id)\" data-error=\"\(hot.error)\""
                #expect(cell(row, "count") == [hot.count])
            }
        }
    }

    @Test("Hot ids by table, most frequent first, ids as text")
    func hotIds() throws {
        struct Answer: Decodable {
            let table: String
            let hot: [HotPlace]
        }
        let status = cluster.status(after: 61)
        let router = router(status)
        let one = try TelemetryJSON.decode(
            [Answer].self, from: body(router, "/api/v1/hotkeys", ["table": "user", "k": "5"]))
        #expect(one.map(\.table) == ["user"])
        #expect(one.first?.hot == Array(status.tables[2].hot.prefix(5)))
        let all = try TelemetryJSON.decode([Answer].self, from: body(router, "/api/v1/hotkeys"))
        #expect(all.map(\.table) == ["item", "category", "user"] && all.allSatisfy { $0.hot.count <= 20 })
    }

    @Test("The curves: all, those after a time, and new ones as they come; old ones are thinned as the board's")
    func series() throws {
        let board = StatusBoard()
        let book = SeriesBook(board: board)
        func points(_ time: Double) throws -> [SeriesPoint] {
            try TelemetryJSON.decode([SeriesPoint].self, from: book.data(since: time))
        }
        #expect(try points(0).isEmpty)
        var step = 0
        func publish(_ count: Int) {
            for _ in 0..<count {
                board.publish(ClusterStatus(), point: cluster.point(after: step))
                step += 1
            }
        }
        publish(5)
        #expect(try points(0) == board.series(since: 0))
        #expect(try points(cluster.point(after: 2).time).map(\.step) == [120, 160])
        publish(13_000)
        #expect(try points(0) == board.series(since: 0))
        // An hour of seconds, and every tenth of the 9405 before.
        #expect(board.series(since: 0).count == 3600 + 941)
    }

    @Test("An answer is of the newest version")
    func newest() throws {
        let board = StatusBoard()
        let router = Router(board: board, gate: Gate(token: nil, cookie: "c"))
        for step in [1, 2, 3] {
            var status = ClusterStatus()
            status.job.step = step
            board.publish(status)
            #expect(String(decoding: body(router, "/metrics"), as: UTF8.self).contains("\nmyriad_job_step \(step)\n"))
            #expect(String(decoding: body(router, "/"), as: UTF8.self).contains("id=\"step\" data-value=\"\(step)\""))
        }
    }

    @Test("The page holds every row and exact number without a script")
    func page() throws {
        var status = cluster.status(after: 3661)
        status.shards[1].waitsFor = "step 17 waits for micro-batches 4..<8 of worker 1"
        status.shards[2].report.workers[3].duplicates = 12
        status.shards[2].report.workers[3].malformed = 5
        status.nodes[2].state = .lost
        let html = Page(status).markup.text
        for shard in status.shards {
            #expect(html.contains("data-value=\"\(shard.report.rows)\""))
            #expect(html.contains("data-value=\"\(shard.report.pulls)\""))
        }
        for expected in [
            "<strong>compute of worker 2 (91 %)</strong>", "step 17 waits for micro-batches 4..&lt;8 of worker 1",
            "worker 3</th><td class=\"n bad\" data-value=\"12\">! 12</td><td class=\"n bad\" data-value=\"5\">! 5</td>",
            "1 lost", "id=\"waits-table\"", "id=\"hot-item\"", "id=\"lag-table\"", "id=\"events-table\"",
            "http-equiv=\"refresh\"", "kind: din",
        ] { #expect(html.contains(expected), "\(expected)") }
        #expect(!html.contains("style=") && !html.contains("http://10"))
    }

    @Test(
        "What others named stays text",
        arguments: ["<script>alert(1)</script>", "\"><img src=x onerror=y>", "a\u{202e}b\u{7}'&"])
    func hostile(_ name: String) throws {
        var status = cluster.status(after: 61)
        status.job.name = name
        status.job.config = name
        status.limitedBy = name
        status.nodes[0].host = name
        status.nodes[0].activity = name
        status.nodes[1].endpoints = [name]
        status.workers[0].host = name
        status.shards[0].endpoint = name
        status.shards[0].waitsFor = name
        status.shards[0].report.refused[name] = 1
        status.tables[0].name = name
        status.events[0].text = name
        status.waits[0].name = name
        status.evaluations[0].split = name
        status.failure = FailureReport(
            time: 1, cause: .killed, first: name, host: name, pid: 1, what: name, log: name, lastLines: [name],
            followers: [name], remedy: name, step: 1)
        let html = Page(status).markup.text
        #expect(!html.contains("<script>") && !html.contains("<img") && !html.contains("\u{202e}"))
        #expect(html.contains(Markup.escape(name)))
    }

    @Test("A status of numbers that are not finite, negative or huge still makes a page")
    func extremes() {
        var status = cluster.status(after: 1)
        for value in [Double.nan, .infinity, -.infinity, 1e300, -1] {
            status.job.samplesPerSecond = value
            status.job.loss = value
            status.shards[0].busy = value
            status.shards[0].pullsPerSecond = value
            status.shards[0].receivedBytesPerSecond = value
            status.workers[0].read = value
            status.tables[0].distinct = value
            status.nodes[0].silentSeconds = value
            status.nodes[0].cores = value
            status.skew.rows = value
            status.time = value
            #expect(Page(status).markup.text.contains("</html>"))
        }
        #expect(Page(ClusterStatus()).markup.text.contains("No server has joined yet."))
    }

    static let failure = FailureReport(
        time: 1_790_000_070, cause: .killed, first: "worker 1", host: "node-0", pid: 1003,
        what: "worker 1 was killed by signal 9", log: "logs/worker-1.log", lastLines: ["step 17", "step 18"],
        followers: ["server 0", "worker 0"], remedy: "look for the kernel's memory killer: dmesg | grep -i oom",
        step: 40)
}
