import Checkpoints
import Datasets
import Evaluation
import Foundation
package import Job
import Safetensors
package import Scheduler
import Wire

/// How a run's directory goes on: from nothing, from its newest checkpoint, or not at all because it is finished.
package struct Continuation {
    /// The directory holds a run that this one cannot go on with.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Whether the directory holds a run.
    package private(set) var hasBegun = false
    /// The newest checkpoint that is whole, or what the run began with; without one it begins at its start.
    package private(set) var checkpoint: (path: String, step: Int)?
    /// Whether the checkpoint is of another run, from whose state this one began.
    package private(set) var isAnothers = false
    /// Whether only its weights are taken.
    package private(set) var resetsOptimizer = false
    /// The lines that say how the run ended, if it is finished.
    package private(set) var summary: [String]?
    /// How a run ended whose last checkpoint is complete and which was killed before it could say so.
    package private(set) var outcome: Outcome?
    /// What a person should know.
    package private(set) var warnings: [String] = []

    /// Looks at a run's directory.
    ///
    /// The caller has the directory's lock: what is damaged is put aside.
    ///
    /// - Parameter config: with which it is to go on; what changes results must be as it was.
    package init(run: String, config: JobConfig) throws {
        guard let text = try Continuation.config(of: run) else { return }
        hasBegun = true
        let stored = try ConfigReader.read(text: text, name: run + "/config.yaml")
        try Continuation.compare(stored, with: config, run)
        let job = try Job(config)
        if let end = Continuation.end(of: run), end.step >= job.plan.lastStep || stored.train == config.train {
            if let newest = try CheckpointReader.newest(in: run + "/checkpoints"),
                let manifest = try? Manifest(directory: newest)
            {
                try Continuation.check(manifest, stored, job, newest)
            }
            summary = end.lines
            return
        }
        guard let manifest = try findCheckpoint(in: run + "/checkpoints"), let checkpoint else {
            try takeBeginning(of: run)
            return
        }
        try Continuation.check(manifest, stored, job, checkpoint.path)
        let known = manifest.judgement
        guard known.step == checkpoint.step else { return }
        let isExhausted = config.train.patience > 0 && known.withoutGain >= config.train.patience
        guard checkpoint.step >= job.plan.lastStep || isExhausted else { return }
        outcome = Outcome(
            step: checkpoint.step, reason: "its last checkpoint was complete already", bestStep: known.bestStep,
            bestValidation: known.best, test: known.test, reports: [:])
    }

    /// The configuration that a run was started with; nil for a directory without a run.
    private static func config(of run: String) throws -> String? {
        guard try Files.stamp(run + "/config.yaml") == nil else {
            return String(decoding: try Files.read(run + "/config.yaml"), as: UTF8.self)
        }
        let checkpoints = try CheckpointReader.all(in: run + "/checkpoints")
        guard let newest = checkpoints.last else { return nil }
        throw Failure(
            description:
                "\(run) holds \(checkpoints.count) checkpoints and no config.yaml: it would begin anew over them. "
                + "Put its config.yaml back, or begin another run with --resume \(newest)")
    }

    /// Throws unless a checkpoint of the directory is of this run and its dataset.
    private static func check(_ manifest: Manifest, _ stored: JobConfig, _ job: Job, _ path: String) throws {
        let dataset = try job.dataset.fingerprint()
        guard manifest.origin.dataset == dataset else {
            throw Failure(
                description: "\(path) is of a job on another dataset (fingerprint \(manifest.origin.dataset); "
                    + "\(job.config.data.directory) has \(dataset)): continue it with its own dataset, or begin a new run "
                    + "on this one with --resume \(path)")
        }
        let written = try ConfigReader.read(text: manifest.config, name: path + "/manifest.json")
        guard try written.fingerprint() == stored.fingerprint() else {
            throw Failure(
                description:
                    "\(path) was written by a run of another configuration than the config.yaml beside it: two "
                    + "runs have shared this directory. Begin a new one, with --resume \(path) or from nothing")
        }
    }

    /// A run that has no checkpoint yet begins again with the state that it began with.
    private mutating func takeBeginning(of run: String) throws {
        guard let record = try Resumption.Record.read(in: run) else { return }
        guard let manifest = try? Manifest(directory: record.checkpoint), manifest.digest == record.digest else {
            throw Failure(
                description:
                    "\(run) began with the state in \(record.checkpoint), has no checkpoint of its own, and that "
                    + "state is no more: begin a new run with another directory")
        }
        checkpoint = (record.checkpoint, record.step)
        (isAnothers, resetsOptimizer) = (true, record.resetsOptimizer)
    }

    /// Who does it, what is kept and shown, and how long it goes on may be others; nothing else.
    private static func compare(_ stored: JobConfig, with config: JobConfig, _ run: String) throws {
        var same = stored
        same.cluster = config.cluster
        same.checkpoint = config.checkpoint
        same.monitor = config.monitor
        same.train.epochs = config.train.epochs
        same.train.maxSteps = config.train.maxSteps
        guard same != config else { return }
        let lines = zip(try same.yaml().split(separator: "\n"), try config.yaml().split(separator: "\n"))
        let difference = lines.first { $0 != $1 }.map {
            ": '\($0.trimmingCharacters(in: .whitespaces))' there, '\($1.trimmingCharacters(in: .whitespaces))' here"
        }
        throw Failure(
            description: "\(run) holds a run of another configuration\(difference ?? ""); continue it with its own "
                + "config, name another directory with --run, or begin a new run from its state with --resume \(run)")
    }

    /// The newest checkpoint that is whole; damaged ones are put aside, so that nobody takes them for the newest.
    ///
    /// What a newer release wrote, or what the system does not let be read, is not damaged: it is an error.
    private mutating func findCheckpoint(in directory: String) throws -> Manifest? {
        for path in try CheckpointReader.all(in: directory).reversed() {
            do {
                let reader = try CheckpointReader(path: path)
                try reader.verify()
                checkpoint = (path, reader.manifest.step)
                return reader.manifest
            } catch {
                guard case .damaged = error else { throw error }
                let name = "damaged-" + (path as NSString).lastPathComponent
                try? FileManager.default.removeItem(atPath: directory + "/" + name)
                try Files.move(path, to: directory + "/" + name)
                warnings.append(
                    "\(error): it is now \(directory)/\(name), and the one before is used")
            }
        }
        return nil
    }

    /// What `metrics.jsonl` says of the end, if its last word is that the run is finished.
    private static func end(of run: String) -> (step: Int, lines: [String])? {
        struct Line: Decodable {
            let event: String
            let step: Int?
            let validationAuc, validationGauc, validationLogLoss: Double?
            let testAuc, testGauc, testLogLoss: Double?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let data = try? Files.read(run + "/metrics.jsonl", limit: .max) else { return nil }
        let ends = data.split(separator: 10).lazy.reversed().compactMap {
            try? decoder.decode(Line.self, from: Data($0))
        }
        guard let last = ends.first(where: { ["started", "finished", "stopped", "failed"].contains($0.event) }),
            last.event == "finished", let step = last.step
        else { return nil }
        func figures(_ auc: Double?, _ gauc: Double?, _ logLoss: Double?) -> String? {
            logLoss.map {
                "AUC \(auc.map(Monitor.digits) ?? "-")  GAUC \(gauc.map(Monitor.digits) ?? "-")  log loss \(Monitor.digits($0))"
            }
        }
        var lines = ["finished after step \(step)"]
        if let best = figures(last.validationAuc, last.validationGauc, last.validationLogLoss) {
            lines.append("best validation: \(best)")
        }
        if let test = figures(last.testAuc, last.testGauc, last.testLogLoss) { lines.append("test: \(test)") }
        return (step, lines)
    }

    /// What a run's directory keeps for whoever goes on: "the checkpoint of step 12", "no checkpoint".
    package static func keeps(_ run: String) -> String {
        guard let newest = try? CheckpointReader.newest(in: run + "/checkpoints"),
            let step = try? Manifest(directory: newest).step
        else { return "no checkpoint" }
        return "the checkpoint of step \(step)"
    }
}
