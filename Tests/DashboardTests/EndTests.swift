import Foundation
import Processes
import Telemetry
import Testing

@testable import Display

/// How a real job's end shows: one that finishes before an open page, and one whose scheduler is killed.
@Suite("Page of a job that ends", .serialized)
struct EndTests {
    /// Processes that another one has started.
    private func children(of process: Child) -> [pid_t] {
        let pid = process.processIdentifier
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return tasks.flatMap { task in
            let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { pid_t($0.trimmingCharacters(in: .whitespaces)) }
        }
    }

    /// The first worker among them.
    private func worker(of process: Child) -> pid_t? {
        children(of: process).first { pid in
            let arguments = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return arguments.split(separator: 0).dropFirst().first == Data("worker".utf8)
        }
    }

    @Test("An open page shows the finished job with its test score, and then that this is its last state")
    func finishes() throws {
        if let reason = BrowserTests.missing { return print(reason) }
        let world = try LiveWorld()
        let launch = try world.start([
            "launch", "job.yaml", "train.max_steps=200", "--servers", "1", "--workers", "2", "--run", "run",
        ])
        // Held back until the page is open.
        let deadline = ContinuousClock.now + .seconds(30)
        var held: pid_t?
        while held == nil, .now < deadline {
            held = worker(of: launch)
            Thread.sleep(forTimeInterval: 0.002)
        }
        let worker = try #require(held)
        kill(worker, SIGSTOP)
        defer { kill(worker, SIGCONT) }
        let port = try world.port()
        let (browser, output) = try Tool.start([
            "/usr/bin/python3", "\(Tool.directory)/browser.py", "http://127.0.0.1:\(port)/", "--until",
            "s.state === 'finished'", "--until", "s.silence.includes('has ended')",
        ])
        defer { browser.waitUntilExit() }
        var lines = LineReader(output)
        #expect(lines.next() == "watching")
        kill(worker, SIGCONT)
        let end = try BrowserTests().decode(BrowserTests.Sight.self, lines.next())
        #expect(end.held && end.state == "finished" && end.step == 200 && end.title.hasPrefix("finished"))
        #expect(end.scored.contains("test") && end.scored.contains("validation"))
        #expect(end.test.hasPrefix("0.") && end.means.contains("of training"))
        #expect(lines.next() == "watching")
        let last = try BrowserTests().decode(BrowserTests.Sight.self, lines.next())
        #expect(last.held && !last.alarms && last.state == "finished" && last.title.hasPrefix("finished"))
        #expect(
            last.silence.contains("The job has ended; this is its last state. Show it again with: myriad dashboard"))
        launch.waitUntilExit()
        #expect(launch.terminationStatus == 0, "\(world.text().suffix(500))")
    }

    @Test("A run whose scheduler was killed says so, on the page that was open and to whoever asks afterwards")
    func abandoned() throws {
        let world = try LiveWorld()
        let launch = try world.start(["launch", "job.yaml", "--servers", "1", "--workers", "1", "--run", "run"])
        _ = try world.port()
        func shown(_ port: UInt16, _ condition: (ClusterStatus) -> Bool) -> ClusterStatus? {
            let deadline = ContinuousClock.now + .seconds(30)
            while .now < deadline {
                if let answer = Client.ask(port, "/api/v1/status"),
                    let status = try? TelemetryJSON.decode(ClusterStatus.self, from: answer.body), condition(status)
                {
                    return status
                }
                Thread.sleep(forTimeInterval: 0.1)
            }
            return nil
        }
        // Its status is on disk before anybody can look into it.
        while launch.isRunning, !FileManager.default.fileExists(atPath: world.directory + "/run/status.json") {
            Thread.sleep(forTimeInterval: 0.05)
        }
        try world.start(["dashboard", "run"], into: "dashboard")
        let port = try world.port("dashboard")
        _ = try #require(shown(port) { $0.job.state == .running && $0.job.step > 5 && $0.workers.count == 1 })
        launch.kill()
        launch.waitUntilExit()
        let end = try #require(shown(port) { $0.job.state != .running })
        #expect(end.job.state == .failed && end.failure?.first == "scheduler" && end.failure?.cause == .killed)
        #expect(end.nodes.first?.state == .lost && end.failure?.pid == Int(launch.processIdentifier))
        let words = /no news since [0-9:]{8} \([0-9]+ s\): the scheduler is gone/
        #expect(end.job.reason.contains(words), "\(end.job.reason)")
        let page = try #require(Client.ask(port, "/")?.text)
        #expect(page.contains(words) && page.contains("<title>FAILED"))
        #expect(page.contains("continue with the same command, --run RUN and --continue"))
        #expect(!page.contains(">running</span>"))
        let status = try world.start(["status", "run"], into: "status")
        status.waitUntilExit()
        #expect(status.terminationStatus == 0 && world.text("status").contains(words), "\(world.text("status"))")
    }
}

/// Lines of a program's output as they come.
struct LineReader {
    private let output: FileHandle
    private var text = ""

    init(_ output: FileHandle) { self.output = output }

    /// The next one; empty at the end.
    mutating func next() -> String {
        while !text.contains("\n") {
            let more = output.availableData
            guard !more.isEmpty else { break }
            text += String(decoding: more, as: UTF8.self)
        }
        let end = text.firstIndex(of: "\n") ?? text.endIndex
        defer { text = String(text[end...].dropFirst()) }
        return String(text[..<end])
    }
}
