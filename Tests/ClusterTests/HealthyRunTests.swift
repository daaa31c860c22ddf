import Foundation
import Telemetry
import Testing

/// What is left of a run that nothing went wrong in.
@Suite struct HealthyRunTests {
    @Test("The logs of a healthy run tell what happened, and the last lines of them are the last")
    func logs() throws {
        let program = try Program()
        try program.prepareWorld()
        let result = try program.run("train", "job.yaml", "--run", "run", "--quiet", "train.evaluations=1")
        #expect(result.code == 0, "\(result.errors)")
        let logs = try program.run("logs", "run").output
        for words in ["started: ", "evaluated: test after step ", "checkpoint: ", "finished after step "] {
            #expect(logs.contains(words), "\(words): \(logs)")
        }
        let lines = logs.split(separator: "\n")
        #expect(lines.allSatisfy { $0.contains(#/^scheduler \| [0-9]{2}:[0-9]{2}:[0-9]{2} ./#) }, "\(logs)")
        let tail = try program.run("logs", "run", "--tail", "2").output.split(separator: "\n")
        #expect(tail == lines.suffix(2))
        let found = try program.run("logs", "run", "--grep", "evaluated", "--tail", "1").output.split(separator: "\n")
        #expect(found == lines.filter { $0.contains("evaluated") }.suffix(1))
    }

    @Test("A run of a comparison has a status: its report knows the model and what limited it")
    func compared() throws {
        let program = try Program()
        try program.prepareWorld()
        let result = try program.run("compare", "job.yaml", "--seeds", "1", "--output", "all", "--quiet")
        #expect(result.code == 0, "\(result.errors)")
        let status = try TelemetryJSON.decode(
            ClusterStatus.self,
            from: try #require(FileManager.default.contents(atPath: program.directory + "/all/job-1/status.json")))
        #expect(status.job.state == .finished && status.job.model == "din" && status.job.name == "job-1")
        #expect(!status.limitedBy.isEmpty && !status.shards.isEmpty)
        #expect(try program.run("report", "all/job-1", "-o", "report.html").code == 0)
        let report = try String(contentsOfFile: program.directory + "/report.html", encoding: .utf8)
        #expect(report.contains("model din") && report.contains("Limited by \(status.limitedBy)"))
    }
}
