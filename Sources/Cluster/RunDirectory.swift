import Display
package import Foundation
package import Job
import Synchronization
package import Telemetry
import Tensors

/// A run's directory: `config.yaml`, `metrics.jsonl`, `logs/`, `checkpoints/`, locked for as long as this object lives.
package final class RunDirectory: Sendable {
    package let path: String
    /// How often this run has been started, this time included.
    package let attempt: Int
    private let lock: RunLock
    /// The files that grow, and how many writes have failed, by name.
    private let writes: Mutex<(growing: [String: LineFile], failures: [String: Int])>

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
            attempt = try RunDirectory.countStart(in: path)
            // Before the configuration makes it a run: whoever continues it must not take its beginning for another.
            let began = path + "/" + Resumption.Record.file
            if let record {
                try Files.replace(began, with: try record.encoded())
            } else if !resumes {
                unlink(began)
            }
            try Files.replace(path + "/config.yaml", with: Data(try config.yaml().utf8))
            writes = Mutex(([Record.file: try LineFile("\(path)/\(Record.file)")], [:]))
        } catch let error as SafetensorsError {
            throw error
        } catch {
            throw Complaint.data("\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    /// Throws if a directory holds a run.
    package static func checkUnused(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path + "/config.yaml") else { return }
        throw Complaint.data(
            "\(path) holds a run already: name another directory with --run, or continue it with --continue")
    }

    /// Counts one more start of a run, in a file of its own, and returns its number, from 1.
    ///
    /// Not by the record's `started` lines: those are written when all nodes have come, and processes of a start that never
    /// got so far were started too. They count where the number is not there or cannot be read.
    static func countStart(in path: String) throws -> Int {
        let text = (try? Files.text(of: path + "/starts"))?.trimmingCharacters(in: .whitespacesAndNewlines)
        let known = text.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
        let before = known ?? (try? Record.lines(in: path, event: "started"))?.count ?? 0
        let number = min(before, Int(UInt32.max) - 1) + 1
        // Replaced whole: a crash leaves the old number or the new one.
        try Files.replace(path + "/starts", with: Data("\(number)\n".utf8))
        return number
    }

    // MARK: Names

    /// The name that a new run gets: the first that no run has yet of the config's name and a number.
    package static func free(for config: String, in parent: String = "runs") -> String {
        names(for: config, in: parent).first { !FileManager.default.fileExists(atPath: $0) } ?? parent
    }

    /// Makes a directory of such a name, which nobody else gets.
    package static func makeFree(for config: String, in parent: String = "runs") throws -> String {
        try RunPlace.check(free(for: config, in: parent))
        try Files.makeDirectory(parent)
        for name in names(for: config, in: parent) {
            if mkdir(name, 0o777) == 0 { return name }
            guard errno == EEXIST else { throw SafetensorsError.system(path: name, verb: "made", code: errno) }
        }
        return parent
    }

    private static func names(for config: String, in parent: String) -> some Sequence<String> {
        let name = ((config as NSString).lastPathComponent as NSString).deletingPathExtension
        return (1...).lazy.map { "\(parent)/\(name)-\($0)" }
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

    /// Adds a line to `metrics.jsonl`; a number that is not finite, or none, becomes null.
    package func log(_ event: String, _ texts: [String: String] = [:], _ numbers: [String: Double?] = [:]) {
        var line = Line(texts: texts, numbers: numbers.mapValues { $0.flatMap { $0.isFinite ? $0 : nil } })
        line.texts["event"] = event
        line.numbers["time"] = Date().timeIntervalSince1970
        if let data = try? TelemetryJSON.encode(line) { append(data, to: Record.file) }
    }

    /// A line of `metrics.jsonl`: one object of both.
    private struct Line: Encodable {
        var texts: [String: String]
        var numbers: [String: Double?]

        func encode(to encoder: any Encoder) throws {
            try texts.encode(to: encoder)
            try numbers.encode(to: encoder)
        }
    }

    /// Adds a line to the scheduler's own log, with the time of day before it.
    package func say(_ line: String, at time: Double = Date().timeIntervalSince1970) {
        append(Data("\(Quantity.clock(time)) \(line)".utf8), to: "logs/scheduler.log")
    }

    /// Adds a line to a file, which is made if need be; without the file the job goes on.
    private func append(_ line: Data, to name: String) {
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

/// A file that grows by whole lines.
private struct LineFile {
    private let file: FileHandle
    /// Whether its last line is not whole.
    private var isTorn = false

    /// Opens a file at its end, and makes it if need be; nothing but a regular file is taken.
    init(_ path: String) throws {
        file = FileHandle(fileDescriptor: try Files.openToAdd(path), closeOnDealloc: true)
        let end = try file.seekToEnd()
        guard end > 0 else { return }
        try file.seek(toOffset: end - 1)
        isTorn = try file.read(upToCount: 1) != Data([10])
    }

    /// Adds a line, behind the end of one that is torn.
    mutating func append(_ line: Data) throws {
        let isBehindTorn = isTorn
        isTorn = true
        try file.write(contentsOf: (isBehindTorn ? Data([10]) : Data()) + line + [10])
        isTorn = false
    }
}
