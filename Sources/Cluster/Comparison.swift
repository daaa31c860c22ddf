import Datasets
import Display
import Foundation
package import Job
import Models
package import Scheduler
import Telemetry
import Tensors
import Wire

/// Several configurations, each trained with several seeds: what `myriad compare` does.
///
/// Everything that can be wrong with a configuration or with the output directory is found before the first training.
package struct Comparison {
    /// A configuration and what its dataset says.
    package struct Model: Sendable {
        /// The name of its file.
        package let name: String
        /// Its settings; each run has a seed of its own.
        package let config: JobConfig
        /// The split whose figures are compared: test, or validation where there is no test split.
        package let split: String
        /// Whether a validation split chooses the state that is scored.
        package let hasValidation: Bool
        /// The best AUC possible on that split, where the dataset knows it.
        package let bayesAUC: Double?
        /// Trainable scalars, the rows of all training ids included.
        package let parameters: Int
    }

    /// What is compared of a run; nil where it has no value.
    package struct Figures<Value: Sendable>: Sendable {
        package var auc, gauc, logLoss, samplesPerSecond: Value?
    }

    /// A model with one seed.
    package struct Run: Sendable {
        package let model: Model
        package let seed: Int
        /// Its run directory.
        package let directory: String
        /// What came out; nil until it is finished.
        package internal(set) var figures: Figures<Double>?
    }

    /// Where everything is written.
    package let output: String
    /// Seeds of each model.
    package let seeds: Int
    /// The models in the order given.
    package let models: [Model]
    /// All runs in the order of training.
    package private(set) var runs: [Run] = []

    /// Reads and resolves every configuration, and finds what the output directory holds already.
    ///
    /// - Parameters:
    ///   - seeds: 1 to this number.
    ///   - data: the dataset of all configurations; their own ones unless given.
    ///   - overrides: laid over all configurations.
    package init(configs: [String], seeds: Int, data: String?, overrides: [String], output: String) throws {
        self.output = output
        self.seeds = seeds
        var paths: [String: String] = [:]
        models = try configs.map { path in
            let model = try Comparison.resolve(path, data: data, overrides: overrides)
            if let other = paths.updateValue(path, forKey: model.name) {
                throw Complaint("\(other) and \(path) are both named '\(model.name)': rename one of the files")
            }
            return model
        }
        try RunPlace.checkPlace(output, "the output directory", "--output")
        for model in models {
            for seed in 1...seeds {
                let directory = "\(output)/\(model.name)-\(seed)"
                try RunPlace.check(directory)
                var run = Run(model: model, seed: seed, directory: directory)
                run.figures = try finished(run)
                runs.append(run)
            }
        }
        try Files.makeDirectory(output)
    }

    private static func resolve(_ path: String, data: String?, overrides: [String]) throws -> Model {
        var config = try ConfigReader.read(path: path, overrides: overrides)
        if let data { config.data.directory = data }
        let job: Job
        do { job = try Job(config) } catch { throw Complaint("\(path): \(error)") }
        let scored = [config.data.test, config.data.validation].filter { job.scoredSamples[$0] != nil }
        guard let split = scored.first else {
            throw Complaint(
                "\(path): neither data.test nor data.validation names a split with samples, so there is "
                    + "nothing to compare")
        }
        let info = job.dataset.info
        return Model(
            name: ((path as NSString).lastPathComponent as NSString).deletingPathExtension, config: config,
            split: split, hasValidation: job.scoredSamples[config.data.validation] != nil,
            bayesAUC: info.splits[split]?.bayesAUC,
            parameters: job.model.parameterCount(rows: job.model.tables.map { info.ids[$0.name] ?? 0 }))
    }

    // MARK: Runs

    /// How a run is called in messages.
    package func name(of run: Run) -> String { "\(run.model.name), seed \(run.seed)" }

    private func config(of run: Run) -> JobConfig {
        var config = run.model.config
        config.train.seed = UInt64(run.seed)
        return config
    }

    /// The figures of a run that an earlier comparison finished; a run of another configuration is an error.
    private func finished(_ run: Run) throws -> Figures<Double>? {
        let path = run.directory + "/config.yaml"
        guard try Files.stamp(path) != nil else { return nil }
        let (text, wanted) = (try Files.text(of: path), try config(of: run).yaml())
        guard text == wanted else {
            throw Complaint(
                "\(run.directory) holds a run of another configuration\(JobConfig.difference(text, wanted)); name another "
                    + "directory with --output")
        }
        return figures(of: run)
    }

    /// What a run's `metrics.jsonl` says of its end; nil unless it ended well.
    private func figures(of run: Run) -> Figures<Double>? {
        guard let end = try? Record.last(of: ["finished"], in: run.directory) else { return nil }
        let found = end.figures(ofTest: run.model.split == run.model.config.data.test)
        return Figures(
            auc: found.auc, gauc: found.gauc, logLoss: found.logLoss, samplesPerSecond: end.samplesPerSecond)
    }

    /// Trains a run to its end, from its newest checkpoint if an earlier comparison left it unfinished.
    ///
    /// - Parameter started: given the scheduler, so that a signal can end the run; it has no figures then.
    package mutating func train(_ number: Int, quiet: Bool, started: (SchedulerNode) -> Void) throws {
        let run = runs[number]
        do {
            let lock = try RunLock(run.directory)
            let found = try Continuation(run: run.directory, config: config(of: run))
            guard !found.isAnothers else {
                throw Complaint(
                    "\(run.directory) holds a run that began with another one's state (--resume): "
                        + "name another directory with --output")
            }
            // One that was killed at its very end has no figures of its speed: it is trained anew.
            let checkpoint = found.outcome == nil ? found.checkpoint : nil
            if found.hasBegun, checkpoint == nil { try lock.clear() }
            let job = try Job(config(of: run), startStep: checkpoint?.step ?? 0)
            let directory = try RunDirectory(
                path: run.directory, config: job.config, resumes: checkpoint != nil, lock: lock)
            let monitor = Monitor(
                job, run: directory, quiet: quiet, label: "\(name(of: run)) (\(number + 1) of \(runs.count)): ")
            defer { monitor.close() }
            try LocalCluster.run(
                job, checkpoints: directory.checkpoints, resume: checkpoint?.path, monitor: monitor, started: started)
            if monitor.stopped != nil { return }
            if let failure = monitor.failure { throw Complaint(failure.what) }
            _ = monitor.summary()
        } catch {
            throw Complaint("\(name(of: run)): \(error)")
        }
        guard let figures = figures(of: run) else {
            throw Complaint("\(name(of: run)): \(run.directory)/metrics.jsonl could not be written")
        }
        runs[number].figures = figures
    }

    // MARK: Results

    /// The runs of a model that are finished.
    func done(_ model: Model) -> [Run] { runs.filter { $0.model.name == model.name && $0.figures != nil } }

    /// Whether every run is finished.
    package var isComplete: Bool { runs.allSatisfy { $0.figures != nil } }

    /// Writes `table.md`, `results.json` and, where runs were validated, `curves.svg`.
    package func write() throws {
        let curves = models.compactMap { model -> Curves.Curve? in
            let curves = done(model).compactMap {
                try? Curves.Curve(run: $0.directory, split: model.config.data.validation)
            }
            guard !curves.isEmpty else { return nil }
            return Curves.Curve(name: model.name, meanOf: curves)
        }
        try Files.write(table(), to: output + "/table.md")
        try Files.replace(output + "/results.json", with: results())
        guard !curves.isEmpty else { return }
        try Files.write(Curves.draw(curves), to: output + "/curves.svg")
    }
}
