import Foundation
import Telemetry
import Testing

@testable import Display

@Suite struct ReportTests {
    /// What `check_report.py` finds.
    struct Findings: Decodable {
        let problems: [String]
        let text: String
        let tags: [String: Int]
    }

    /// Has a page checked by Python's parsers of HTML and XML.
    static func check(_ html: String) throws -> Findings {
        let directory = try Tools.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/report.html"
        try html.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try Tools.script("check_report.py", path)
        #expect(result.code == 0, "\(result.errors)")
        return try JSONDecoder().decode(Findings.self, from: Data(result.output.utf8))
    }

    private static let config = """
        data:
          directory: data/synthetic
          test: test
        model:
          kind: din
          top:
            hidden:
            - 200
            - 80
        train:
          batch: 4096
        """

    private static func run(_ simulation: Simulation, name: String = "simulated") -> RecordedRun {
        RecordedRun(
            name: name, status: simulation.status, points: simulation.points, config: config,
            defaults: config.replacingOccurrences(of: "4096", with: "512"))
    }

    @Test("a finished run shows what its status says", .enabled(if: Tools.hasPython))
    func finished() throws {
        var simulation = Simulation(shards: 4, workers: 3)
        simulation.status.shards[1].report.duplicates = 12
        simulation.status.workers[2].report.retries = 5
        simulation.status.shards[3].report.malformed = [2: 7]
        let findings = try Self.check(Report([Self.run(simulation)]).html)
        #expect(findings.problems == [])
        #expect(findings.tags["svg"] == 9)
        for words in [
            "Limited by compute of worker 2 (91 %)", "model din · data set data/synthetic", "test AUC 0.7345",
            "best validation AUC 0.7400", "GAUC 0.7012, log loss 0.5234, calibration 0.9970, step 6,000",
            "samples/s 40,960",
            "largest over mean: rows 1.03 memory 1.04 pulls 1.35 traffic 1.21 busy 1.50",
            "duplicates ignored 12 shard 1 (12)", "requests repeated after their deadline 5 worker 2 (5)",
            "malformed messages 7 worker 2 (7)", "18446744073709551001", "OpenBLAS 0.3.21, Haswell",
            "train.batch 4096 512", "4 × 3",
        ] {
            // One server holds two shards.
            let expected = words.replacingOccurrences(of: "4 × 3", with: "2 × 3")
            #expect(findings.text.contains(expected), "\(expected) is missing")
        }
    }

    @Test("nothing of a run can become markup", .enabled(if: Tools.hasPython))
    func hostile() throws {
        let text =
            "</title></style><script>alert('x')</script>\"' onload=\"x\" &amp; <img src=http://evil>]]>\u{1}\u{202E}"
        var simulation = Simulation(shards: 2, workers: 2, seconds: 30)
        simulation.poison(text)
        let config = "data:\n  directory: \(text)\n\(text): \(text)\n- \(text)"
        var run = RecordedRun(
            name: text, status: simulation.status, points: simulation.points, config: config, defaults: "a: b")
        run.gaps = [text]
        for runs in [[run], [run, run]] {
            let findings = try Self.check(Report(runs).html)
            #expect(findings.problems == [])
            #expect(findings.text.contains("<script>alert('x')</script>"))
        }
    }

    @Test("64 shards and 256 workers are one page of a few megabytes", .enabled(if: Tools.hasPython))
    func large() throws {
        let html = Report([Self.run(Simulation(shards: 64, workers: 256, seconds: 12_000))]).html
        #expect(html.utf8.count < 3_000_000, "\(html.utf8.count) bytes")
        let findings = try Self.check(html)
        #expect(findings.problems == [])
        #expect(findings.text.contains("time of workers (257 rows)"))
        #expect(findings.text.contains("time of shards (64 rows)"))
    }

    @Test("a run of nothing is a page", .enabled(if: Tools.hasPython))
    func empty() throws {
        let run = RecordedRun(name: "empty", status: ClusterStatus(), points: [], config: "")
        let findings = try Self.check(Report([run]).html)
        #expect(findings.problems == [])
        #expect(findings.text.contains("No progress was recorded."))
    }

    @Test("numbers that are none do not reach a picture", .enabled(if: Tools.hasPython))
    func notFinite() throws {
        var simulation = Simulation(shards: 1, workers: 1, seconds: 20)
        for index in simulation.points.indices {
            simulation.points[index].loss = index % 3 == 0 ? .nan : index % 3 == 1 ? .infinity : 1e300
            simulation.points[index].samplesPerSecond = index == 4 ? -.infinity : 0
            simulation.points[index].auc = 0.5
            simulation.points[index].rows = .max
        }
        simulation.status.skew.rows = .nan
        simulation.status.evaluations[0].logLoss = .nan
        simulation.status.tables[0].distinct = .infinity
        simulation.status.shards[0].report.gatherSeconds = .nan
        simulation.status.shards[0].report.updateSeconds = 1e300
        simulation.status.workers[0].report.waitSeconds = .infinity
        simulation.status.job.started = .nan
        let findings = try Self.check(Report([Self.run(simulation)]).html)
        #expect(findings.problems == [])
    }

    @Test("a failed run says first who failed and what to do", .enabled(if: Tools.hasPython))
    func failed() throws {
        var simulation = Simulation(shards: 2, workers: 2, seconds: 30)
        simulation.status.job.state = .failed
        simulation.status.failure = FailureReport(
            time: Simulation.start + 30, cause: .killed, first: "worker 1", host: "node-b", pid: 4711,
            what: "worker 1 was killed by signal 9", log: "logs/worker-1.log",
            lastLines: ["step 17", "out of memory?"], followers: ["worker 0", "server 0"],
            remedy: "Look for the kernel's out-of-memory killer in dmesg.", step: 17)
        simulation.status.nodes[3].state = .lost
        let findings = try Self.check(Report([Self.run(simulation)]).html)
        #expect(findings.problems == [])
        for words in [
            "Failed first: worker 1", "host node-b, process 4711", "worker 1 was killed by signal 9",
            "out-of-memory killer",
            "followed worker 0, server 0", "step 17 out of memory?", "processes lost 1 worker 1 (1)",
        ] {
            #expect(findings.text.contains(words), "\(words) is missing")
        }
    }

    @Test("runs lie side by side, their curves over each other", .enabled(if: Tools.hasPython))
    func several() throws {
        let runs = ["din", "dien", "dsin"].map { Self.run(Simulation(shards: 2, workers: 2), name: $0) }
        let findings = try Self.check(Report(runs).html)
        #expect(findings.problems == [])
        #expect(findings.text.contains("3 runs Side by side"))
        #expect(findings.text.contains("dien GAUC 0.7100"))
        #expect(findings.tags["svg"] == 8)
    }
}
