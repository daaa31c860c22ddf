import Foundation
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

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Runs `cluster/<name>` and fails the test unless it passes; one that cannot run here says so and passes.
    static func check(_ name: String, _ arguments: String..., minutes: Int = 5) throws {
        let result = try run(name, arguments, minutes: minutes)
        let last = result.text.split(separator: "\n").last.map(String.init) ?? ""
        if result.code == skipped {
            FileHandle.standardError.write(Data("SKIPPED: cluster/\(name): \(last)\n".utf8))
            return
        }
        #expect(result.code == 0, "cluster/\(name) ended with \(result.code):\n\(result.text)")
    }

    private static func run(_ name: String, _ arguments: [String], minutes: Int) throws -> Result {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        let output = FileManager.default.temporaryDirectory.appending(path: "script-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: output) }
        let handle = try #require(FileHandle(forWritingAtPath: output))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        // A script that hangs is told to end, so that it cleans up, and is killed only then.
        process.arguments = ["-k", "20", "\(minutes * 60)", "bash", "\(root)/cluster/\(name)"] + arguments
        process.currentDirectoryURL = URL(filePath: root)
        process.environment = ProcessInfo.processInfo.environment.merging([
            "MYRIAD": "\(root)/.build/\(configuration)/myriad"
        ]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try start(process)
        process.waitUntilExit()
        return Result(
            code: process.terminationStatus, text: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
    }

    /// Starts a process that hears signals.
    ///
    /// A thread of Dispatch blocks nearly all of them, and what it starts inherits that: SIGTERM would reach nobody.
    private static func start(_ process: Process) throws {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
    }
}
