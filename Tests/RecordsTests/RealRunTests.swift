import Foundation
import Processes
import Telemetry
import Testing

@testable import Display

/// Records of jobs that were really run, by the program as users run it.
@Suite(.serialized, .enabled(if: Tools.hasPython)) final class RealRunTests {
    /// What `validate_metrics.py` prints.
    struct Validation: Decodable {
        let counts: [String: Int]
        let problems: [String]
        let lines: Int
    }

    private let directory: String

    init() throws {
        directory = try Tools.temporaryDirectory()
        let made = try Tools.myriad(
            "prepare", "synthetic", "--world", "interests", "--output", "world", "--users", "60", "--items", "120",
            "--categories", "12", "--impressions", "40", in: directory)
        #expect(made.code == 0, "\(made.errors)")
        // Long enough for some seconds of progress, with checks and without.
        #if DEBUG
            let epochs = 1
        #else
            let epochs = 120
        #endif
        let config = """
            data: {directory: world, history: 12}
            model:
              kind: dien
              attention: {kind: mlp, hidden: [8]}
              auxiliary: {hidden: [8], negatives: frequency}
              top: {hidden: [8], activation: dice}
              embedding: {width: 4}
            train: {batch: 64, micro_batch: 10, epochs: \(epochs), evaluations: 2}
            rows: {optimizer: {kind: adam, rate: 0.01}}
            cluster: {servers: 2, workers: 2, silence: 5}
            monitor: {tensorboard: true, page: "off"}
            """
        try config.write(toFile: directory + "/job.yaml", atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func validate(_ run: String, adding field: String...) throws -> Validation {
        var arguments = [Tools.schema, "\(directory)/\(run)/metrics.jsonl"]
        arguments += field
        let result = try Tools.script("validate_metrics.py", arguments)
        #expect(result.code == 0, "\(result.errors)")
        return try JSONDecoder().decode(Validation.self, from: Data(result.output.utf8))
    }

    private func report(_ run: String) throws -> ReportTests.Findings {
        let made = try Tools.myriad("report", run, "-o", "report.html", in: directory)
        #expect(made.code == 0, "\(made.errors)")
        let findings = try ReportTests.check(String(contentsOfFile: directory + "/report.html", encoding: .utf8))
        #expect(findings.problems == [])
        return findings
    }

    @Test("metrics.jsonl, TensorBoard's files and the report of a finished job agree")
    func finished() throws {
        let trained = try Tools.myriad("train", "job.yaml", "--run", "run", "--quiet", in: directory)
        #expect(trained.code == 0, "\(trained.errors)")

        let found = try validate("run")
        #expect(found.problems == [])
        for event in ["joined", "started", "progress", "evaluated", "checkpoint", "finished"] {
            #expect(found.counts[event, default: 0] > 0, "no line of \(event)")
        }
        // A field that the schema does not know is found on every line.
        #expect(try validate("run", adding: "unheard_of").problems.count >= found.lines)

        let run = try RecordedRun(directory: directory + "/run")
        let events = try TensorBoardTests.read(directory + "/run/tensorboard")
        let evaluations = run.status.evaluations.filter { $0.split == "validation" }
        #expect(!evaluations.isEmpty)
        let lines = try metrics("run").filter { $0.event == "evaluated" && $0.split == "validation" }
        #expect(events.scalars["validation/auc"]?.map { Int($0[1]) } == lines.map(\.step))
        #expect(events.scalars["validation/auc"]?.map { Float($0[2]) } == lines.map { Float($0.auc ?? .nan) })
        #expect(evaluations.map(\.auc) == lines.map(\.auc))
        #expect(
            events.scalars["train/loss"]?.map { Int($0[1]) } == run.points.filter { $0.loss != nil }.compactMap(\.step))
        #expect(
            events.scalars["train/auxiliary_loss"]?.map { Float($0[2]) }
                == run.points.compactMap(\.auxiliaryLoss).map { Float($0) })
        #expect(events.texts["config"]?.first?.contains("kind: dien") == true)

        let findings = try report("run")
        let best = try #require(run.status.evaluations.last { $0.isBest }?.auc)
        let rows = run.status.tables.reduce(0) { $0 + $1.rows }
        for words in [
            "run finished", "model dien · data set world", String(format: "best validation AUC %.4f", best),
            "rows \(rows) ", "train.micro_batch 10", "Hot ids of item",
        ] {
            #expect(findings.text.contains(words), "\(words) is missing")
        }
    }

    private struct Line: Decodable {
        let event: String
        let split: String?
        let step: Int?
        let auc: Double?
    }

    private func metrics(_ run: String) throws -> [Line] {
        try String(contentsOfFile: "\(directory)/\(run)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    @Test("a job whose worker was killed leaves records that can be read, and a report that says so")
    func killed() throws {
        let launcher = Child()
        launcher.executableURL = URL(filePath: Tools.program)
        launcher.arguments = ["launch", "job.yaml", "--run", "run", "--quiet", "train.epochs=1000"]
        launcher.currentDirectoryURL = URL(filePath: directory)
        launcher.standardOutput = FileHandle.nullDevice
        launcher.standardError = FileHandle.nullDevice
        try launcher.run()
        defer { launcher.kill() }
        var victim: Int32?
        let deadline = ContinuousClock.now + .seconds(60)
        while victim == nil, .now < deadline {
            Thread.sleep(forTimeInterval: 0.1)
            guard let run = try? RecordedRun(directory: directory + "/run"), run.points.count > 1 else { continue }
            victim = run.status.nodes.first { $0.role == "worker" && $0.rank == 1 && $0.pid > 0 }.map { Int32($0.pid) }
        }
        // What is shown of a run that goes on.
        let running = try report("run")
        #expect(running.text.contains("run running at "))
        kill(try #require(victim), SIGKILL)
        launcher.waitUntilExit()
        #expect(launcher.terminationStatus == 70)

        let found = try validate("run")
        #expect(found.problems == [])
        #expect(found.counts["failed"] == 1)
        #expect(try TensorBoardTests.read(directory + "/run/tensorboard").scalars["train/loss"]?.isEmpty == false)
        let failed = try report("run")
        #expect(failed.text.contains("run failed"))
        #expect(failed.text.contains("worker-1") || failed.text.contains("worker 1"))
        #expect(failed.text.contains("signal 9"))
    }

    @Test("a job that was stopped and goes on keeps one record, without gaps or repetitions")
    func continued() throws {
        let command = ["train", "job.yaml", "--run", "run", "--continue", "--quiet", "train.epochs=1000"]
        for attempt in 1...2 {
            let job = Child()
            job.executableURL = URL(filePath: Tools.program)
            job.arguments = command
            job.currentDirectoryURL = URL(filePath: directory)
            job.standardOutput = FileHandle.nullDevice
            job.standardError = FileHandle.nullDevice
            let before = try? metrics("run").count { $0.event == "evaluated" }
            try job.run()
            defer { job.kill() }
            let deadline = ContinuousClock.now + .seconds(60)
            while (try? metrics("run").count { $0.event == "evaluated" }) ?? 0 <= (before ?? 0) + 1, .now < deadline {
                Thread.sleep(forTimeInterval: 0.05)
            }
            job.terminate()
            job.waitUntilExit()
            #expect(job.terminationStatus == 143)
            #expect(try validate("run").counts["stopped"] == attempt)
            #expect(try report("run").text.contains("run stopped"))
        }
        let step = try #require(metrics("run").last { $0.event == "stopped" }?.step)
        let done = try Tools.myriad(
            "train", "job.yaml", "--run", "run", "--continue", "--quiet", "train.max_steps=\(step + 5)",
            "train.epochs=1000", in: directory)
        #expect(done.code == 0, "\(done.errors)")
        let found = try validate("run")
        #expect(found.problems == [] && found.counts["started"] == 3 && found.counts["finished"] == 1)
        let run = try RecordedRun(directory: directory + "/run")
        #expect(run.status.job.state == .finished)
        #expect(run.points.compactMap(\.step) == run.points.compactMap(\.step).sorted())
        // The newest status knows of what earlier processes scored, too, and of samples since the first step.
        let scored = try metrics("run").filter { $0.event == "evaluated" }.map(\.step)
        #expect(run.status.evaluations.map { Optional($0.step) } == scored)
        let samples = run.status.evaluations.map(\.samples)
        #expect(samples == samples.sorted() && Set(run.status.evaluations.map(\.step)).count == Set(samples).count)
        #expect(try report("run").text.contains("run finished"))
        // What goes where this process's output goes is added there.
        let shell = "(echo begin; \(Tools.program) curves run --output /dev/stdout; echo end) >>log"
        for _ in 0..<2 { #expect(try Tools.run("/bin/sh", ["-c", shell], in: directory).code == 0) }
        let log = try String(contentsOfFile: directory + "/log", encoding: .utf8)
        #expect(log.components(separatedBy: "begin\n").count == 3 && log.components(separatedBy: "</svg>").count == 3)
    }

    @Test("what is no run is refused with what to do")
    func refused() throws {
        let made = try Tools.myriad("report", "world", "-o", "report.html", in: directory)
        #expect(made.code == 65)
        #expect(made.errors.contains("world: holds neither status.json nor metrics.jsonl"), "\(made.errors)")
    }
}
