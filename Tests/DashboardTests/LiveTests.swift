import Foundation
import Processes
import Telemetry
import Testing

@testable import Display

/// The page of a real cluster: `myriad launch`, then a browser, then a killed worker.
@Suite("Page of a live cluster", .serialized)
struct LiveTests {
    private func status(_ port: UInt16) -> ClusterStatus? {
        Client.ask(port, "/api/v1/status").flatMap { try? TelemetryJSON.decode(ClusterStatus.self, from: $0.body) }
    }

    private func wait(_ port: UInt16, _ condition: (ClusterStatus) -> Bool) -> ClusterStatus? {
        let deadline = ContinuousClock.now + .seconds(60)
        while .now < deadline {
            if let status = status(port), condition(status) { return status }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return nil
    }

    @Test("It shows a cluster that trains, the worker that is killed, and afterwards the run from its files")
    func cluster() throws {
        let world = try LiveWorld()
        let launch = try world.start(["launch", "job.yaml", "--servers", "2", "--workers", "2", "--run", "run"])
        let port = try world.port()
        let status = try #require(wait(port) { $0.job.step > 20 && !$0.limitedBy.isEmpty && $0.shards.count == 2 })
        #expect(status.job.page == "http://127.0.0.1:\(port)/")
        #expect(Client.ask(port, "/readyz")?.status == 200)
        #expect(Client.ask(port, "/metrics")?.text.contains("# TYPE myriad_") == true)
        if let reason = SchemaTests.missing {
            print(reason)
        } else {
            let answer = try #require(Client.ask(port, "/api/v1/status"))
            #expect(try SchemaTests().complaints(answer.body) == "")
        }
        var watching: Child?
        defer { watching?.waitUntilExit() }
        var lines: LineReader?
        if let reason = BrowserTests.missing {
            print(reason)
        } else {
            let browser = ["/usr/bin/python3", "\(Tool.directory)/browser.py", "http://127.0.0.1:\(port)/"]
            let images = ProcessInfo.processInfo.environment["MYRIAD_PAGE_IMAGES"].map {
                ["--images", $0, "--name", "live"]
            }
            let look = try BrowserTests().decode(BrowserTests.Look.self, try Tool.run(browser + (images ?? [])).output)
            #expect(look.later.step > look.first.step && look.later.curves >= 9)
            #expect(look.overflow == ["400": 0, "1000": 0, "1400": 0])
            #expect(look.console.isEmpty && look.failed.isEmpty && look.badStatuses.isEmpty && look.otherHosts.isEmpty)
            #expect(look.withoutScript.rows > 10)
            let until = ["--until", "s.lost.length > 0 || s.failure.includes('worker 1')"]
            let (process, output) = try Tool.start(browser + until)
            watching = process
            lines = LineReader(output)
            #expect(lines?.next() == "watching")
        }
        let victim = try #require(self.status(port)?.nodes.first { $0.role == "worker" && $0.rank == 1 })
        kill(pid_t(victim.pid), SIGKILL)
        if let line = lines?.next() {
            let seen = try BrowserTests().decode(BrowserTests.Sight.self, line)
            print("a killed worker is shown after \(seen.seconds) s: \(seen.lost) \(seen.failure.prefix(80))")
            #expect(seen.held)
        }
        launch.waitUntilExit()
        #expect(launch.terminationStatus == 70)
        try world.start(["dashboard", "run"], into: "dashboard")
        let later = try world.port("dashboard")
        let end = try #require(self.status(later))
        #expect(end.job.state == .failed && end.failure?.first == "worker 1")
        #expect(Client.ask(later, "/")?.text.contains("Failed first: worker 1") == true)
        #expect(Client.ask(later, "/api/v1/series?since=0")?.text.contains("samples_per_second") == true)
    }

    @Test("A port that is taken ends the job before it begins; off serves nothing; a bad address is a bad config")
    func addresses() throws {
        let world = try LiveWorld()
        let server = try PageServer(board: StatusBoard(), options: PageOptions(address: "127.0.0.1:0"))
        let cases: [(String, Int32, String)] = [
            ("127.0.0.1:\(server.port)", 69, "is taken"), ("0.0.0.0:0", 65, "MYRIAD_TOKEN"),
            ("nowhere", 65, "host:port"),
        ]
        for (page, code, words) in cases {
            let train = try world.start([
                "train", "job.yaml", "train.max_steps=3", "monitor.page=\(page)", "--run", "run",
            ])
            train.waitUntilExit()
            #expect(train.terminationStatus == code && world.text().contains(words), "\(world.text())")
            #expect(!FileManager.default.fileExists(atPath: world.directory + "/run"))
        }
        let train = try world.start(["train", "job.yaml", "train.max_steps=3", "monitor.page=off", "--run", "run"])
        train.waitUntilExit()
        #expect(train.terminationStatus == 0 && !world.text().contains("page:"), "\(world.text())")
        let taken = try world.start(["dashboard", "run", "--port", String(server.port)])
        taken.waitUntilExit()
        #expect(taken.terminationStatus == 69)
    }
}
