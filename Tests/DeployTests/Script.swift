import Foundation
import Processes
import TestMachine
import Testing

/// A script of `cluster/` that checks a part of deployment for real, run with the program that these tests were built with.
struct Script {
    /// How a script ended.
    struct Result {
        let code: Int32
        let text: String
    }

    /// Exit code of a script whose part cannot run on this machine; its last line says why.
    static let skipped: Int32 = 77

    /// The root of the sources.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Runs `Tests/Scripts/<name>` and fails the test unless it passes; one that cannot run here says so and passes.
    static func check(
        _ name: String, _ arguments: String..., minutes: Int = 20, environment: [String: String] = [:]
    ) throws {
        let result = try run(name, arguments, minutes: minutes, environment: environment)
        let last = result.text.split(separator: "\n").last.map(String.init) ?? ""
        let what = ([path(of: name)] + arguments).joined(separator: " ")
        if result.code == skipped { return Skips.note(what, last) }
        // What a script could not check of its part, it says.
        for line in result.text.split(separator: "\n") where line.contains("not checked, as") {
            Skips.note(what, String(line))
        }
        #expect(result.code == 0, "\(path(of: name)) ended with \(result.code):\n\(result.text)")
    }

    /// The executable that was built with these tests.
    static let executable: String = {
        #if DEBUG
            "\(root)/.build/debug/myriad"
        #else
            "\(root)/.build/release/myriad"
        #endif
    }()

    /// Runs the program in the root of the sources, with no variables of its own but those given.
    static func program(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String, errors: String) {
        let process = Child()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: root)
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MYRIAD_") }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let name = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID().uuidString)").path
        for ending in [".out", ".err"] { _ = FileManager.default.createFile(atPath: name + ending, contents: nil) }
        defer { for ending in [".out", ".err"] { try? FileManager.default.removeItem(atPath: name + ending) } }
        process.standardOutput = FileHandle(forWritingAtPath: name + ".out")
        process.standardError = FileHandle(forWritingAtPath: name + ".err")
        try process.run()
        process.waitUntilExit()
        func text(_ ending: String) -> String { (try? String(contentsOfFile: name + ending, encoding: .utf8)) ?? "" }
        return (process.terminationStatus, text(".out"), text(".err"))
    }

    /// All sources of the program in one text.
    static func sources() throws -> String {
        let files = try #require(FileManager.default.enumerator(atPath: root + "/Sources"))
        return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted()
            .compactMap { try? String(contentsOfFile: root + "/Sources/" + $0, encoding: .utf8) }.joined()
    }

    /// Where a script lies: one that tests among the tests, what users run in `cluster`.
    private static func path(of name: String) -> String {
        let tests = "Tests/Scripts/\(name)"
        return FileManager.default.fileExists(atPath: "\(root)/\(tests)") ? tests : "cluster/\(name)"
    }

    /// Runs a script to its end; its output and its errors are one text.
    static func run(
        _ name: String, _ arguments: [String] = [], minutes: Int = 20, environment: [String: String] = [:]
    ) throws -> Result {
        let output = FileManager.default.temporaryDirectory.appending(path: "script-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: output) }
        let handle = try #require(FileHandle(forWritingAtPath: output))
        let process = Child()
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        // A script that hangs is told to end, so that it cleans up, and is killed only then.
        process.limit = .seconds(minutes * 60 + 60)
        process.arguments = ["-k", "20", "\(minutes * 60)", "bash", "\(root)/\(path(of: name))"] + arguments
        process.currentDirectoryURL = URL(filePath: root)
        process.environment = ProcessInfo.processInfo.environment.merging([
            "MYRIAD": executable
        ]) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        process.waitUntilExit()
        return Result(
            code: process.terminationStatus, text: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }
}
