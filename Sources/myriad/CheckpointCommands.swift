import ArgumentParser
import Checkpoints
import Cluster
import Datasets
import Job
import Scheduler
import Telemetry
import Yams

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a split with the best (else the newest) checkpoint of a run.",
        discussion: """
            Examples:
              myriad evaluate runs/synthetic-1
              myriad evaluate runs/synthetic-1 --data data/other --split validation
            """)

    @Argument(help: "A run or checkpoint directory.")
    var path: String

    @Option(help: "A dataset directory; the run's own unless given.")
    var data: String?

    @Option(help: "The split to score; the run's test split unless given.")
    var split: String?

    func run() throws {
        try Exit.attempt(.input) {
            let reader = try CheckpointReader(path: path)
            var config = try ConfigReader.read(text: reader.manifest.config, name: reader.path + "/manifest.json")
            if let data { config.data.directory = data }
            config.data.validation = split ?? config.data.test
            config.data.test = ""
            config.train.maxSteps = 1
            config.cluster = JobConfig().cluster
            let job = try Job(config, startStep: reader.manifest.step)
            if try job.dataset.fingerprint() != reader.manifest.origin.dataset {
                StandardError.line(
                    "warning: \(config.data.directory) is another dataset than the one that was trained on: the score means "
                        + "something only if both give things the same ids")
            }
            let monitor = Monitor(job, run: nil, quiet: true)
            try LocalCluster.run(job, checkpoints: nil, resume: reader.path, monitor: monitor)
            if let failure = monitor.failure { throw ExitCode(failure.exitCode) }
            guard let metrics = monitor.outcome?.bestValidation else {
                throw Exit.with(
                    .failed, "\(job.config.data.directory) has no samples in split '\(config.data.validation)'")
            }
            print("\(config.data.validation) at step \(reader.manifest.step): \(Monitor.describe(metrics))")
        }
    }
}

struct Checkpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Describe a checkpoint; its SHA-256 is the same whatever cluster wrote the same content.",
        discussion: "Example: myriad checkpoint runs/synthetic-1")

    @Argument(help: "A run or checkpoint directory.")
    var path: String

    @Flag(help: "The newest instead of the best.")
    var newest = false

    func run() throws {
        try Exit.attempt(.input) {
            let reader = try CheckpointReader(path: path, newest ? .last : .best)
            let origin = reader.manifest.origin
            print("checkpoint: \(reader.path.harmless)")
            print("step: \(reader.manifest.step)")
            print("written by: run \(origin.run) on dataset \(origin.dataset), release \(origin.release)".harmless)
            for table in reader.manifest.tables {
                print(
                    "table \(table.name): \(table.rows) rows of \(table.width) floats and \(table.slots) of \(table.optimizer)'s state"
                        .harmless)
            }
            print("sha256: \(try reader.contentDigest())")
        }
    }
}
