import Foundation
import Telemetry
import Testing

@testable import Dashboard

/// The page of a real cluster: `myriad launch`, then a browser, then a killed worker.
@Suite("Page of a live cluster", .serialized)
struct LiveTests {
    private static let program: String = {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        let root = URL(filePath: Tool.directory).deletingLastPathComponent().deletingLastPathComponent()
        return root.appending(path: ".build/\(configuration)/myriad").path
    }()

    /// A directory with data and a job that lasts until it is ended.
    private final class World {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString.prefix(8))")
            .path
        private var processes: [Process] = []

        init() throws {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let world = try start([
                "prepare", "synthetic", "--output", "world", "--users", "200", "--items", "300", "--categories", "20",
                "--impressions", "60",
            ])
            world.waitUntilExit()
            let job = """
                data: {directory: world, history: 12}
                model: {kind: din, top: {hidden: [16]}, attention: {hidden: [8]}, embedding: {width: 8}}
                train: {batch: 64, micro_batch: 16, epochs: 1000, evaluations: 1}
                rows: {optimizer: {kind: adagrad, rate: 0.02}}
                """
            try job.write(toFile: directory + "/job.yaml", atomically: true, encoding: .utf8)
        }

        deinit {
            for process in processes where process.isRunning {
                // A child of a test's thread may have inherited that signals are held back; those of a launcher that
                // is killed end by themselves.
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try? FileManager.default.removeItem(atPath: directory)
        }

        @discardableResult
        func start(_ arguments: [String], into file: String = "output") throws -> Process {
            let process = Process()
            process.executableURL = URL(filePath: LiveTests.program)
            process.arguments = arguments
            process.currentDirectoryURL = URL(filePath: directory)
            _ = FileManager.default.createFile(atPath: "\(directory)/\(file)", contents: nil)
            let output = FileHandle(forWritingAtPath: "\(directory)/\(file)")
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = output
            try process.run()
            processes.append(process)
            return process
        }

        func text(_ file: String = "output") -> String {
            (try? String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)) ?? ""
        }

        /// The port on the line that names the page.
        func port(_ file: String = "output") throws -> UInt16 {
            let deadline = ContinuousClock.now + .seconds(30)
            while .now < deadline {
                if let match = text(file).firstMatch(of: /page: http:\/\/127\.0\.0\.1:([0-9]+)\//) {
                    return try #require(UInt16(match.1))
                }
                Thread.sleep(forTimeInterval: 0.05)
            }
            Issue.record("no page was named: \(text(file).suffix(1000))")
            throw CocoaError(.fileNoSuchFile)
        }
    }

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
        let world = try World()
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
        var sight: (process: Process, output: FileHandle)?
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
            sight = try Tool.start(browser + ["--until", "s.lost.length > 0 || s.failure.includes('worker 1')"])
            #expect(sight?.output.availableData == Data("watching\n".utf8))
        }
        let victim = try #require(self.status(port)?.nodes.first { $0.role == "worker" && $0.rank == 1 })
        kill(pid_t(victim.pid), SIGKILL)
        if let sight {
            let seen = try BrowserTests().decode(
                BrowserTests.Sight.self, String(decoding: sight.output.readDataToEndOfFile(), as: UTF8.self))
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
        let world = try World()
        let server = try PageServer(board: StatusBoard(), options: PageOptions(address: "127.0.0.1:0")) { _ in "" }
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
