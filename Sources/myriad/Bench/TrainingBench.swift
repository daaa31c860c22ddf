import Cluster
import Datasets
import Foundation
import Job
import Scheduler
import Telemetry
import Transport

/// Samples a second of whole training: reading, forward, backward, pull, push and both optimizers.
struct TrainingBench {
    /// One result.
    struct Result: Sendable {
        /// Samples a second of each repeat.
        let rates: [Double]

        /// The one in the middle.
        var median: Double {
            let sorted = rates.sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        }
    }

    /// A dataset.
    let directory: String
    /// Length of a repeat.
    let seconds: Double
    /// How often it is measured.
    let repeats: Int

    /// The configuration of the workload.
    func config(model: String, dim: Int, batch: Int, threads: Int) throws -> JobConfig {
        var overrides = [
            "data.directory=\(directory)", "data.validation=", "data.test=", "model.kind=\(model)",
            "model.pooling=sum", "model.embedding.width=\(dim)", "model.top.input_norm=batch",
            "model.top.activation=dice",
            "train.batch=\(batch)", "train.micro_batch=\(min(batch, 256))", "train.epochs=1000000",
            "train.evaluations=0", "cluster.threads=\(threads)", "rows.optimizer={kind: adagrad, rate: 0.05}",
            "checkpoint={best: false, last: false}",
        ]
        let pooled = "user, target, history, history_product"
        switch model {
        case "din":
            overrides += ["model.input=[\(pooled), attention]", "model.attention.normalization=softmax"]
        case "dien":
            overrides += [
                "model.input=[\(pooled), attention]", "model.attention.kind=mlp", "model.gru.update=keep",
                "model.gru.hidden_bias=true",
            ]
        case "dsin":
            overrides += [
                "model.input=[user, target, attention]", "model.transformer.heads=\(dim % 4 == 0 ? 8 : 6)",
                "model.transformer.output=false", "model.transformer.norm=none", "model.interacting.layers=2",
                "model.interacting.merge=mean", "model.attention={kind: mlp, query: none}",
            ]
        case "bst": overrides.append("model.input=[\(pooled), attention]")
        default: overrides.append("model.input=[\(pooled)]")
        }
        return try ConfigReader.read(text: "", name: "bench", overrides: overrides)
    }

    /// Trains in this process until enough repeats are measured.
    func inProcess(_ config: JobConfig) throws -> Result {
        let job = try Job(config)
        let (monitor, clock) = (
            Monitor(job, run: nil, quiet: true), RateClock(seconds: seconds, repeats: repeats)
        )
        try LocalCluster.run(job, checkpoints: nil, monitor: monitor) { clock.watch(monitor, $0) }
        return try clock.result(monitor)
    }

    /// Trains as a cluster of processes.
    func launched(_ config: JobConfig, program: String) throws -> Result {
        let job = try Job(config)
        let path = NSTemporaryDirectory() + "/myriad-bench-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = try RunDirectory(path: path, config: config, resumes: false)
        let (monitor, clock) = (
            Monitor(job, run: nil, quiet: true), RateClock(seconds: seconds, repeats: repeats)
        )
        try Launcher.run(job, in: run, monitor: monitor, on: ThisMachine(job, program: program)) {
            clock.watch(monitor, $0)
        }
        return try clock.result(monitor)
    }
}

/// Turns progress into rates of windows, and ends the job after the last.
private final class RateClock {
    private static let end = "measured"
    private let seconds: Double
    private let repeats: Int
    private var samples = 0
    private var begin: (time: ContinuousClock.Instant, samples: Int)?
    private var warm: ContinuousClock.Instant?
    private(set) var rates: [Double] = []

    init(seconds: Double, repeats: Int) {
        self.seconds = seconds
        self.repeats = repeats
    }

    func watch(_ monitor: Monitor, _ scheduler: SchedulerNode) {
        let inbox = scheduler.inbox
        monitor.observe = { [self] more in
            samples += more
            let now = ContinuousClock.now
            guard let warm else {
                warm = now + .seconds(1)
                return
            }
            guard let begin else {
                if now > warm { begin = (now, samples) }
                return
            }
            let length = begin.time.duration(to: now) / .seconds(1)
            guard length >= seconds else { return }
            rates.append(Double(samples - begin.samples) / length)
            self.begin = (now, samples)
            if rates.count == repeats {
                inbox.post(.saw(Evidence(.ownWords, of: nil, what: RateClock.end, cause: .interrupted, at: .now)))
            }
        }
    }

    func result(_ monitor: Monitor) throws -> TrainingBench.Result {
        if let failure = monitor.failure?.what, failure != RateClock.end {
            throw BenchData.Failure(description: failure)
        }
        return TrainingBench.Result(rates: Array(rates.prefix(repeats)))
    }
}
