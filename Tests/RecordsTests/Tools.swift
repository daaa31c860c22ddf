import Foundation
import Processes
import TestMachine

/// Other programs that these tests need: Python with the packages that read our files, and the program under test.
enum Tools {
    /// What a process left behind.
    struct Result {
        let code: Int32
        let output: String
        let errors: String
    }

    private static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    private static let root = tests.deletingLastPathComponent().deletingLastPathComponent()

    /// Runs a program to its end, at most six minutes.
    static func run(_ program: String, _ arguments: [String], in directory: String = "/tmp") throws -> Result {
        let name = FileManager.default.temporaryDirectory.appending(path: "myriad-tool-\(UUID().uuidString)").path
        for ending in [".out", ".err"] { _ = FileManager.default.createFile(atPath: name + ending, contents: nil) }
        defer { for ending in [".out", ".err"] { try? FileManager.default.removeItem(atPath: name + ending) } }
        let process = Child()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: name + ".out")
        process.standardError = FileHandle(forWritingAtPath: name + ".err")
        try process.run()
        let deadline = ContinuousClock.now + .seconds(360)
        while process.isRunning, .now < deadline { Thread.sleep(forTimeInterval: 0.01) }
        process.kill()
        process.waitUntilExit()
        func text(_ ending: String) -> String { (try? String(contentsOfFile: name + ending, encoding: .utf8)) ?? "" }
        return Result(code: process.terminationStatus, output: text(".out"), errors: text(".err"))
    }

    /// The program under test.
    static let program: String = {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        return root.appending(path: ".build/\(configuration)/myriad").path
    }()

    /// The schema of `metrics.jsonl`.
    static let schema = root.appending(path: "docs/metrics.schema.json").path

    /// The program as users run it.
    static func myriad(_ arguments: String..., in directory: String) throws -> Result {
        try run(program, arguments, in: directory)
    }

    /// The Python that has the packages, or why there is none.
    private static let python: (path: String?, reason: String) = {
        do {
            let result = try run("/bin/bash", [tests.appending(path: "Python/setup.sh").path])
            let path = result.output.split(separator: "\n").last.map(String.init)
            guard result.code == 0, let path else { return (nil, result.errors) }
            return (path, "")
        } catch {
            return (nil, "\(error)")
        }
    }()

    /// Whether the tests that need Python can run.
    static let hasPython = Skips.runs(
        "tests of records against TensorBoard and JSON Schema", unless: python.path == nil ? python.reason : nil)

    /// Runs one of this target's scripts.
    static func script(_ name: String, _ arguments: String...) throws -> Result { try script(name, arguments) }

    /// Runs one of this target's scripts.
    static func script(_ name: String, _ arguments: [String]) throws -> Result {
        try run(python.path ?? "/bin/false", [tests.appending(path: "Python/\(name)").path] + arguments)
    }

    /// A directory of a test's own.
    static func temporaryDirectory() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "myriad-records-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}
