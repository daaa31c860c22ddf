import Checkpoints
import Evaluation
import Foundation
package import Job
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
    /// The newest checkpoint that is whole, and its step; without one the run begins at its start.
    package private(set) var checkpoint: (path: String, step: Int)?
    /// Whether the checkpoint tells what was judged before it.
    package private(set) var remembers = true
    /// The lines that say how the run ended, if it is finished.
    package private(set) var summary: [String]?
    /// How a run ended whose last checkpoint is complete and which was killed before it could say so.
    package private(set) var outcome: Outcome?
    /// What a person should know.
    package private(set) var warnings: [String] = []

    /// Looks at a run's directory.
    ///
    /// - Parameter config: with which it is to go on; what changes results must be as it was.
    package init(run: String, config: JobConfig) throws {
        guard let text = try? String(contentsOfFile: run + "/config.yaml", encoding: .utf8) else { return }
        hasBegun = true
        let stored = try ConfigReader.read(text: text, name: run + "/config.yaml")
        try Continuation.compare(stored, with: config, run)
        let lastStep = try Job(config).plan.lastStep
        if let end = Continuation.end(of: run), end.step >= lastStep || stored.train == config.train {
            summary = end.lines
            return
        }
        findCheckpoint(in: run + "/checkpoints")
        guard let checkpoint else { return }
        guard let known = try Manifest(directory: checkpoint.path).judgement else {
            remembers = false
            warnings.append("\(checkpoint.path) is of an older version: what was the best state before it is not known")
            return
        }
        guard known.step == checkpoint.step else { return }
        let isExhausted = config.train.patience > 0 && known.withoutGain >= config.train.patience
        guard checkpoint.step >= lastStep || isExhausted else { return }
        outcome = Outcome(
            step: checkpoint.step, reason: "its last checkpoint was complete already", bestStep: known.bestStep,
            bestValidation: known.best, test: known.test, reports: [:])
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
    private mutating func findCheckpoint(in directory: String) {
        for path in CheckpointReader.all(in: directory).reversed() {
            do {
                let reader = try CheckpointReader(path: path)
                try reader.verify()
                checkpoint = (path, reader.manifest.step)
                return
            } catch {
                let name = "damaged-" + (path as NSString).lastPathComponent
                try? FileManager.default.removeItem(atPath: directory + "/" + name)
                try? FileManager.default.moveItem(atPath: path, toPath: directory + "/" + name)
                warnings.append("\(error): it is now \(directory)/\(name), and the one before is used")
            }
        }
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
        guard let data = FileManager.default.contents(atPath: run + "/metrics.jsonl") else { return nil }
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
        guard let newest = CheckpointReader.newest(in: run + "/checkpoints"),
            let step = try? Manifest(directory: newest).step
        else { return "no checkpoint" }
        return "the checkpoint of step \(step)"
    }
}
