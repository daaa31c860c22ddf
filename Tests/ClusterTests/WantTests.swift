import Foundation
import Processes
import TestMachine
import Testing

/// What happens where the system gives too little, or takes no output.
@Suite(.serialized) struct WantTests {
    private let program: Program

    init() throws {
        program = try Program()
        try program.prepareWorld()
    }

    /// Runs a line of the shell in which `$0` is the program.
    private func shell(_ line: String, limit: Duration = .seconds(300)) throws -> (code: Int32, text: String) {
        let name = program.directory + "/" + UUID().uuidString
        _ = FileManager.default.createFile(atPath: name, contents: nil)
        let child = Child()
        child.executableURL = URL(filePath: "/bin/bash")
        child.arguments = ["-c", line, Program.path]
        child.currentDirectoryURL = URL(filePath: program.directory)
        child.standardInput = FileHandle.nullDevice
        let output = try #require(FileHandle(forWritingAtPath: name))
        child.standardOutput = output
        child.standardError = output
        child.limit = limit
        try child.run()
        child.waitUntilExit()
        return (child.terminationStatus, (try? String(contentsOfFile: name, encoding: .utf8)) ?? "")
    }

    @Test(
        "too few open files end a job by name, wherever they run out", arguments: [12, 16, 20, 24, 28, 32, 36, 40, 48])
    func files(limit: Int) throws {
        let result = try shell("ulimit -n \(limit); exec \"$0\" train job.yaml --quiet --run few-\(limit)")
        #expect(result.code == 70 || result.code == 65 || result.code == 0, "\(limit): \(result)")
        if result.code != 0 { #expect(result.text.lowercased().contains("file"), "\(limit): \(result)") }
    }

    @Test("a cluster of threads that needs more files than it may open says how many, before it begins")
    func manyShards() throws {
        let result = try shell(
            "ulimit -n 1024; exec \"$0\" train job.yaml --quiet --run many cluster.servers=100 cluster.workers=60")
        #expect(
            result.code != 0 && result.text.contains("open files") && result.text.contains("ulimit -n"), "\(result)")
    }

    @Test("too few threads end a job by name", arguments: [4, 6, 8, 10, 11, 12])
    func threads(limit: Int) throws {
        // The limit is one of a user's, and none of root's.
        guard getuid() == 0, FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") else {
            return Skips.note("too few threads", "only root can become a user with a limit of its own")
        }
        _ = try shell("chmod -R a+rwX .")
        let line =
            "exec setpriv --reuid 61234 --regid 61234 --clear-groups bash -c "
            + "'ulimit -u \(limit); exec \"$0\" train job.yaml --quiet --run threads-\(limit) monitor.page=off' \"$0\""
        let result = try shell(line)
        // Where bash itself gets no process there is nothing to see.
        #expect(result.code == 70 || result.code == 0 || result.text.contains("fork"), "\(limit): \(result)")
    }

    @Test("output that cannot be written is an error; a reader that has gone away ends the program quietly")
    func output() throws {
        for command in ["config show job.yaml", "config get train.batch job.yaml"] {
            let result = try shell("\"$0\" \(command) > /dev/full")
            #expect(result.code == 70 && result.text.contains("No space left"), "\(command): \(result)")
        }
        #expect(try shell("\"$0\" config show job.yaml | head -n 1; echo ${PIPESTATUS[0]}").text.hasSuffix("0\n"))
    }

    @Test("descriptors 0 to 2 that are closed are not taken for what is opened next")
    func closed() throws {
        #expect(try shell("exec \"$0\" train job.yaml --run closed <&- >&- 2>&-").code == 0)
        #expect(try program.run("checkpoint", "closed").code == 0)
        let whole = try program.run("train", "job.yaml", "--quiet", "--run", "open")
        #expect(whole.code == 0)
        #expect(try program.digest("closed") == (try program.digest("open")))
    }

    @Test("a directory that holds runs is no run's directory")
    func holder() throws {
        #expect(try program.run("train", "job.yaml", "--quiet", "--run", "runs/one").code == 0)
        for place in ["runs", "."] {
            let result = try program.run("train", "job.yaml", "--quiet", "--run", place)
            #expect(result.code == 65 && result.errors.contains("holds the run"), "\(place): \(result)")
        }
        #expect(try program.run("train", "job.yaml", "--quiet", "--run", "runs/two").code == 0)
    }

    @Test("a line of `allowed` that was left open, and names that are no word")
    func keys() throws {
        #expect(try program.run("keys", "create", "--keys", "keys").code == 0)
        let list = program.directory + "/keys/allowed"
        let text = try String(contentsOfFile: list, encoding: .utf8)
        try String(text.dropLast()).write(toFile: list, atomically: false, encoding: .utf8)
        let key = String(repeating: "ab", count: 32)
        #expect(try program.run("keys", "allow", key, "--name", "more", "--keys", "keys").code == 0)
        #expect(try program.run("keys", "show", "--keys", "keys").output.contains("\(key) more"))
        let other = String(repeating: "cd", count: 32)
        for name in ["a\nb", "\u{1b}[31m", ""] {
            let result = try program.run("keys", "allow", other, "--name", name, "--keys", "keys")
            #expect(result.code != 0 && !result.errors.contains("\u{1b}"), "\(result)")
        }
        #expect(try program.run("keys", "show", "--keys", "keys").code == 0)
    }
}
