package import Checkpoints
import Datasets
import Foundation
package import Job
import Models
import Tensors
import Wire

/// How a new run begins from the state of another one, which it never writes into.
///
/// Where the order of samples is the same (dataset, training split, batch, seed), steps go on where the state stopped.
/// Otherwise the state's step means nothing here: the new run counts from 1 and trains all of its plan. Schedules
/// follow the new run's steps; what the optimizers gathered goes on, and knows how many updates it has had.
package struct Resumption {
    /// The state cannot be taken.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

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
            throw Failure(description: "--resume \(Carriable.shown(path)) \(problem): rename it, or move it")
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
            throw Failure(
                description: "\(reader.path) is the state after step \(manifest.step), and this job ends at step "
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
