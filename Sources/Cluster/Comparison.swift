import Datasets
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
    /// It cannot be made, or a run of it failed.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

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
    package struct Figures: Sendable, Equatable {
        package var auc: Double?
        package var gauc: Double?
        package var logLoss: Double?
        package var samplesPerSecond: Double?
    }

    /// A model with one seed.
    package struct Run: Sendable {
        /// Which of the models.
        package let model: Int
        /// Its seed.
        package let seed: Int
        /// Its run directory.
        package let directory: String
        /// What came out; nil until it is finished.
        package internal(set) var figures: Figures?
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
                throw Failure(
                    description: "\(other) and \(path) are both named '\(model.name)': rename one of the files")
            }
            return model
        }
        try RunPlace.checkPlace(output, "the output directory", "--output")
        for (number, model) in models.enumerated() {
            for seed in 1...seeds {
                let directory = "\(output)/\(model.name)-\(seed)"
                try RunPlace.check(directory)
                var run = Run(model: number, seed: seed, directory: directory)
                run.figures = try finished(run)
                runs.append(run)
            }
        }
        do {
            try Files.makeDirectory(output)
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    private static func resolve(_ path: String, data: String?, overrides: [String]) throws -> Model {
        var config = try ConfigReader.read(path: path, overrides: overrides)
        if let data { config.data.directory = data }
        let job: Job
        do { job = try Job(config) } catch { throw Failure(description: "\(path): \(error)") }
        let scored = [config.data.test, config.data.validation].filter { job.scoredSamples[$0] != nil }
        guard let split = scored.first else {
            throw Failure(
                description: "\(path): neither data.test nor data.validation names a split with samples, so there is "
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
    package func name(of run: Run) -> String { "\(models[run.model].name), seed \(run.seed)" }

    private func config(of run: Run) -> JobConfig {
        var config = models[run.model].config
        config.train.seed = UInt64(run.seed)
        return config
    }

    /// The figures of a run that an earlier comparison finished; a run of another configuration is an error.
    private func finished(_ run: Run) throws -> Figures? {
        let text: String
        do {
            text = try Files.text(of: run.directory + "/config.yaml")
        } catch {
            if error.isMissing { return nil }
            throw Failure(description: "\(error)")
        }
        let wanted = try config(of: run).yaml()
        guard text == wanted else {
            let lines = zip(text.split(separator: "\n"), wanted.split(separator: "\n"))
            let difference = lines.first { $0 != $1 }.map {
                ": '\($0.trimmingCharacters(in: .whitespaces))' there, "
                    + "'\($1.trimmingCharacters(in: .whitespaces))' here"
            }
            throw Failure(
                description: "\(run.directory) holds a run of another configuration\(difference ?? ""); "
                    + "name another directory with --output")
        }
        return figures(of: run)
    }

    /// What a run's `metrics.jsonl` says of its end; nil unless it ended well.
    private func figures(of run: Run) -> Figures? {
        struct Line: Decodable {
            let event: String
            let testAuc, testGauc, testLogLoss: Double?
            let validationAuc, validationGauc, validationLogLoss: Double?
            let samplesPerSecond: Double?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let record = try? Files.read(run.directory + "/metrics.jsonl", limit: .max) else { return nil }
        for line in record.split(separator: 10).reversed() {
            guard let end = try? decoder.decode(Line.self, from: line), end.event == "finished"
            else { continue }
            let model = models[run.model]
            let isTest = model.split == model.config.data.test
            return Figures(
                auc: isTest ? end.testAuc : end.validationAuc, gauc: isTest ? end.testGauc : end.validationGauc,
                logLoss: isTest ? end.testLogLoss : end.validationLogLoss, samplesPerSecond: end.samplesPerSecond)
        }
        return nil
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
                throw Failure(
                    description: "\(run.directory) holds a run that began with another one's state (--resume): "
                        + "name another directory with --output")
            }
            // One that was killed at its very end has no figures of its speed: it is trained anew.
            let checkpoint = found.outcome == nil ? found.checkpoint : nil
            if found.hasBegun, checkpoint == nil { try lock.clear() }
            let job = try Job(config(of: run), startStep: checkpoint?.step ?? 0)
            let directory = try RunDirectory(
                path: run.directory, config: job.config, resumes: checkpoint != nil, lock: lock)
            let before = job.plan.samples(through: job.plan.startStep)
            let monitor = Monitor(
                run: directory, samples: job.plan.samples(through: job.plan.lastStep) - before, before: before,
                quiet: quiet, label: "\(name(of: run)) (\(number + 1) of \(runs.count)): ",
                book: ClusterBook(job, directory: run.directory))
            defer { monitor.close() }
            try LocalCluster.run(
                job, checkpoints: directory.checkpoints, resume: checkpoint?.path, monitor: monitor, started: started)
            if monitor.stopped != nil { return }
            if let failure = monitor.failure { throw Failure(description: failure.what) }
            _ = monitor.summary()
        } catch {
            throw Failure(description: "\(name(of: run)): \(error)")
        }
        guard let figures = figures(of: run) else {
            throw Failure(description: "\(name(of: run)): \(run.directory)/metrics.jsonl could not be written")
        }
        runs[number].figures = figures
    }

    // MARK: Results

    /// Whether every run is finished.
    package var isComplete: Bool { runs.allSatisfy { $0.figures != nil } }

    /// Writes `table.md`, `results.json` and, where runs were validated, `curves.svg`.
    package func write() throws {
        let curves = models.indices.compactMap { model -> Curves.Curve? in
            let done = runs.filter { $0.model == model && $0.figures != nil }
            let curves = done.compactMap {
                try? Curves.Curve(run: $0.directory, split: models[model].config.data.validation)
            }
            guard !curves.isEmpty else { return nil }
            return Curves.Curve(name: models[model].name, meanOf: curves)
        }
        do {
            try Files.write(table(), to: output + "/table.md")
            try Files.replace(output + "/results.json", with: results())
            guard !curves.isEmpty else { return }
            try Files.write(Curves.draw(curves), to: output + "/curves.svg")
        } catch {
            throw Failure(description: "\(error)")
        }
    }
}
