import Foundation
import TestMachine
import Testing

/// `config check` as users run it: it refuses what training refuses, with the same code.
@Suite(.serialized) struct ConfigCheckTests {
    @Test("what training refuses is refused before, with its code; the rest is a warning")
    func check() throws {
        let program = try Program()
        try program.prepareWorld()
        let good = try program.run("config", "check", "job.yaml")
        #expect(good.code == 0 && good.output.hasPrefix("job.yaml: good. 50 steps of 64 samples"), "\(good)")
        #expect(good.errors.contains("warning: train.micro_batch 10 does not divide train.batch 64"))

        let (descriptor, port) = try LocalPort.listen()
        defer { close(descriptor) }
        for command in [["config", "check"], ["train", "-q"]] {
            let taken = try program.run(command + ["job.yaml", "monitor.page=127.0.0.1:\(port)"])
            #expect(taken.code == 69 && taken.errors.contains("\(port)"), "\(command): \(taken)")
            let open = try program.run(command + ["job.yaml", "monitor.page=0.0.0.0:0"])
            #expect(open.code == 65 && open.errors.contains("token"), "\(command): \(open)")
            let many = try program.run(command + ["job.yaml", "cluster.servers=300"])
            #expect(
                many.code == 65 && many.errors.contains("command line: cluster.servers is 300"), "\(command): \(many)")
        }
        let part = program.directory + "/world/test-00000.safetensors"
        try Data(contentsOf: URL(filePath: part)).dropLast(64).write(to: URL(filePath: part))
        for command in [["config", "check"], ["train", "-q"]] {
            let cut = try program.run(command + ["job.yaml"])
            #expect(cut.code == 65 && cut.errors.contains("world/test-00000.safetensors"), "\(command): \(cut)")
        }
        #expect(mkfifo(program.directory + "/pipe.yaml", 0o600) == 0)
        let pipe = try program.run("config", "check", "pipe.yaml")
        #expect(pipe.code == 65 && pipe.errors.contains("pipe.yaml is not a regular file"), "\(pipe)")
    }

    @Test("the number of partitions changes no bit, and a checkpoint keeps its own")
    func partitions() throws {
        let program = try Program()
        try program.prepareWorld()
        let runs = [("a", []), ("b", ["rows.partitions=16", "cluster.servers=3"]), ("c", ["rows.partitions=1"])]
        var digests: Set<String> = []
        for (name, overrides) in runs {
            let result = try program.run(["train", "-q", "job.yaml", "--run", name, "train.max_steps=6"] + overrides)
            #expect(result.code == 0, "\(result)")
            digests.insert(try program.digest(name))
        }
        #expect(digests.count == 1 && digests.first?.hasPrefix("sha256: ") == true, "\(digests)")
        let other = try program.run("train", "-q", "job.yaml", "--run", "d", "--resume", "b", "train.max_steps=8")
        #expect(other.code == 65 && other.errors.contains("set rows.partitions to 16"), "\(other)")
        #expect(other.errors.contains("the config that wrote it") && !other.errors.contains("same dataset"), "\(other)")
    }

    @Test("what messages to nodes cannot hold, and a place that is another's, is refused before a job begins")
    func places() throws {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let short = ["job.yaml", "train.max_steps=4", "monitor.page=off"]
        let first = try program.run(["train", "-q"] + short + ["--run", "first"])
        try #require(first.code == 0, "\(first.errors)")
        let files = FileManager.default
        let odd = "odd\u{1}"
        try files.copyItem(atPath: program.directory + "/first", toPath: "\(program.directory)/\(odd)")
        #expect(mkfifo(program.directory + "/token", 0o600) == 0)
        let name = program.directory + "/name.yaml"
        try #"data: {directory: "wor\x01ld"}"#.write(toFile: name, atomically: true, encoding: .utf8)
        func names() throws -> [String] {
            // Without what processes have said.
            try files.contentsOfDirectory(atPath: program.directory).sorted().filter {
                !$0.hasSuffix(".out") && !$0.hasSuffix(".err")
            }
        }
        let before = try names()
        let control = "has a control character"
        for (arguments, code, words) in [
            (["train"] + short + ["--run", "a\nb"], 65, control),
            (["launch"] + short + ["--run", odd, "--continue"], 65, control),
            (["scheduler"] + short + ["--run", "first/checkpoints/x"], 65, "lies in the run"),
            (["scheduler"] + short + ["--job", "a\nb"], 64, control), (["worker", "--job", odd], 64, control),
            (["train"] + short + ["--resume", odd], 65, control), (["evaluate", odd], 65, control),
            (["train", "name.yaml"], 65, "without control characters"),
            (["train"] + short + ["--run", "world"], 65, "is a dataset's directory"),
            (["prepare", "synthetic", "--output", "first/checkpoints/world"], 65, "lies in the run"),
            (
                ["train", "job.yaml", "monitor.token_file=token", "--run", "x"], 65,
                "monitor.token_file: token is not a regular file"
            ),
        ] as [([String], Int32, String)] {
            let began = ContinuousClock.now
            let environment = ["MYRIAD_SCHEDULER": "tcp://127.0.0.1:9"]
            let result = try program.run(arguments, environment: environment)
            #expect(result.code == code && result.errors.contains(words), "\(arguments): \(result)")
            #expect(!result.errors.contains("\u{1}") && began.duration(to: .now) < .seconds(30), "\(arguments)")
        }
        #expect(try names() == before)
    }
}
