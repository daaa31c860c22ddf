import Foundation
import Telemetry
import Testing

/// What a node, a file or an argument says reaches no terminal as a command to it.
@Suite struct HarmlessTests {
    private static let hostile = "evil\u{1b}[2J\u{9b}31m\u{7}\u{202e}name"

    @Test("Every command shows hostile texts of a run harmlessly, on both outputs and as JSON")
    func commands() throws {
        let program = try Program()
        var status = ClusterStatus()
        status.time = 1_764_087_973
        status.job.name = Self.hostile
        status.job.state = .failed
        status.job.reason = Self.hostile
        status.job.ended = status.time
        status.limitedBy = Self.hostile
        var node = NodeStatus()
        node.role = "worker"
        node.host = Self.hostile
        node.activity = Self.hostile
        status.nodes = [node]
        var worker = WorkerStatus()
        worker.host = Self.hostile
        status.workers = [worker]
        var table = TableStatus()
        table.name = Self.hostile
        status.tables = [table]
        status.failure = FailureReport(
            time: 1, cause: .other, first: Self.hostile, host: Self.hostile, pid: 1, what: Self.hostile,
            lastLines: [Self.hostile], remedy: Self.hostile, step: 1)
        status.events = [EventStatus(time: 1, kind: .lost, text: Self.hostile, step: 1)]
        let run = program.directory + "/run"
        try FileManager.default.createDirectory(atPath: run + "/logs", withIntermediateDirectories: true)
        try TelemetryJSON.encode(status).write(to: URL(filePath: run + "/status.json"))
        try (Self.hostile + "\n").write(toFile: run + "/logs/worker-0.log", atomically: true, encoding: .utf8)
        for command in [
            ["status"], ["workers"], ["hotkeys"], ["stat"], ["logs"], ["status", "-o", "json"], ["logs", "-o", "json"],
            ["hotkeys", "--table", "none"], ["train", Self.hostile],
        ] {
            let target = command.first == "train" ? [] : ["run"]
            let result = try program.run([command[0]] + target + command.dropFirst())
            let text = result.output + result.errors
            #expect(text.contains("evil"), "\(command): \(text)")
            #expect(
                text.unicodeScalars.allSatisfy { $0 == "\n" || $0.visible == nil },
                "\(command): \(text.debugDescription)")
            if command.contains("json") {
                // What it says is what was there.
                let text = command[0] == "logs" ? result.output.split(separator: "\n").first ?? "" : result.output[...]
                let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
                let job = object?["job"] as? [String: Any]
                #expect((command[0] == "logs" ? object?["text"] : job?["name"]) as? String == Self.hostile)
            }
        }
    }
}
