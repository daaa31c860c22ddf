import CShims
import Foundation
import Telemetry
import Testing

@testable import Display

/// The schema of the status, by the reference implementation of JSON Schema.
@Suite("Schema of the status")
struct SchemaTests {
    static let missing = Tool.missing("python3-jsonschema")

    func complaints(_ status: Data) throws -> String {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let schema = directory.appending(path: "schema.json")
        let file = directory.appending(path: "status.json")
        try Data(String(cString: myriad_status_schema_json()).utf8).write(to: schema)
        try status.write(to: file)
        return try Tool.run(["/usr/bin/python3", "\(Tool.directory)/validate.py", schema.path, file.path]).output
    }

    @Test("A full, an empty and a failed status are valid, also with numbers that are not finite")
    func valid() throws {
        if let reason = Self.missing { return print(reason) }
        var full = SimulatedCluster(shards: 3, workers: 2).status(after: 125)
        full.failure = AnswerTests.failure
        full.job.auxiliaryLoss = .nan
        full.job.loss = .infinity
        full.evaluationsLeftOut = ["validation": 3]
        full.shards[0].report.refused = ["staleEpoch": 3]
        full.shards[0].report.malformed = [1: 2]
        #expect(try complaints(TelemetryJSON.encode(full)) == "")
        #expect(try complaints(TelemetryJSON.encode(ClusterStatus())) == "")
    }

    @Test(
        "A field that the schema does not know, one that is missing, and one of another type are found",
        arguments: [
            ("\"step\":0,", "\"step\":0,\"surprise\":1,"), ("\"model\":\"\",", ""), ("\"time\":0", "\"time\":\"noon\""),
            ("\"state\":\"waiting\"", "\"state\":\"asleep\""),
        ])
    func invalid(_ old: String, _ new: String) throws {
        if let reason = Self.missing { return print(reason) }
        let text = String(decoding: try TelemetryJSON.encode(ClusterStatus()), as: UTF8.self)
        let changed = text.replacing(old, with: new)
        #expect(changed != text)
        #expect(try complaints(Data(changed.utf8)) != "")
    }
}
