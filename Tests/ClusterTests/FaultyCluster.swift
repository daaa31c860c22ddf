import Foundation
import Processes
import Telemetry
import Testing

/// A cluster of real processes in a directory of its own, in which something is made to fail.
final class FaultyCluster {
    let program: Program
    private var processes: [(process: Child, errors: String)] = []

    /// A world and its `job.yaml`, and no process yet.
    init() throws {
        program = try Program()
        try program.prepareWorld()
    }

    deinit { killAll() }

    /// Ends all processes at once.
    func killAll() {
        for (process, _) in processes where process.isRunning {
            // A stopped process does not hear anything else.
            process.kill()
            process.waitUntilExit()
        }
    }

    var directory: String { program.directory }

    /// Training that does not end by itself.
    static let endless = ["train.max_steps=0", "train.epochs=100000", "checkpoint.last=false"]

    /// Starts a process with its errors in a file; `prefix` are shell commands before it.
    @discardableResult
    func start(_ arguments: [String], in place: String? = nil, after prefix: String = "") throws -> Int {
        let path = "\(directory)/errors-\(processes.count)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let process = Child()
        process.executableURL = URL(filePath: prefix.isEmpty ? Program.path : "/bin/bash")
        process.arguments =
            prefix.isEmpty ? arguments : ["-c", "\(prefix); exec \"$0\" \"$@\"", Program.path] + arguments
        process.currentDirectoryURL = URL(filePath: place ?? directory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: path)
        try process.run()
        processes.append((process, path))
        return processes.count - 1
    }

    /// What a process has written to its standard error.
    func errors(of number: Int) -> String {
        (try? String(contentsOfFile: processes[number].errors, encoding: .utf8)) ?? ""
    }

    /// Waits for a process's end, at most a minute, and returns its code.
    func end(of number: Int) -> Int32 {
        let process = processes[number].process
        let deadline = ContinuousClock.now + .seconds(60)
        while process.isRunning, .now < deadline { Thread.sleep(forTimeInterval: 0.02) }
        guard !process.isRunning else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }

    func pid(of number: Int) -> Int32 { processes[number].process.processIdentifier }

    /// The report that a run left.
    func failure(of run: String = "run") throws -> FailureReport {
        let data = try #require(
            FileManager.default.contents(atPath: "\(directory)/\(run)/failure.json"), "no failure.json")
        return try TelemetryJSON.decode(FailureReport.self, from: data)
    }

    /// The lines of one event in a run's `metrics.jsonl`.
    func lines(_ event: String, of run: String = "run") -> [String] {
        let text = (try? String(contentsOfFile: "\(directory)/\(run)/metrics.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init).filter { $0.contains("\"event\":\"\(event)\"") }
    }

    /// The live child of a process whose command line has these words.
    static func child(of parent: Int32, with words: String) -> Int32? {
        Local.children(of: parent).first { number in
            let line = try? String(contentsOfFile: "/proc/\(number)/cmdline", encoding: .utf8)
            return line?.replacingOccurrences(of: "\0", with: " ").contains(words) == true
        }
    }

    /// Starts `launch` and waits until training runs; returns the number of the launcher.
    func launch(_ overrides: [String] = [], servers: Int = 1, workers: Int = 2) throws -> Int {
        let number = try start(
            ["launch", "job.yaml", "--servers", "\(servers)", "--workers", "\(workers)", "--run", "run"]
                + Self.endless + overrides)
        try #require(Local.wait { !lines("started").isEmpty }, "\(errors(of: number))")
        return number
    }
}
