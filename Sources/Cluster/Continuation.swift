import Checkpoints
import Datasets
import Display
import Foundation
package import Job
package import Scheduler
import Telemetry
import Tensors
import Wire

/// How a run's directory goes on: from nothing, from its newest checkpoint, or not at all because it is finished.
package struct Continuation {
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
        if let end = try Continuation.end(of: run), try Continuation.believes(end.step, of: run, stored, job) {
            summary = end.lines
            return
        }
        guard let manifest = try findCheckpoint(in: run + "/checkpoints"), let checkpoint else {
            try takeBeginning(of: run, job)
            return
        }
        try Continuation.check(manifest, stored, job, checkpoint.path)
        let known = manifest.judgement
        guard known.step == checkpoint.step else { return }
        let isExhausted = config.train.patience > 0 && known.withoutGain >= config.train.patience
        guard checkpoint.step >= job.plan.lastStep || isExhausted else { return }
        outcome = Outcome(step: checkpoint.step, reason: "its last checkpoint was complete already", known)
    }

    /// Whether a run is finished that its records call finished after a step.
    ///
    /// Its newest checkpoint knows better than they, which are plain text: a run that keeps its last state has it.
    private static func believes(_ step: Int, of run: String, _ stored: JobConfig, _ job: Job) throws -> Bool {
        var train = stored.train
        if let newest = try CheckpointReader.newest(in: run + "/checkpoints"),
            let manifest = try? Manifest(directory: newest)
        {
            try check(manifest, stored, job, newest)
            if manifest.step == step {
                train = try ConfigReader.read(text: manifest.config, name: newest + "/manifest.json").train
            } else if stored.checkpoint.last {
                return false
            }
        }
        return step >= job.plan.lastStep || train == job.config.train
    }

    /// The configuration that a run was started with; nil for a directory without a run.
    private static func config(of run: String) throws -> String? {
        guard try Files.stamp(run + "/config.yaml") == nil else {
            return String(decoding: try Files.read(run + "/config.yaml"), as: UTF8.self)
        }
        let checkpoints = try CheckpointReader.all(in: run + "/checkpoints")
        guard let newest = checkpoints.last else {
            guard let record = try Resumption.Record.read(in: run)?.record else { return nil }
            throw Complaint(
                "\(run) was ended as it began with the state in \(record.checkpoint), and is no run yet: begin it again "
                    + "without --continue, with --run \(run) and --resume \(record.checkpoint)")
        }
        throw Complaint(
            "\(run) holds \(checkpoints.count) checkpoints and no config.yaml: it would begin anew over them. "
                + "Put its config.yaml back, or begin another run with --resume \(newest)")
    }

    /// Throws unless a checkpoint of the directory is of this run and its dataset.
    private static func check(_ manifest: Manifest, _ stored: JobConfig, _ job: Job, _ path: String) throws {
        let dataset = try job.dataset.fingerprint()
        guard manifest.origin.dataset == dataset else {
            throw Complaint(
                "\(path) is of a job on another dataset (fingerprint \(manifest.origin.dataset); "
                    + "\(job.config.data.directory) has \(dataset)): continue it with its own dataset, or begin a new run "
                    + "on this one with --resume \(path)")
        }
        let written = try ConfigReader.read(text: manifest.config, name: path + "/manifest.json")
        guard try written.fingerprint() == stored.fingerprint() else {
            throw Complaint(
                "\(path) was written by a run of another configuration than the config.yaml beside it: two "
                    + "runs have shared this directory. Begin a new one, with --resume \(path) or from nothing")
        }
    }

    /// A run that has no checkpoint yet begins again with the state that it began with.
    private mutating func takeBeginning(of run: String, _ job: Job) throws {
        guard let (record, warning) = try Resumption.Record.read(in: run) else { return }
        if let warning { warnings.append(warning) }
        func refuse(_ problem: String) -> Complaint {
            Complaint(
                "\(run)/\(Resumption.Record.file): the run began with the state in \(record.checkpoint), has no "
                    + "checkpoint of its own, and \(problem): begin a new run with another directory")
        }
        let manifest: Manifest
        do {
            manifest = try Manifest(directory: record.checkpoint)
        } catch .missing {
            throw refuse("that state is no more")
        } catch {
            throw refuse("that state cannot be read (\(error))")
        }
        guard manifest.digest == record.manifest else { throw refuse("that state is no more: another is there now") }
        guard record.step == 0 || record.step == manifest.step else {
            throw refuse(
                "it counts \(record.step) steps as done, which that state, of step \(manifest.step), does not have")
        }
        guard try record.step == 0 || manifest.origin.dataset == job.dataset.fingerprint() else {
            throw refuse("\(job.config.data.directory) is not the dataset any more on which its steps go on")
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
        throw Complaint(
            "\(run) holds a run of another configuration\(JobConfig.difference(try same.yaml(), try config.yaml())) (there is "
                + "\(run)/config.yaml); continue it with its own config, name another directory with --run, or begin a "
                + "new run from its state with --resume \(run)")
    }

    /// The newest checkpoint that is whole; damaged ones are put aside, so that nobody takes them for the newest.
    ///
    /// A directory of a step that has files and no manifest is damaged too: what is being written or removed has another
    /// name (`Files.unfinished`). Where none of several is whole nothing changes: to begin anew would be to lose the
    /// run in silence. What a newer release wrote, or what the system does not let be read, is not damaged: it is an error.
    private mutating func findCheckpoint(in directory: String) throws -> Manifest? {
        var damaged: [(path: String, error: CheckpointError)] = []
        for path in try CheckpointReader.begun(in: directory).reversed() {
            let reader: CheckpointReader
            do {
                reader = try CheckpointReader(exactly: path)
                try reader.verify()
            } catch {
                guard error.isDamage else { throw error }
                damaged.append((path, error))
                continue
            }
            for (path, error) in damaged { try putAside(path, error) }
            checkpoint = (path, reader.manifest.step)
            return reader.manifest
        }
        guard let newest = damaged.first else { return nil }
        throw Complaint(
            "\(directory) holds no checkpoint that is whole, and what is left of \(damaged.count): to begin anew "
                + "would be to lose them. The newest: \(newest.error). Put back what is missing, from a copy, or begin "
                + "anew in another directory (--run), or in this one when \(directory) is moved away")
    }

    private mutating func putAside(_ path: String, _ error: CheckpointError) throws {
        let aside = (path as NSString).deletingLastPathComponent + "/damaged-" + (path as NSString).lastPathComponent
        try? FileManager.default.removeItem(atPath: aside)
        try Files.move(path, to: aside)
        warnings.append("\(error): it is now \(aside), and the one before is used")
    }

    /// What `metrics.jsonl` says of the end, if its last word is that the run is finished.
    private static func end(of run: String) throws -> (step: Int, lines: [String])? {
        guard try Files.stamp(run + "/metrics.jsonl") != nil,
            let last = try Record.last(of: ["started", "finished", "stopped", "failed"], in: run),
            last.event == "finished", let step = last.step
        else { return nil }
        var lines = ["finished after step \(step)"]
        for (name, isTest) in [("best validation", false), ("test", true)] {
            let found = last.figures(ofTest: isTest)
            guard let logLoss = found.logLoss else { continue }
            lines.append("\(name): \(Monitor.describe(found.auc, found.gauc, logLoss))")
        }
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
