import Foundation
import Processes
import Synchronization
import Telemetry
import Testing

@testable import Display

/// The page in a real Chromium, fed by simulated clusters.
@Suite("Page in a browser", .serialized)
struct BrowserTests {
    static let missing = Tool.missing("chromium")

    /// What `browser.py` tells after a look.
    struct Look: Decodable {
        struct State: Decodable {
            let step: Int
            let limit: String
            let tables: [String]
            let rows: Int
            let curves: Int
            let traffic: [String]
        }
        struct WithoutScript: Decodable {
            let rows: Int
            let refresh: Int
        }
        let first: State
        let later: State
        let keepsFocus: Bool
        let overflow: [String: Int]
        let cut: [String: Int]
        let unshaded: [String: Int]
        let tabStops: Int
        let console: [String]
        let failed: [String]
        let badStatuses: [Int]
        let otherHosts: [String]
        let polls: Int
        let withoutScript: WithoutScript
    }

    /// What `browser.py --until` tells.
    struct Sight: Decodable {
        let held: Bool
        let seconds: Double
        let state: String
        let lost: [String]
        let failure: String
        let silence: String
        let console: [String]
        let title: String
        let step: Int
        /// Splits in the table of evaluations, newest first.
        let scored: [String]
        let test: String
        let means: String
        /// Whether silence is shown as something wrong.
        let alarms: Bool
    }

    /// A board that changes every second, as a scheduler's does.
    private final class Life: Sendable {
        let board = StatusBoard()
        private let second: Mutex<Int>
        private let change = Mutex<@Sendable (inout ClusterStatus) -> Void>({ _ in })
        private let queue = DispatchQueue(label: "life")

        init(_ cluster: SimulatedCluster, from second: Int) {
            self.second = Mutex(second)
            for past in 0..<second { board.publish(cluster.status(after: 0), point: cluster.point(after: past)) }
            schedule(cluster, after: 0)
        }

        private func schedule(_ cluster: SimulatedCluster, after seconds: Double) {
            queue.asyncAfter(deadline: .now() + seconds) { [weak self] in
                self?.tick(cluster)
                self?.schedule(cluster, after: 1)
            }
        }

        private func tick(_ cluster: SimulatedCluster) {
            let now = second.withLock { second in
                second += 1
                return second
            }
            var status = cluster.status(after: now)
            change.withLock { $0 }(&status)
            board.publish(status, point: cluster.point(after: now))
        }

        func alter(_ body: @escaping @Sendable (inout ClusterStatus) -> Void) { change.withLock { $0 = body } }
    }

    private func server(_ life: Life) throws -> PageServer {
        try PageServer(board: life.board, options: PageOptions(address: "127.0.0.1:0"))
    }

    func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(type, from: Data(text.utf8)) } catch {
            Issue.record("browser.py said: \(text.suffix(2000))")
            throw error
        }
    }

    /// A browser that shows a page until one expression over its state after the other holds, and what it says of that.
    private func watch(_ server: PageServer, until conditions: [String]) throws -> (Child, LineReader) {
        let (process, output) = try Tool.start(
            ["/usr/bin/python3", "\(Tool.directory)/browser.py", server.url] + conditions.flatMap { ["--until", $0] })
        return (process, LineReader(output))
    }

    @Test("It loads, updates, complains of nothing, asks nobody else, and fits", arguments: [(2, 3), (64, 256)])
    func look(_ shards: Int, _ workers: Int) throws {
        if let reason = Self.missing { return print(reason) }
        let life = Life(SimulatedCluster(shards: shards, workers: workers), from: 125)
        // Ids as hashes are: none of a list is cut.
        life.alter { status in
            for table in status.tables.indices {
                for place in status.tables[table].hot.indices {
                    status.tables[table].hot[place].id = "184467440737095516\(10 + place)"
                }
            }
        }
        let server = try server(life)
        var command = ["/usr/bin/python3", "\(Tool.directory)/browser.py", server.url]
        // Pictures for whoever changes the design.
        if let images = ProcessInfo.processInfo.environment["MYRIAD_PAGE_IMAGES"] {
            command += ["--images", images, "--name", "simulated-\(shards)"]
        }
        let result = try Tool.run(command)
        let look = try decode(Look.self, result.output)
        #expect(look.later.step > look.first.step)
        #expect(look.first.limit == "limited by: compute of worker \(workers / 2) (91 %)")
        #expect(look.later.curves == 10)
        #expect(look.later.rows > shards + workers)
        for table in ["shards-table", "workers-table", "nodes-table", "hot-item", "events-table", "waits-table"] {
            #expect(look.later.tables.contains(table), "\(table)")
        }
        // More goes out of the shards than comes in.
        let traffic = look.later.traffic.compactMap { Double($0.prefix { $0 != " " }) }
        #expect(traffic.count == 2 && traffic[0] * 1.5 < traffic[1], "\(look.later.traffic)")
        #expect(look.keepsFocus)
        #expect(look.overflow == ["400": 0, "1000": 0, "1400": 0])
        #expect(look.cut["1400"] == 0 && look.unshaded == ["400": 0, "1000": 0, "1400": 0])
        #expect(look.tabStops > 10)
        #expect(look.console.isEmpty && look.failed.isEmpty && look.badStatuses.isEmpty && look.otherHosts.isEmpty)
        #expect(look.polls > 8)
        #expect(look.withoutScript.rows >= look.later.rows - 30 && look.withoutScript.refresh == 1)
    }

    @Test("The page's script writes numbers as the terminal and the report do")
    func quantities() throws {
        if let reason = Self.missing { return print(reason) }
        let server = try server(Life(SimulatedCluster(shards: 1, workers: 1), from: 5))
        let values: [Double] = [
            0, 0.0004, 0.0005, 0.042, 0.0995, 0.125, 0.5234, 0.71, 1, 2.5, 9.994, 9.995, 12.34, 59.5, 99.94, 99.96, 130,
            999.4, 999.5, 1000, 11_100, 18_412.4, 99_999, 100_000, 183_600, 1_240_312, 231_000_000, 9.995e11,
        ]
        let texts: [(String, (Double) -> String)] = [
            ("rate", Quantity.rate), ("number", Quantity.number), ("bytes", Quantity.bytes),
            ("percent", Quantity.percent), ("duration", Quantity.duration), ("metric", { Quantity.metric($0) }),
        ]
        let conditions = texts.map { name, text in
            let equal = values.map { "q.\(name)(\($0)) === '\(text($0))'" }.joined(separator: " && ")
            return "((q) => \(equal))(document.getElementById('page').quantities)"
        }
        var (process, lines) = try watch(server, until: conditions)
        defer { process.waitUntilExit() }
        for (name, _) in texts {
            #expect(lines.next() == "watching")
            #expect(try decode(Sight.self, lines.next()).held, "\(name)")
        }
    }

    @Test("Another job at the same address begins its curves anew")
    func anotherJob() throws {
        if let reason = Self.missing { return print(reason) }
        let first = Life(SimulatedCluster(shards: 2, workers: 2), from: 65)
        let server = try server(first)
        var (process, lines) = try watch(server, until: ["s.longest > 60", "s.longest > 0 && s.longest < 40"])
        defer { process.waitUntilExit() }
        #expect(lines.next() == "watching")
        #expect(try decode(Sight.self, lines.next()).held)
        server.stop()
        let second = Life(SimulatedCluster(shards: 2, workers: 2), from: 5)
        second.alter { $0.job.id = "another" }
        let address = try #require(URL(string: server.url)?.port)
        let next = try PageServer(board: second.board, options: PageOptions(address: "127.0.0.1:\(address)"))
        defer { next.stop() }
        #expect(lines.next() == "watching")
        #expect(try decode(Sight.self, lines.next()).held)
    }

    @Test("A killed worker, a failed job and a silent scheduler show by themselves")
    func failures() throws {
        if let reason = Self.missing { return print(reason) }
        let life = Life(SimulatedCluster(shards: 2, workers: 3), from: 65)
        let server = try server(life)
        var (process, lines) = try watch(
            server,
            until: [
                "s.lost.length > 0", "s.failure.includes('worker 1')", "s.silence.includes('this is its last state')",
            ])
        defer { process.waitUntilExit() }
        func line() -> String { lines.next() }
        #expect(line() == "watching")
        life.alter { $0.nodes[4].state = .lost }
        let lost = try decode(Sight.self, line())
        print("a lost worker is shown after \(lost.seconds) s")
        #expect(lost.held && lost.lost == ["worker 1"])
        #expect(line() == "watching")
        life.alter {
            $0.job.state = .failed
            $0.failure = AnswerTests.failure
        }
        let failed = try decode(Sight.self, line())
        #expect(failed.held && failed.state == "failed")
        for words in ["killed by signal 9", "dmesg", "step 18", "server 0, worker 0"] {
            #expect(failed.failure.contains(words), "\(failed.failure)")
        }
        #expect(failed.console.isEmpty)
        #expect(line() == "watching")
        server.stop()
        let silent = try decode(Sight.self, line())
        #expect(
            silent.held && silent.state == "failed" && silent.silence.contains("The job has ended") && !silent.alarms)
    }
}
