import Foundation
import Telemetry
import TestMachine
import Testing

/// The documented codes, each by a command that ends with it.
@Suite struct ExitCodeTests {
    private let program: Program

    init() throws {
        program = try Program()
        try program.prepareWorld()
    }

    private func check(_ code: ExitCodes, _ commands: [(line: String, words: String)]) throws {
        for (line, words) in commands {
            let result = try program.run(
                line.split(separator: " ").map(String.init),
                environment: ["HOME": program.directory, "MYRIAD_WAIT": "1"])
            #expect(result.code == code.rawValue, "myriad \(line): \(result.code) \(result.errors)")
            let said = result.errors.contains(words)
            #expect(said, "myriad \(line): nowhere says '\(words)': \(result.errors)")
        }
    }

    @Test("README and --help list every code with its meaning")
    func documented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let table = ExitCodes.allCases.map { "| \($0.rawValue) | \($0.meaning) |" }.joined(separator: "\n")
        #expect(readme.contains("| code | meaning |\n|---|---|\n\(table)\n"), "README lacks:\n\(table)")
        let help = try program.run("--help").output
        for code in ExitCodes.allCases {
            let line = "\(code.rawValue)  \(code.meaning)"
            #expect(help.contains(line), "--help lacks '\(line)'")
        }
    }

    @Test("wrong command lines: 64, numbers that are out of every range included")
    func usage() throws {
        try check(
            .usage,
            [
                ("trian job.yaml", "'trian' is no command of myriad: did you mean train?"),
                ("config chekc job.yaml", "'chekc' is no command of config: did you mean check?"),
                ("zzzzzzzzz", "`myriad --help` lists what there is"),
                ("worker --scheduler 127.0.0.1:9 --rank 70000", "--rank"), ("worker --rank=-1", "--rank"),
                ("server --scheduler 127.0.0.1:9 --shards=-1", "--shards"),
                ("server --scheduler 127.0.0.1:9 --shards 9223372036854775807", "--shards"),
                ("worker --scheduler 127.0.0.1:9 --wait nan", "--wait"), ("worker --silence 1e300", "--silence"),
                ("doctor --port 70000", "--port"), ("launch job.yaml --servers=-1", "--servers"),
                ("train job.yaml --time-limit nan", "--time-limit"),
                ("config get nothing.here job.yaml", "no key is called nothing.here"),
            ])
        let environment = ["MYRIAD_RANK": "70000"]
        let result = try program.run(["worker", "--scheduler", "127.0.0.1:9"], environment: environment)
        #expect(result.code == 64 && result.errors.contains("70000"), "\(result)")
    }

    @Test("wrong input: 65; what cannot be reached or is taken: 69")
    func inputAndPlaces() throws {
        let port = try Local.freePort()
        let (taken, other) = try LocalPort.listen()
        defer { close(taken) }
        try check(
            .input,
            [
                ("train nothing.yaml", "nothing.yaml"), ("train job.yaml train.batches=3", "did you mean"),
                ("status nothing", "nothing"), ("dashboard nothing", "nothing"), ("checkpoint nothing", "nothing"),
                ("launch job.yaml --hosts nothing", "nothing"), ("render kubernetes nothing.yaml", "nothing.yaml"),
            ])
        try check(
            .unavailable,
            ["status", "shards", "top", "logs", "dashboard", "doctor --cluster"].map {
                ("\($0) 127.0.0.1:\(port)", "127.0.0.1:\(port) does not answer")
            } + [
                ("dashboard tcp://127.0.0.1:\(port)", "does not answer"),
                ("worker --scheduler 127.0.0.1:\(port)", "nobody listens"),
                ("scheduler job.yaml --run taken --listen 127.0.0.1:\(other)", "\(other)"),
            ])
    }

    @Test("missing keys: 77, whoever misses them")
    func keys() throws {
        let lines =
            ["status", "shards", "workers", "stat", "top", "logs", "dashboard", "doctor --cluster"]
            .map { "\($0) 127.0.0.1:9 --keys none" }
            + ["server", "worker"].map { "\($0) --scheduler 127.0.0.1:9 --keys none" }
            + [
                "scheduler job.yaml --run keyless --listen 127.0.0.1:0 --keys none", "keys show --keys none",
                "launch job.yaml --run keyless2 cluster.transport=tcp --keys none",
            ]
        try check(.keys, lines.map { ($0, "none") })
    }

    @Test("a node whose launcher is gone: 3; a check of doctor that fails: 70")
    func others() throws {
        for (arguments, environment) in [
            (["worker", "--scheduler", "127.0.0.1:9", "--lifeline", "--wait", "60"], [:]),
            (["worker", "--scheduler", "127.0.0.1:9", "--wait", "60"], ["MYRIAD_LAUNCHER": "1"]),
        ] {
            let result = try program.run(arguments, environment: environment)
            #expect(result.code == ExitCodes.orphaned.rawValue, "\(result)")
            #expect(result.errors.contains("is gone"), "\(result)")
        }
        let (taken, port) = try LocalPort.listen()
        defer { close(taken) }
        #expect(try program.run("doctor", "--port", "\(port)").code == ExitCodes.failed.rawValue)
        #expect(try program.run("config", "get", "train.batch", "job.yaml").output == "64\n")
        #expect(try program.run("config", "get", "model.top.hidden", "job.yaml", "model.top.hidden=[9]").code == 0)
    }
}
