import Foundation
import Processes
import Testing

/// A directory with data and a job that lasts until it is ended.
final class LiveWorld {
    static let program: String = {
        #if DEBUG
            let configuration = "debug"
        #else
            let configuration = "release"
        #endif
        let root = URL(filePath: Tool.directory).deletingLastPathComponent().deletingLastPathComponent()
        return root.appending(path: ".build/\(configuration)/myriad").path
    }()

    let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString.prefix(8))")
        .path
    private var processes: [Child] = []

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let world = try start([
            "prepare", "synthetic", "--output", "world", "--users", "200", "--items", "300", "--categories", "20",
            "--impressions", "60",
        ])
        world.waitUntilExit()
        let job = """
            data: {directory: world, history: 12}
            model: {kind: din, top: {hidden: [16]}, attention: {hidden: [8]}, embedding: {width: 8}}
            train: {batch: 64, micro_batch: 16, epochs: 1000, evaluations: 1}
            rows: {optimizer: {kind: adagrad, rate: 0.02}}
            """
        try job.write(toFile: directory + "/job.yaml", atomically: true, encoding: .utf8)
    }

    deinit {
        for process in processes where process.isRunning {
            // The children of a launcher that is killed end by themselves.
            process.kill()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    @discardableResult
    func start(_ arguments: [String], into file: String = "output") throws -> Child {
        let process = Child()
        process.executableURL = URL(filePath: Self.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory)
        _ = FileManager.default.createFile(atPath: "\(directory)/\(file)", contents: nil)
        let output = FileHandle(forWritingAtPath: "\(directory)/\(file)")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        processes.append(process)
        return process
    }

    func text(_ file: String = "output") -> String {
        (try? String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)) ?? ""
    }

    /// The port on the line that names the page.
    func port(_ file: String = "output") throws -> UInt16 {
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            if let match = text(file).firstMatch(of: /page: http:\/\/127\.0\.0\.1:([0-9]+)\//) {
                return try #require(UInt16(match.1))
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        Issue.record("no page was named: \(text(file).suffix(1000))")
        throw CocoaError(.fileNoSuchFile)
    }
}
