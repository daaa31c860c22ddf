import Foundation
import Testing

/// Schemas and Grafana's dashboard against the types and metrics that they are made from.
@Suite("What is generated from the sources")
struct GeneratedTests {
    static let root = URL(filePath: Tool.directory).appending(path: "../..").standardizedFileURL

    func generate(_ arguments: String..., in root: URL) throws -> (code: Int32, output: String) {
        try Tool.run(["/usr/bin/python3", "-B", "\(root.path)/Tests/Scripts/generate/generate.py"] + arguments)
    }

    /// A copy of what the generator reads and writes.
    func copy() throws -> URL {
        let copy = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        for part in [
            "Sources/Telemetry", "Sources/Display/Records", "Sources/Display/Page/Resources", "Tests/Scripts/generate",
            "docs", "cluster",
        ] {
            let place = copy.appending(path: part)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: Self.root.appending(path: part), to: place)
        }
        return copy
    }

    @Test("schemas and the dashboard are what the generator makes of the sources")
    func isFresh() throws {
        let (code, output) = try generate("--check", in: Self.root)
        #expect(output == "")
        #expect(code == 0)
    }

    @Test(
        "a field, a cause or a metric of another name is told by the file that it changes, and a run writes it",
        arguments: [
            ("ClusterStatus.swift", "package var limitedBy", "package var boundBy", "status.schema.json: "),
            ("FailureReport.swift", "diskFull", "diskIsFull", "metrics.schema.json: "),
            ("Prometheus+Shards.swift", "\"queue_depth\"", "\"queue_length\"", "no family of metrics is called"),
        ])
    func isStale(_ file: String, _ old: String, _ new: String, _ told: String) throws {
        let root = try copy()
        defer { try? FileManager.default.removeItem(at: root) }
        let source = root.appending(path: "Sources/Telemetry/\(file)")
        let text = try String(contentsOf: source, encoding: .utf8)
        try #require(text.contains(old))
        try text.replacing(old, with: new).write(to: source, atomically: true, encoding: .utf8)
        let (code, output) = try generate("--check", in: root)
        #expect(code == 1)
        #expect(output.contains(told))
        guard told.hasSuffix(": ") else { return }
        #expect(try generate(in: root).code == 0)
        #expect(try generate("--check", in: root).output == "")
    }
}
