package import Checkpoints
import Datasets
import Foundation
package import Job
import Models
import Telemetry
import Tensors
import Wire

/// How a new run begins from the state of another one, which it never writes into.
///
/// Where the order of samples is the same (dataset, training split, batch, seed), steps go on where the state stopped.
/// Otherwise the state's step means nothing here: the new run counts from 1 and trains all of its plan. Schedules
/// follow the new run's steps; what the optimizers gathered goes on, and knows how many updates it has had.
package struct Resumption {
    /// The job, which begins with the state.
    package let job: Job
    /// What it begins with.
    package let record: Record
    /// What a person should know.
    package let words: String

    /// Finds the state and decides how the job begins with it; refuses what would train nothing or another model.
    ///
    /// - Parameters:
    ///   - path: a run's directory, or a checkpoint's.
    ///   - choice: which checkpoint of a run.
    ///   - restarts: count from 1 in any case.
    ///   - resetsOptimizer: take the weights alone.
    package init(
        from path: String, _ choice: CheckpointReader.Choice, _ config: JobConfig, restarts: Bool, resetsOptimizer: Bool
    ) throws {
        if let problem = Carriable.problem(URL(filePath: path).path) {
            throw Complaint("--resume \(Carriable.shown(path)) \(problem): rename it, or move it")
        }
        let reader = try CheckpointReader(path: path, choice)
        let manifest = reader.manifest
        let stored = try ConfigReader.read(text: manifest.config, name: reader.path + "/manifest.json")
        let job = try Job(config)
        let other = Self.difference(manifest, stored, config, dataset: try job.dataset.fingerprint())
        let step = restarts || other != nil ? 0 : manifest.step
        self.job = step == 0 ? job : try Job(config, startStep: step)
        try reader.check(
            tables: job.tables, dense: config.dense,
            partitions: try job.map(shards: config.cluster.servers * config.cluster.shards).partitions,
            layout: job.model.layout,
            .init(restartsSteps: step == 0, resetsOptimizer: resetsOptimizer))
        guard self.job.plan.lastStep > step else {
            throw Complaint(
                "\(reader.path) is the state after step \(manifest.step), and this job ends at step "
                    + "\(job.plan.lastStep): nothing is left to train. Give it more train.epochs (now \(config.train.epochs)) "
                    + "or train.max_steps, or train over the same data from step 1 with --restart-steps")
        }
        record = Record(
            checkpoint: URL(filePath: reader.path).standardizedFileURL.path, manifest: manifest.digest, step: step,
            resetsOptimizer: resetsOptimizer)
        let which = reader.path == path ? "" : " (the \(choice.rawValue) of \(path); --state best or last)"
        let how =
            step > 0
            ? "goes on with step \(step + 1) of \(self.job.plan.lastStep)"
            : "counts steps from 1 to \(job.plan.lastStep)\(other.map { ": \($0)" } ?? "")"
        words =
            "begins with \(resetsOptimizer ? "the weights of " : "")the state after step \(manifest.step) in \(reader.path)"
            + "\(which), and \(how)"
    }

    /// Why the state's steps are not steps of this job; nil if they are.
    private static func difference(
        _ manifest: Manifest, _ stored: JobConfig, _ config: JobConfig, dataset: String
    ) -> String? {
        if manifest.origin.dataset != dataset { return "it was trained on another dataset" }
        let (old, new) = (stored.train, config.train)
        if old.batch != new.batch { return "it was trained with train.batch \(old.batch), now \(new.batch)" }
        if old.seed != new.seed { return "it was trained with train.seed \(old.seed), now \(new.seed)" }
        if stored.data.train != config.data.train { return "it was trained on the split '\(stored.data.train)'" }
        return nil
    }
}

extension Resumption {
    /// What a run that began so keeps, in `began.json`, to begin so again before its own first checkpoint.
    package struct Record: Codable, Equatable {
        static let file = "began.json"
        /// The format that this release writes; the first one had neither a number nor a digest, and is read too.
        private static let currentFormat = 2

        var format = Record.currentFormat
        /// SHA-256 of the file with 64 zeros in the place of these digits.
        var digest = Seal.none
        /// The whole path of the checkpoint.
        package var checkpoint: String
        /// The digest of its manifest.
        var manifest: String
        /// Steps that count as done.
        var step: Int
        /// Whether the optimizers began afresh.
        var resetsOptimizer: Bool

        /// The file's bytes.
        func encoded() throws -> Data { Seal.close(try TelemetryJSON.encode(self, pretty: true)) }

        /// What the first format held, where `digest` is the manifest's.
        private struct First: Decodable {
            let checkpoint, digest: String
            let step: Int
            let resetsOptimizer: Bool
        }

        /// What a run's directory says, and what a person should know of it; nil for a run that began from nothing.
        static func read(in run: String) throws -> (record: Record, warning: String?)? {
            let path = "\(run)/\(file)"
            func refuse(_ problem: String) -> Complaint {
                Complaint(
                    "\(path): \(problem). It says with which state the run began, and without it the run, which has "
                        + "no checkpoint of its own yet, cannot begin so again: put the file back, or begin a new run "
                        + "with --run and the same --resume")
            }
            let data: Data
            do {
                guard try Files.stamp(path) != nil else { return nil }
                data = try Files.read(path, limit: 1 << 20)
            } catch {
                throw refuse("cannot be read (\(error))")
            }
            guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw refuse("is damaged, it is no JSON object")
            }
            let keys: Set = ["format", "digest", "checkpoint", "manifest", "step", "resets_optimizer"]
            if keys.subtracting(object.keys) == ["format", "manifest"], object.count == 4,
                let first = try? TelemetryJSON.decode(First.self, from: data)
            {
                let record = Record(
                    checkpoint: first.checkpoint, manifest: first.digest, step: first.step,
                    resetsOptimizer: first.resetsOptimizer)
                if let problem = record.problem { throw refuse(problem) }
                return (
                    record,
                    "\(path) is of an older release and has no digest of its own: that the run began with step "
                        + "\(record.step)\(record.resetsOptimizer ? " and the weights alone" : "") is believed as it stands there"
                )
            }
            guard let digest = object["digest"] as? String, Seal.holds(digest, in: data) else {
                throw refuse("is damaged, it does not have the digest that it states")
            }
            if let format = object["format"] as? Int, format > currentFormat {
                throw refuse("has the newer format \(format), and this release reads \(currentFormat)")
            }
            if let key = Set(object.keys).symmetricDifference(keys).sorted().first {
                throw refuse(keys.contains(key) ? "has no '\(key)'" : "has the unknown key '\(key)'")
            }
            guard let record = try? TelemetryJSON.decode(Record.self, from: data), record.format == currentFormat else {
                throw refuse("is no record of format \(currentFormat)")
            }
            if let problem = record.problem { throw refuse(problem) }
            return (record, nil)
        }

        /// What makes no sense, or nil.
        private var problem: String? {
            guard (0...Manifest.stepLimit).contains(step) else {
                return "has step \(step), expected 0 to \(Manifest.stepLimit)"
            }
            guard checkpoint.hasPrefix("/") else { return "has the checkpoint '\(checkpoint)', expected a whole path" }
            return Carriable.problem(checkpoint).map { "has a path of a checkpoint that \($0)" }
        }
    }
}
