import Foundation
import Processes
import TestMachine

/// The real Prometheus of Debian and its `promtool`.
struct Promtool {
    /// What a command left behind.
    struct Result: Equatable {
        let code: Int32
        let output: String
    }

    /// The repository.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let installed = Result(command: [root.appending(path: "cluster/install-prometheus.sh").path])
    /// Whether it is here, or could be fetched.
    static let isInstalled = Skips.runs(
        "promtool on the page and on cluster/", unless: installed.code == 0 ? nil : reason)
    /// Why it is not here.
    static var reason: String { installed.output }

    /// Runs `promtool` in `cluster/`.
    static func run(_ arguments: String..., input: String = "") -> Result {
        Result(command: [installed.output.trimmingCharacters(in: .newlines) + "/promtool"] + arguments, input: input)
    }
}

extension Promtool.Result {
    /// Runs a command in `cluster/`; its output and its errors are one text.
    init(command: [String], input: String = "") {
        let files = FileManager.default
        let name = files.temporaryDirectory.appending(path: "myriad-promtool-\(UUID().uuidString)").path
        defer { for ending in [".in", ".out"] { try? files.removeItem(atPath: name + ending) } }
        let made =
            files.createFile(atPath: name + ".in", contents: Data(input.utf8))
            && files.createFile(atPath: name + ".out", contents: nil)
        let process = Child()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = Promtool.root.appending(path: "cluster")
        process.standardInput = FileHandle(forReadingAtPath: name + ".in")
        let output = FileHandle(forWritingAtPath: name + ".out")
        process.standardOutput = output
        process.standardError = output
        do { try process.run() } catch {
            self.init(code: -1, output: "\(command[0]): \(made ? "\(error)" : "no temporary files")")
            return
        }
        process.waitUntilExit()
        let text = (try? String(contentsOfFile: name + ".out", encoding: .utf8)) ?? ""
        self.init(code: process.terminationStatus, output: text)
    }
}
