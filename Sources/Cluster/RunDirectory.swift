package import Foundation
package import Job
import Synchronization
package import Telemetry
import Tensors

/// A run's directory: `config.yaml`, `metrics.jsonl`, `logs/`, `checkpoints/`, locked for as long as this object lives.
package final class RunDirectory: Sendable {
    /// The run cannot be written.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What is written, and what could not be.
    private struct Writes {
        /// The files that grow, by name.
        var growing: [String: LineFile] = [:]
        /// Writes that failed, by file.
        var failures: [String: Int] = [:]
    }

    /// What happened, a JSON object a line.
    private static let metrics = "metrics.jsonl"

    /// Its path.
    package let path: String
    /// How often this run has been started, this time included.
    package let attempt: Int
    private let lock: RunLock
    private let writes: Mutex<Writes>

    /// Where the checkpoints lie.
    package var checkpoints: String { path + "/checkpoints" }
    /// Where the logs lie.
    package var logs: String { path + "/logs" }

    /// Makes the directory; an existing run is gone on with only if it `resumes`.
    ///
    /// - Parameter lock: of the directory, where the caller has it already.
    package init(
        path: String, config: JobConfig, resumes: Bool, lock: RunLock? = nil, began record: Resumption.Record? = nil
    ) throws {
        let files = FileManager.default
        self.path = path
        self.lock = try lock ?? RunLock(path)
        if !resumes { try RunDirectory.checkUnused(path) }
        do {
            for directory in [path, path + "/checkpoints", path + "/logs"] { try Files.makeDirectory(directory) }
            // What an earlier attempt left half written, or half removed, and what it failed of, is over: first of all, since
            // it may be what has filled the disk.
            for name in try Files.names(in: path + "/checkpoints")
            where name.hasPrefix("step-") && name.hasSuffix(Files.unfinished) {
                try files.removeItem(atPath: path + "/checkpoints/" + name)
            }
            try? files.removeItem(atPath: path + "/failure.json")
            attempt = try RunStarts.count(in: path)
            // Before the configuration makes it a run: whoever continues it must not take its beginning for another.
            let began = path + "/" + Resumption.Record.file
            if let record {
                try Files.replace(began, with: try record.encoded())
            } else if !resumes {
                unlink(began)
            }
            try Files.replace(path + "/config.yaml", with: Data(try config.yaml().utf8))
            writes = Mutex(Writes(growing: [Self.metrics: try LineFile(path + "/" + Self.metrics)]))
        } catch let error as SafetensorsError {
            throw Failure(description: "\(error)")
        } catch {
            throw Failure(description: "\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    /// Throws if a directory holds a run.
    package static func checkUnused(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path + "/config.yaml") else { return }
        throw Failure(
            description:
                "\(path) holds a run already: name another directory with --run, or continue it with --continue")
    }

    // MARK: Names

    /// The name that a new run gets: the first that no run has yet of the config's name and a number.
    package static func free(for config: String, in parent: String = "runs") -> String {
        var number = 1
        while FileManager.default.fileExists(atPath: name(for: config, number, in: parent)) { number += 1 }
        return name(for: config, number, in: parent)
    }

    /// Makes a directory of such a name, which nobody else gets.
    package static func makeFree(for config: String, in parent: String = "runs") throws -> String {
        try RunPlace.check(name(for: config, 1, in: parent))
        do { try Files.makeDirectory(parent) } catch { throw Failure(description: "\(error)") }
        var number = 1
        while true {
            let name = name(for: config, number, in: parent)
            if mkdir(name, 0o777) == 0 { return name }
            guard errno == EEXIST else {
                throw Failure(description: "\(name): cannot be made: \(String(cString: strerror(errno)))")
            }
            number += 1
        }
    }

    private static func name(for config: String, _ number: Int, in parent: String) -> String {
        "\(parent)/\(((config as NSString).lastPathComponent as NSString).deletingPathExtension)-\(number)"
    }

    // MARK: Files

    /// Leaves `status.json`, which is there wholly or as it was before.
    package func save(_ status: ClusterStatus) {
        guard let data = try? TelemetryJSON.encode(status) else { return }
        write(data, to: "status.json")
    }

    /// Writes a small file whole, or leaves it as it was.
    package func write(_ data: Data, to name: String) {
        do {
            try Files.replace(path + "/" + name, with: data, isDurable: false)
        } catch {
            note("\(error)", name)
        }
    }

    /// Adds a line to `metrics.jsonl`.
    package func log(_ fields: [String: MetricValue]) {
        var all = fields
        all["time"] = .number(Date().timeIntervalSince1970)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = try? encoder.encode(all) else { return }
        append(line, to: Self.metrics)
    }

    /// Adds a line to a file, which is made if need be; without the file the job goes on.
    func append(_ line: Data, to name: String) {
        let problem: String? = writes.withLock { writes in
            do {
                var file = try writes.growing[name] ?? LineFile(path + "/" + name)
                defer { writes.growing[name] = file }
                try file.append(line)
                return nil
            } catch {
                return (error as? SafetensorsError)?.description ?? error.localizedDescription
            }
        }
        if let problem { note(problem, name) }
    }

    /// The first failure of a file is told at once, further ones are counted: a run does not end of its records.
    private func note(_ problem: String, _ name: String) {
        let count = writes.withLock { writes in
            writes.failures[name, default: 0] += 1
            return writes.failures[name]
        }
        guard count == 1 else { return }
        StandardError.line("warning: \(path)/\(name) cannot be written, the job goes on without it: \(problem)")
    }

    /// How many writes have failed, by file.
    package var failedWrites: [String: Int] { writes.withLock { $0.failures } }
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
