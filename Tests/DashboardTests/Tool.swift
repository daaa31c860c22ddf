import Foundation
import Processes
import TestMachine

/// Programs that tests need from Debian, and how they are run.
enum Tool {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().path

    /// Installs a package if it is missing; why it cannot be had, or nil.
    static func missing(_ package: String) -> String? {
        let script = "\(directory)/../../cluster/install-packages.sh"
        guard let result = try? run(["/bin/bash", script, package]) else { return "no bash" }
        guard result.code != 0 else { return nil }
        let reason = "\(package) is not installed and apt-get could not install it: \(result.output.suffix(300))"
        Skips.note("tests of the page that need \(package)", reason)
        return reason
    }

    /// Starts a program whose output is read by the caller.
    static func start(_ arguments: [String]) throws -> (process: Child, output: FileHandle) {
        let process = Child()
        let pipe = Pipe()
        process.executableURL = URL(filePath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe.fileHandleForWriting
        process.standardError = pipe.fileHandleForWriting
        try process.run()
        try pipe.fileHandleForWriting.close()
        return (process, pipe.fileHandleForReading)
    }

    /// Runs a program to its end.
    static func run(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let (process, output) = try start(arguments)
        let data = output.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
