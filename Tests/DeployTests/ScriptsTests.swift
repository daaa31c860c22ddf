import Foundation
import TestMachine
import Testing

/// The scripts by which others list what was skipped, install packages and find the program.
@Suite struct ScriptsTests {
    @Test("a script drives the program that MYRIAD names, else a build that is there; a name that is none ends it")
    func program() throws {
        let named = try Script.run("program.sh", environment: ["MYRIAD": "/bin/true"])
        #expect(named.code == 0 && named.text.hasSuffix("/true\n"), "\(named)")
        let built = try Script.run("program.sh", environment: ["MYRIAD": ""])
        #expect(built.code == 0 && built.text.hasSuffix("/myriad\n"), "\(built)")
        #expect(try Script.run("program.sh", environment: ["MYRIAD": "/nowhere"]).code == 69)
    }

    @Test("what was skipped is listed once with its reason, and fails in CI", arguments: [nil, "true", "false"])
    func listed(ci: String?) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "skipped-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let environment = ["MYRIAD_SKIPPED": file, "CI": ci ?? ""]
        #expect(try Script.run("skipped.sh", environment: environment).code == 0)
        for _ in 0..<2 { Skips.note("a test", "no\nsuch engine", in: file) }
        let result = try Script.run("skipped.sh", environment: environment)
        #expect(result.code == (ci == "true" ? 1 : 0))
        #expect(result.text.components(separatedBy: "SKIPPED: a test: no such engine\n").count == 2, "\(result.text)")
    }

    @Test("tests that hang are named and ended, and those that do not keep their code and their words")
    func watched() throws {
        let ended = try Script.run("watched.sh", ["1", "bash", "-c", "echo some words; exit 3"])
        #expect(ended.code == 3 && ended.text == "some words\n", "\(ended)")
        let words = """
            ◇ Test "quick" started.
            ✔ Test "quick" passed after 0.1 seconds.
            ◇ Test "with cases" started.
            ◇ Test case passing 1 argument kind → "a" to "with cases" started.
            ✔ Test "with cases" with 1 test case passed after 0.1 seconds.
            ◇ Test "stuck" started.
            """
        // The tests' process has a group of its own, as SwiftPM gives it one, and does not end when it is looked at.
        let name = "\(UUID().uuidString).xctest"
        let tests = "trap '' ABRT; echo Backtrace took no time; exec -a \(name) sleep 1000"
        let hung = try Script.run(
            "watched.sh", ["2", "bash", "-c", "echo '\(words)'; setsid --wait bash -c \"\(tests)\""])
        #expect(hung.code == 124 && hung.text.contains("HANGS: 'bash -c"), "\(hung)")
        #expect(hung.text.hasSuffix("tests that began and did not end:\n  \"stuck\"\n"), "\(hung)")
        let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter {
            FileManager.default.contents(atPath: "/proc/\($0)/cmdline").map { $0.starts(with: name.utf8) } == true
        }
        #expect(left.isEmpty, "\(left)")
    }

    /// The commands that an installer calls are stand-ins: this machine may have no sudo, and nothing is to be installed.
    @Test("sudo hands on that apt-get may not ask, and the lock of the installer lies in the repository")
    func installer() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "installer-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        for (name, script) in [
            ("id", "echo 1000"), ("dpkg-query", "exit 1"),
            ("sudo", "while [[ $1 == -* ]]; do shift; done; exec env -i PATH=\"$PATH\" \"$@\""),
            ("apt-get", "echo \"$DEBIAN_FRONTEND $*\" >>'\(place)/asked'"),
        ] {
            let path = "\(place)/\(name)"
            try "#!/bin/bash\n\(script)\n".write(toFile: path, atomically: true, encoding: .utf8)
            chmod(path, 0o755)
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let result = try Script.run(
            "install-packages.sh", ["no-such-package"], environment: ["PATH": "\(place):\(path)", "TMPDIR": place])
        #expect(result.code == 0, "\(result.text)")
        let asked = try String(contentsOfFile: place + "/asked", encoding: .utf8)
        #expect(asked.hasPrefix("noninteractive ") && asked.contains("install -y"), "\(asked)")
        #expect(!(try FileManager.default.contentsOfDirectory(atPath: place)).contains { $0.hasSuffix(".lock") })
        #expect(FileManager.default.fileExists(atPath: Script.root + "/.build-tools/apt.lock"))
    }
}
