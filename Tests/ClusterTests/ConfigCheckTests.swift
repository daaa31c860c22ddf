import Children
import Foundation
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
}
