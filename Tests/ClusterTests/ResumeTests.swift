import Checkpoints
import Foundation
import Hashing
import Testing

/// What `--resume` and `--continue` begin with, and what they leave alone.
@Suite struct ResumeTests {
    /// A small world, and `first`: a run to step 20 of it.
    private func first() throws -> Program {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let result = try program.run("train", "job.yaml", "train.max_steps=20", "monitor.page=off", "--run", "first")
        try #require(result.code == 0, "\(result.errors)")
        return program
    }

    /// The SHA-256 of every file below a directory.
    private func files(_ directory: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in FileManager.default.enumerator(atPath: directory)?.compactMap({ $0 as? String }) ?? [] {
            guard let data = FileManager.default.contents(atPath: directory + "/" + name) else { continue }
            var hash = SHA256()
            data.withUnsafeBytes { hash.update($0) }
            found[name] = hash.finish()
        }
        return found
    }

    @Test("a run begins with another one's state or says why not, and never changes a file of that one")
    func resume() throws {
        let program = try first()
        let before = try files(program.directory + "/first")
        #expect(before.count > 4)
        try program.run(
            "prepare", "synthetic", "--world", "interests", "--output", "other", "--users", "50", "--items", "100",
            "--categories", "12", "--impressions", "40", "--seed", "2")
        let attempts: [(arguments: [String], code: Int32, words: String)] = [
            ([], 65, "nothing is left to train"),
            (["train.max_steps=15"], 65, "nothing is left to train"),
            (["--run", "first"], 65, "first holds a run already"),
            (["train.max_steps=30", "--run", "goes-on"], 0, "goes on with step 21 of 30"),
            (["train.max_steps=30", "--restart-steps", "--run", "again"], 0, "counts steps from 1 to 30"),
            (
                ["--state", "best", "train.max_steps=10", "train.batch=32", "--run", "batch"], 0,
                "train.batch 64, now 32"
            ),
            (
                ["train.seed=2", "train.max_steps=10", "--run", "seed"], 0,
                "it was trained with train.seed 1, now 2"
            ),
            (["data.directory=other", "--run", "other-run"], 0, "it was trained on another dataset"),
            (["rows.optimizer.kind=adagrad", "train.max_steps=30"], 65, "--reset-optimizer"),
            (["dense.optimizer.kind=sgd", "train.max_steps=30"], 65, "dense.optimizer.kind=adam"),
            (
                ["rows.optimizer.kind=adagrad", "train.max_steps=30", "--reset-optimizer", "--run", "fresh"], 0,
                "the weights of the state after step 20"
            ),
            (["model.embedding.width=5", "train.max_steps=30"], 65, "another model"),
            (["--state", "newest"], 64, "--state"),
        ]
        for attempt in attempts {
            let result = try program.run(
                ["train", "job.yaml", "train.max_steps=20", "monitor.page=off", "--resume", "first"] + attempt.arguments
            )
            #expect(result.code == attempt.code, "\(attempt.arguments): \(result.errors)")
            #expect(result.errors.contains(attempt.words), "\(attempt.arguments): \(result.errors)")
            if attempt.code == 0 {
                #expect(result.errors.contains("first/checkpoints/step-000000"), "\(result.errors)")
                #expect(!result.output.contains("nan"), "\(result.output)")
            }
            #expect(try files(program.directory + "/first") == before, "\(attempt.arguments)")
        }
        // What was refused has left nothing.
        #expect(!FileManager.default.fileExists(atPath: program.directory + "/runs"))
        let whole = try program.run("train", "job.yaml", "train.max_steps=30", "monitor.page=off", "--run", "whole")
        #expect(whole.code == 0)
        #expect(try program.digest("goes-on") == program.digest("whole"))
        // The optimizers' state knows the updates of the run before.
        let manifest = try CheckpointReader(path: program.directory + "/again", .last).manifest
        #expect(manifest.step == 30 && manifest.origin.earlierUpdates == 20)
        let fresh = try CheckpointReader(path: program.directory + "/fresh", .last).manifest
        #expect(fresh.step == 30 && fresh.origin.earlierUpdates == -20)
        #expect(fresh.tables.allSatisfy { $0.optimizer == "adagrad" })
    }

    @Test(
        "--continue is refused on another dataset, over another run's checkpoints and without a config, and keeps all")
    func wrongContinue() throws {
        let program = try first()
        let checkpoints = program.directory + "/first/checkpoints"
        let before = try files(checkpoints)
        func goOn(_ words: String) throws {
            let result = try program.run(
                "train", "job.yaml", "train.max_steps=30", "monitor.page=off", "--run", "first", "--continue")
            #expect(result.code == 65 && result.errors.contains(words), "\(result.errors)")
            #expect(try files(checkpoints) == before)
        }
        let config = program.directory + "/first/config.yaml"
        let own = try String(contentsOfFile: config, encoding: .utf8)
        try FileManager.default.removeItem(atPath: config)
        try goOn("no config.yaml")
        try own.write(toFile: config, atomically: true, encoding: .utf8)
        // The world of another seed in the place of this one.
        try FileManager.default.moveItem(
            atPath: program.directory + "/world", toPath: program.directory + "/own")
        try program.run(
            "prepare", "synthetic", "--world", "interests", "--output", "world", "--users", "60", "--items", "120",
            "--categories", "12", "--impressions", "40", "--seed", "2")
        try goOn("is of a job on another dataset")
        try FileManager.default.removeItem(atPath: program.directory + "/world")
        try FileManager.default.moveItem(
            atPath: program.directory + "/own", toPath: program.directory + "/world")
        // Checkpoints of seed 1 beside the config of seed 2.
        let job = program.directory + "/job.yaml"
        let text = try String(contentsOfFile: job, encoding: .utf8)
        try own.replacing("seed: 1", with: "seed: 2").write(toFile: config, atomically: true, encoding: .utf8)
        try text.replacing("train: {", with: "train: {seed: 2, ").write(toFile: job, atomically: true, encoding: .utf8)
        try goOn("two runs have shared this directory")
    }

    @Test("a run that began with a state and has no checkpoint begins with it again")
    func beginsAgain() throws {
        let program = try first()
        let command = ["train", "job.yaml", "train.max_steps=30", "monitor.page=off"]
        #expect(try program.run(command + ["--resume", "first", "--run", "second"]).code == 0)
        let digest = try program.digest("second")
        for name in ["checkpoints", "metrics.jsonl"] {
            try FileManager.default.removeItem(atPath: program.directory + "/second/" + name)
        }
        let again = try program.run(command + ["--run", "second", "--continue"])
        #expect(again.code == 0 && again.errors.contains("goes on from its start, the state in"), "\(again.errors)")
        #expect(try program.digest("second") == digest)
        for name in ["second/checkpoints", "second/metrics.jsonl", "first"] {
            try FileManager.default.removeItem(atPath: program.directory + "/" + name)
        }
        let lost = try program.run(command + ["--run", "second", "--continue"])
        #expect(lost.code == 65 && lost.errors.contains("that state is no more"), "\(lost.errors)")
    }

    @Test(
        "a damaged copy of a part is refused with its name, by a process of its own too",
        arguments: ["train", "launch"])
    func damagedPart(command: String) throws {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let part = URL(filePath: program.directory + "/world/train-00000.safetensors")
        var bytes = try Data(contentsOf: part)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: part)
        let result = try program.run(command, "job.yaml", "monitor.page=off", "--run", "run")
        #expect(result.code == 65, "\(result.errors)")
        #expect(
            result.errors.contains("world/train-00000.safetensors: has") && result.errors.contains("checksum"),
            "\(result.errors)")
    }
}
