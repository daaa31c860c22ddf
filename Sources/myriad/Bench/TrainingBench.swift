import Cluster
import Datasets
import Foundation
import Job
import Scheduler
import Telemetry
import Transport

/// Samples a second of whole training: reading, forward, backward, pull, push and both optimizers.
struct TrainingBench {
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
    func inProcess(_ config: JobConfig) throws -> [Double] {
        let job = try Job(config)
        return try measure(job) { try LocalCluster.run(job, checkpoints: nil, monitor: $0, started: $1) }
    }

    /// Trains as a cluster of processes.
    func launched(_ config: JobConfig, program: String) throws -> [Double] {
        let job = try Job(config)
        let path = NSTemporaryDirectory() + "/myriad-bench-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let run = try RunDirectory(path: path, config: config, resumes: false)
        return try measure(job) { monitor, started in
            try Launcher.run(
                job, in: run, monitor: monitor, on: ThisMachine(job, program: program), started: started)
        }
    }

    /// Turns progress into rates of windows after a warm-up, and ends the job after the last; returns them in order.
    private func measure(_ job: Job, _ run: (Monitor, _ started: (SchedulerNode) -> Void) throws -> Void) throws
        -> [Double]
    {
        let end = "measured"
        let monitor = Monitor(job, run: nil, quiet: true)
        var (samples, rates) = (0, [Double]())
        var warm: ContinuousClock.Instant?
        var begin: (time: ContinuousClock.Instant, samples: Int)?
        try run(monitor) { scheduler in
            let inbox = scheduler.inbox
            monitor.observe = { more in
                samples += more
                let now = ContinuousClock.now
                let warmed = warm ?? now + .seconds(1)
                warm = warmed
                guard let first = begin else {
                    if now > warmed { begin = (now, samples) }
                    return
                }
                let length = first.time.duration(to: now) / .seconds(1)
                guard length >= seconds else { return }
                rates.append(Double(samples - first.samples) / length)
                begin = (now, samples)
                if rates.count == repeats {
                    inbox.post(.saw(Evidence(.ownWords, of: nil, what: end, cause: .interrupted)))
                }
            }
        }
        if let failure = monitor.failure?.what, failure != end {
            throw Problem(description: failure)
        }
        return rates.prefix(repeats).sorted()
    }
}

extension [Double] {
    /// The one in the middle of those that are in order.
    var middle: Double { isEmpty ? 0 : self[count / 2] }
}
