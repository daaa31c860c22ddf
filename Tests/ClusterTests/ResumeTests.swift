import Checkpoints
import Extremes
import Foundation
import Job
import Testing

@testable import Cluster

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
        let own = try program.run("evaluate", "first")
        #expect(own.code == 0 && own.errors.isEmpty, "\(own.errors)")
        let foreign = try program.run("evaluate", "first", "--data", "other")
        #expect(foreign.code == 0 && foreign.errors.hasPrefix("warning: other is another dataset than"), "\(foreign)")
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
        #expect(again.errors.contains("of an older release") == false)
        let lost = try program.run(command + ["--run", "second", "--continue"])
        #expect(lost.code == 65 && lost.errors.contains("that state is no more"), "\(lost.errors)")
    }

    /// Runs that --continue goes on with: `first` from its checkpoints, `second` from the state of `first`.
    private func unfinished() throws -> (program: Program, config: JobConfig) {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let world = "data.directory=\(program.directory)/world"
        let command = ["train", "-q", "job.yaml", world, "monitor.page=off", "checkpoint.every=10"]
        #expect(try program.run(command + ["train.max_steps=20", "--run", "first"]).code == 0)
        #expect(try program.run(command + ["train.max_steps=28", "--resume", "first", "--run", "second"]).code == 0)
        for name in ["checkpoints", "metrics.jsonl"] {
            try FileManager.default.removeItem(atPath: program.directory + "/second/" + name)
        }
        return (
            program,
            try ConfigReader.read(
                path: program.directory + "/job.yaml",
                overrides: [world, "monitor.page=off", "checkpoint.every=10", "train.max_steps=28"])
        )
    }

    /// How a run goes on, or why not.
    private func goesOn(_ run: String, _ config: JobConfig) -> (how: String, words: String) {
        do {
            let found = try Continuation(run: run, config: config)
            let how =
                "\(found.checkpoint.map { "\($0)" } ?? "nothing") \(found.isAnothers) \(found.resetsOptimizer) "
                + "\(found.summary != nil) \(found.outcome != nil)"
            return (how, found.warnings.joined(separator: "\n"))
        } catch {
            return ("refused", "\(error)")
        }
    }

    @Test("a flipped bit in any file of a run is refused with the file's name, or changes nothing of how it goes on")
    func flips() throws {
        let (program, config) = try unfinished()
        for (name, count) in [("first", 132), ("second", 60)] {
            let run = program.directory + "/" + name
            let usual = goesOn(run, config)
            #expect(usual.how.contains("step: 20") && usual.words.isEmpty, "\(usual)")
            let files = try files(run).keys.filter { !$0.hasPrefix("logs") }.sorted().map { "\(run)/\($0)" }
            #expect(files.count == (name == "first" ? 11 : 5), "\(files)")
            try Flips.each(count, of: files) { path in
                let found = goesOn(run, config)
                #expect(found.how == usual.how || found.words.contains(path), "\(path): \(found)")
                let checkpoint = (path as NSString).deletingLastPathComponent
                let aside = run + "/checkpoints/damaged-" + (checkpoint as NSString).lastPathComponent
                if rename(aside, checkpoint) == 0 { #expect(found.words.contains("the one before is used")) }
            }
        }
    }

    @Test("a run that is called finished by a damaged record goes on from its checkpoint")
    func finished() throws {
        let (program, config) = try unfinished()
        let run = program.directory + "/first"
        for (file, old, new) in [
            ("metrics.jsonl", #""step":20,"test_auc""#, #""step":28,"test_auc""#),
            ("config.yaml", "max_steps: 20", "max_steps: 28"),
        ] {
            let whole = try String(contentsOfFile: "\(run)/\(file)", encoding: .utf8)
            #expect(whole.contains(old))
            try whole.replacing(old, with: new).write(toFile: "\(run)/\(file)", atomically: true, encoding: .utf8)
            #expect(goesOn(run, config).how.contains("step: 20"), "\(file)")
            try whole.write(toFile: "\(run)/\(file)", atomically: true, encoding: .utf8)
        }
    }

    @Test("began.json is believed only whole: its digest, its keys and its numbers, and an older one with a notice")
    func began() throws {
        let (program, config) = try unfinished()
        let run = program.directory + "/second"
        let record = try #require(try Resumption.Record.read(in: run)?.record)
        let text = try String(contentsOfFile: run + "/began.json", encoding: .utf8)
        func put(_ text: String) throws {
            try text.write(toFile: run + "/began.json", atomically: false, encoding: .utf8)
        }
        func older(_ step: Int, _ more: String = "") -> String {
            #"{"checkpoint":"\#(record.checkpoint)","digest":"\#(record.manifest)","step":\#(step),"resets_optimizer":false\#(more)}"#
        }
        /// With the digest that it then has.
        func sealed(_ old: String, _ new: String) throws -> String {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let digest = try #require(object["digest"] as? String)
            let changed = text.replacing(digest, with: Seal.none).replacing(old, with: new)
            return String(decoding: Seal.close(Data(changed.utf8)), as: UTF8.self)
        }
        let refused: [(text: String, words: String)] = [
            (text.replacing("\"step\" : 20", with: "\"step\" : 0"), "the digest that it states"),
            (text.replacing("false", with: "true"), "the digest that it states"),
            (String(text.dropLast(9)), "no JSON object"), ("", "no JSON object"), ("[]", "no JSON object"),
            (try sealed("\"step\" : 20", "\"step\" : -1"), "has step -1, expected 0 to"),
            (try sealed("\"step\" : 20", "\"step\" : 19"), "counts 19 steps as done"),
            (try sealed("\"step\" : 20", "\"step\" : \"x\""), "no record of format 2"),
            (try sealed("\"format\" : 2", "\"format\" : 3"), "has the newer format 3"),
            (try sealed("\"step\"", "\"steps\""), "has no 'step'"),
            (try sealed("{", "{\"x\": 1,"), "has the unknown key 'x'"),
            (try sealed("\"checkpoint\" : \"/", "\"checkpoint\" : \""), "expected a whole path"),
            (older(-1), "has step -1"), (older(19), "counts 19 steps as done"), (older(20, #","x":1"#), "digest"),
        ]
        for (changed, words) in refused {
            #expect(changed != text)
            try put(changed)
            let found = goesOn(run, config)
            #expect(found.how == "refused" && found.words.contains(words), "\(changed): \(found)")
            #expect(found.words.contains(run + "/began.json"), "\(found)")
        }
        try put(older(20))
        #expect(goesOn(run, config).how.contains("step: 20"))
        #expect(goesOn(run, config).words.contains("is of an older release"))
        unlink(run + "/began.json")
        #expect(mkfifo(run + "/began.json", 0o600) == 0)
        #expect(goesOn(run, config).words.contains("not a regular file"))
        unlink(run + "/began.json")
        try put(text)
        #expect(goesOn(run, config).how.contains("step: 20") && goesOn(run, config).words.isEmpty)
    }

    @Test("a run is never begun anew over what is left of its checkpoints, and goes on from one that is whole")
    func lostManifests() throws {
        let (program, config) = try unfinished()
        let run = program.directory + "/first"
        let checkpoints = run + "/checkpoints"
        // What is being written, or removed, when a process dies is no loss; nor is an empty directory.
        for name in ["step-00000030.partial", "step-00000005.old.partial", "step-00000040"] {
            try FileManager.default.createDirectory(
                atPath: checkpoints + "/" + name, withIntermediateDirectories: true)
        }
        #expect(goesOn(run, config).how.contains("step: 20"))
        unlink(checkpoints + "/step-00000020/manifest.json")
        let older = goesOn(run, config)
        #expect(older.how.contains("step: 10"), "\(older)")
        #expect(older.words.contains(checkpoints + "/step-00000020/manifest.json: is missing"), "\(older)")
        unlink(checkpoints + "/step-00000010/manifest.json")
        let before = try files(run)
        let lost = goesOn(run, config)
        #expect(lost.how == "refused" && lost.words.contains("no checkpoint that is whole"), "\(lost)")
        #expect(lost.words.contains("\(checkpoints) is moved away"), "\(lost)")
        #expect(try files(run) == before)
        // With that remedy it begins anew.
        try FileManager.default.moveItem(atPath: checkpoints, toPath: run + "/away")
        #expect(goesOn(run, config).how.hasPrefix("nothing"))
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
