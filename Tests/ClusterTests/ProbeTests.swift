import Foundation
import Job
import Processes
import Scheduler
import Telemetry
import Testing
import Wire

@testable import Cluster

/// Whoever examines a cluster changes nothing of it.
@Suite struct ProbeTests {
    private func status(_ program: Program, _ run: String) throws -> ClusterStatus {
        try TelemetryJSON.decode(
            ClusterStatus.self, from: try Data(contentsOf: URL(filePath: "\(program.directory)/\(run)/status.json")))
    }

    @Test(
        "a run that is probed again and again ends in the same bits and with the same counts",
        arguments: ["launch", "train"])
    func sameBits(command: String) throws {
        let program = try Program()
        try program.prepareWorld()
        // Long enough for a doctor to come by: some seconds in either build.
        #if DEBUG
            let steps = 300
        #else
            let steps = 3_000
        #endif
        let arguments = [
            command, "job.yaml", "cluster.servers=2", "cluster.workers=2", "train.epochs=10000",
            "train.max_steps=\(steps)",
        ]
        #expect(try program.run(arguments + ["--run", "alone"]).code == 0)
        let process = try program.start(arguments + ["--run", "probed"])
        var measured = 0
        while process.isRunning {
            let found = try program.run("doctor", "--cluster", "probed", "-o", "json").output
            if found.contains("\"who\":\"worker 0\""), found.contains("\"round_trip_microseconds\":") { measured += 1 }
        }
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && measured > 0)
        #expect(try program.digest("probed") == (try program.digest("alone")))
        let (alone, probed) = (try status(program, "alone"), try status(program, "probed"))
        #expect(alone.shards.count == 2 && alone.shards[0].report.pulls >= 300)
        for (one, other) in zip(alone.shards.map(\.report), probed.shards.map(\.report)) {
            #expect(one.pulls == other.pulls && one.pushes == other.pushes && other.refused.isEmpty)
            #expect(one.pullBytes == other.pullBytes && one.pushBytes == other.pushBytes)
            #expect(one.otherBytes == other.otherBytes && other.garbage == 0 && other.malformed.isEmpty)
        }
    }

    @Test("a clock that is ahead or behind is known by the reports' times, whatever their way took")
    func skew() throws {
        var skew = ClockSkew()
        #expect(skew.seconds == nil)
        for (written, delay) in [(100.0, 0.2), (101, 0.01), (102, 5)] { skew.add(written + 3, at: written + delay) }
        #expect(abs((skew.seconds ?? 0) - 2.99) < 1e-9)
        // Set right, it is forgotten after a while.
        for second in 0..<16 { skew.add(Double(second), at: Double(second) + 0.001) }
        #expect(abs((skew.seconds ?? 1) + 0.001) < 1e-9)
    }

    @Test("the status says of each node how far its clock is from the scheduler's")
    func status() throws {
        let program = try Program()
        try program.prepareWorld()
        let text = try String(contentsOfFile: program.directory + "/job.yaml", encoding: .utf8)
            .replacingOccurrences(of: "directory: world", with: "directory: \(program.directory)/world")
        let book = ClusterBook(try Job(try ConfigReader.read(text: text, name: "job.yaml")))
        var report = NodeReport()
        report.time = Date().timeIntervalSince1970 + 3
        _ = book.take(.counters(Member(role: .worker, rank: 0), report))
        report.time = Date().timeIntervalSince1970 - 3
        _ = book.take(.counters(Member(role: .server, rank: 0), report))
        let skews = Dictionary(uniqueKeysWithValues: book.status.nodes.map { ($0.role, $0.clockSkewSeconds) })
        // The machine may pause between a report's time and its receipt here.
        #expect((1...3).contains(try #require(skews["worker"] ?? nil)))
        #expect((-5 ... -3).contains(try #require(skews["server"] ?? nil)))
        #expect(skews["scheduler"] == .some(nil))
    }
}
