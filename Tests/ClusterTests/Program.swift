import Children
import Foundation
import Synchronization

/// The program as users run it: real processes in a directory of their own.
final class Program {
    /// What a process left behind.
    struct Result {
        let code: Int32
        let output: String
        let errors: String
    }

    /// Where everything happens; removed at the end.
    let directory: String
    /// The executable that was built with these tests.
    static let path: String = {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appending(path: ".build/\(configuration)/myriad").path
    }()

    init() throws {
        directory =
            FileManager.default.temporaryDirectory.appending(path: "myriad-test-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Starts a process.
    func start(
        _ arguments: [String], output: FileHandle = .nullDevice, errors: FileHandle = .nullDevice,
        environment: [String: String] = [:]
    ) throws -> Child {
        let process = Child()
        process.executableURL = URL(filePath: Program.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return process
    }

    /// Runs a process to its end.
    @discardableResult
    func run(_ arguments: String...) throws -> Result { try run(arguments) }

    /// Runs a process to its end.
    @discardableResult
    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let name = directory + "/" + UUID().uuidString
        for ending in [".out", ".err"] { _ = FileManager.default.createFile(atPath: name + ending, contents: nil) }
        guard let output = FileHandle(forWritingAtPath: name + ".out"),
            let errors = FileHandle(forWritingAtPath: name + ".err")
        else { throw CocoaError(.fileWriteUnknown) }
        let process = try start(arguments, output: output, errors: errors, environment: environment)
        process.waitUntilExit()
        func text(_ ending: String) -> String { (try? String(contentsOfFile: name + ending, encoding: .utf8)) ?? "" }
        return Result(code: process.terminationStatus, output: text(".out"), errors: text(".err"))
    }

    /// A small world and a config that uses much of the code: Dice, dropout, mini-batch-aware regularization, Adam.
    func prepareWorld(model: String = "din") throws {
        // Sessions are cut at pauses, which only this world has.
        let world = model == "dsin" ? "sessions" : "interests"
        try run(
            "prepare", "synthetic", "--world", world, "--output", "world", "--users", "60", "--items", "120",
            "--categories", "12",
            "--impressions", "40")
        let config = """
            data: {directory: world, history: 12}
            model:
              kind: \(model)
              \(Program.options[model] ?? "")
              top: {hidden: [8], activation: dice, dropout: 0.1, input_norm: batch}
              embedding: {width: 4}
            train: {batch: 64, micro_batch: 10, epochs: 3, max_steps: 50, evaluations: 0}
            rows: {optimizer: {kind: adam, rate: 0.01}, regularization: {kind: mba, lambda: 0.1}}
            """
        try config.write(toFile: directory + "/job.yaml", atomically: true, encoding: .utf8)
    }

    /// What the worlds' configs say of a model.
    private static let options = [
        "base": "pooling: mean",
        "din": "attention: {hidden: [8], activation: dice, normalization: softmax, dropout: 0.1}",
        "dien": "attention: {kind: mlp, hidden: [8], dropout: 0.1}\n  auxiliary: {hidden: [8], negatives: frequency}",
        "dsin":
            "sessions: {count: 3, length: 4}\n  transformer: {dropout: 0.1}\n  interacting: {layers: 2, dropout: 0.1}",
    ]

    /// The SHA-256 of a run's newest checkpoint.
    func digest(_ run: String) throws -> String {
        let result = try self.run("checkpoint", run, "--newest")
        return result.output.split(separator: "\n").last.map(String.init) ?? "no checkpoint: \(result.errors)"
    }
}
