package import Foundation
package import Job
import Synchronization
package import Telemetry

/// A run's directory: `config.yaml`, `metrics.jsonl`, `logs/`, `checkpoints/`.
package final class RunDirectory: Sendable {
    /// The run cannot be written.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Its path.
    package let path: String
    /// How often this run has been started, this time included.
    package let attempt: Int
    private let metrics: Mutex<FileHandle?>

    /// Where the checkpoints lie.
    package var checkpoints: String { path + "/checkpoints" }
    /// Where the logs lie.
    package var logs: String { path + "/logs" }

    /// Makes the directory; an existing one is used only to resume.
    package init(path: String, config: JobConfig, resumes: Bool) throws {
        let files = FileManager.default
        if !resumes, files.fileExists(atPath: path + "/config.yaml") {
            throw Failure(
                description:
                    "\(path) holds a run already: name another directory with --run, or continue it with --continue")
        }
        self.path = path
        do {
            for directory in [path, path + "/checkpoints", path + "/logs"] {
                try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
            }
            attempt = try RunStarts.count(in: path)
            try config.yaml().write(toFile: path + "/config.yaml", atomically: true, encoding: .utf8)
            // What an earlier attempt left half written, and what it failed of, is over.
            for name in try files.contentsOfDirectory(atPath: path + "/checkpoints") where name.hasSuffix(".partial") {
                try files.removeItem(atPath: path + "/checkpoints/" + name)
            }
            try? files.removeItem(atPath: path + "/failure.json")
            let log = path + "/metrics.jsonl"
            if !files.fileExists(atPath: log) { _ = files.createFile(atPath: log, contents: nil) }
            let handle = FileHandle(forWritingAtPath: log)
            try handle?.seekToEnd()
            metrics = Mutex(handle)
        } catch {
            throw Failure(description: "\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    /// Leaves `status.json`, which is there wholly or as it was before.
    package func save(_ status: ClusterStatus) {
        guard let data = try? TelemetryJSON.encode(status) else { return }
        try? data.write(to: URL(filePath: path + "/status.json"), options: .atomic)
    }

    /// A name that no run has yet: the config's name and a number.
    package static func free(for config: String, in parent: String = "runs") -> String {
        let name = ((config as NSString).lastPathComponent as NSString).deletingPathExtension
        var number = 1
        while FileManager.default.fileExists(atPath: "\(parent)/\(name)-\(number)") { number += 1 }
        return "\(parent)/\(name)-\(number)"
    }

    /// Writes a small file whole, or leaves it as it was.
    package func write(_ data: Data, to name: String) {
        try? data.write(to: URL(filePath: path + "/" + name), options: .atomic)
    }

    /// Adds a line to `metrics.jsonl`.
    package func log(_ fields: [String: MetricValue]) {
        var all = fields
        all["time"] = .number(Date().timeIntervalSince1970)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var line = try? encoder.encode(all) else { return }
        line.append(10)
        metrics.withLock { try? $0?.write(contentsOf: line) }
    }
}

/// A value in `metrics.jsonl`.
package enum MetricValue: Encodable, Sendable {
    /// A number; one that is not finite becomes null.
    case number(Double)
    /// A text.
    case text(String)

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let value): if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
        case .text(let value): try container.encode(value)
        }
    }
}
