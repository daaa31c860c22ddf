import Display
import Foundation
import Telemetry
import Testing

@testable import Cluster

/// A job that is over before its first second is still told whole.
@Suite(.serialized) struct ShortRunTests {
    @Test("a run of a few steps: its nodes, their last steps, its samples and events", arguments: ["train", "launch"])
    func short(_ command: String) throws {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let steps = 3
        let result = try program.run(
            command, "job.yaml", "--run", "run", "train.max_steps=\(steps)", "train.evaluations=1",
            "cluster.servers=2", "cluster.workers=2")
        try #require(result.code == 0, "\(result.errors)")
        let data = try Data(contentsOf: URL(filePath: program.directory + "/run/status.json"))
        let status = try TelemetryJSON.decode(ClusterStatus.self, from: data)
        let job = status.job
        #expect(job.state == .finished && job.step == steps && job.lastStep == steps)
        // A batch is 64.
        #expect(job.samples == steps * 64 && job.samplesTotal == steps * 64)
        #expect(job.loss != nil && job.trainingStarted > 0 && job.ended >= job.trainingStarted)
        #expect(
            status.nodes.map { "\($0.role) \($0.rank)" } == [
                "scheduler 0", "server 0", "server 1", "worker 0", "worker 1",
            ])
        for node in status.nodes {
            #expect(node.state == .done && node.step == steps, "\(node.role) \(node.rank): \(node)")
            #expect(node.pid > 0 && !node.host.isEmpty)
            #expect(node.incarnation == 1 && node.address.isEmpty)
            #expect(node.process.peakBytes > 0)
        }
        #expect(status.shards.allSatisfy { $0.state == .done && $0.report.step == steps })
        #expect(status.workers.allSatisfy { $0.state == .done && $0.report.steps == steps })
        #expect(status.events.first?.kind == .joined && status.events.first?.step == 0)
        #expect(status.events.filter { $0.kind == .joined }.count == 4)
        let late = status.events.filter { [.evaluated, .checkpoint, .finished].contains($0.kind) }
        #expect(late.count >= 3 && late.allSatisfy { $0.step == steps }, "\(late)")
        // Its curves have a point, too.
        #expect(Record.series(in: program.directory + "/run").last?.step == steps)
    }

    @Test("the files of a run are read once as long as they do not change")
    func files() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var files = RunFiles()
        #expect(files.status(in: directory) == nil && files.series(in: directory).isEmpty)
        func leave(_ state: JobStatus.State, points: Int) throws {
            var status = ClusterStatus()
            status.job.state = state
            try TelemetryJSON.encode(status).write(to: URL(filePath: directory + "/status.json"), options: .atomic)
            let lines = (0..<points).map { step in
                "{\"event\":\"progress\",\"time\":\(step),\"step\":\(step),\"samples_per_second\":1,\"rows\":1,"
                    + "\"received_bytes_per_second\":0,\"sent_bytes_per_second\":0,\"read\":0,\"wait\":0,\"compute\":0,"
                    + "\"push\":0}\n"
            }
            try Data(lines.joined().utf8).write(to: URL(filePath: directory + "/metrics.jsonl"))
        }
        try leave(.running, points: 2)
        #expect(files.status(in: directory)?.job.state == .running && files.series(in: directory).count == 2)
        let reads = files.reads
        for _ in 0..<5 { #expect(files.status(in: directory) != nil && files.series(in: directory).count == 2) }
        #expect(files.reads == reads)
        try leave(.finished, points: 3)
        #expect(files.status(in: directory)?.job.state == .finished && files.series(in: directory).count == 3)
        #expect(files.reads == reads + 2)
    }
}
