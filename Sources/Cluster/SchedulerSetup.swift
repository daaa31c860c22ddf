import Checkpoints
import Datasets
import Foundation
package import Job
import Models
package import Scheduler
import Telemetry
package import Transport
import Wire

/// Builds the scheduler of a job.
package enum SchedulerSetup {
    /// The options that follow from a job.
    package static func options(
        _ job: Job, checkpoints: String?, resume: String?, resetsOptimizer: Bool = false
    ) throws -> SchedulerOptions {
        let config = job.config
        for path in [checkpoints, resume].compactMap(\.self) {
            guard let problem = Carriable.problem(path) else { continue }
            throw Complaint.data("\(Carriable.shown(path)) \(problem): rename it, or move it")
        }
        // A checkpoint of another run is where this one begins, and says nothing of its own states.
        let isSameRun = resume.map { RunPlace.place(of: $0 + "/..") } == checkpoints.map(RunPlace.place)
        let judgement = isSameRun ? try resume.map { try Manifest(directory: $0).judgement } : nil
        func split(_ name: String) -> String? { job.scoredSamples[name] == nil ? nil : name }
        var options = SchedulerOptions(job.plan, job: .random(in: 1 ... .max))
        options.servers = config.cluster.servers
        options.shardsPerServer = config.cluster.shards
        options.workers = config.cluster.workers
        options.config = try config.yaml()
        options.splits = job.scoredSamples
        options.validation = split(config.data.validation)
        options.test = split(config.data.test)
        options.metric = config.train.metric
        if config.train.patience > 0 {
            options.earlyStop = .init(patience: config.train.patience, minimumGain: config.train.minimumGain)
        }
        options.keepBest = config.checkpoint.best
        options.keepLast = config.checkpoint.last
        options.checkpoints = checkpoints
        options.resume = resume
        options.judgement = judgement
        options.silence = .seconds(config.cluster.silence)
        options.startTimeout = .seconds(config.cluster.startTimeout)
        options.linger = .seconds(config.monitor.linger)
        options.version = SystemInfo.version
        options.dataset = try job.dataset.fingerprint()
        options.resetsOptimizer = resetsOptimizer
        return options
    }

    /// Which run writes checkpoints, on what: the one whose state it goes on with, or a new one.
    private static func origin(_ job: Job, _ options: SchedulerOptions) throws -> Manifest.Origin {
        let earlier = try options.resume.map { try Manifest(directory: $0) }
        let takeover = CheckpointReader.Takeover(
            restartsSteps: options.plan.startStep == 0, resetsOptimizer: options.resetsOptimizer)
        return Manifest.Origin(
            release: SystemInfo.version,
            run: options.judgement == nil ? String(options.job, radix: 16) : earlier?.origin.run ?? "",
            dataset: options.dataset, earlierUpdates: earlier.map { takeover.earlierUpdates($0) } ?? 0)
    }

    /// A scheduler that listens on an endpoint.
    ///
    /// - Parameter allowed: whose keys are let in, where the context encrypts.
    package static func node(
        _ job: Job, _ options: SchedulerOptions, on endpoint: String, in context: Context, allowed: AllowList? = nil,
        monitor: Monitor
    ) throws -> SchedulerNode {
        if let allowed {
            context.gate.admit { allowed.role(of: $0) == nil ? .refused : .allowed }
            try context.proveGuarded(at: try Endpoint(endpoint))
        }
        let config = job.config
        var options = options
        options.attempt = monitor.run?.attempt ?? 1
        let writer = CheckpointWriter(
            directory: options.checkpoints ?? "", layout: job.model.layout, tables: job.tables, dense: config.dense,
            map: try job.map(shards: config.cluster.servers * config.cluster.shards),
            origin: try origin(job, options), config: options.config, keep: config.checkpoint.keep)
        let node = try SchedulerNode(
            options, on: endpoint, in: context, role: { allowed?.role(of: $0) }
        ) { step, parts, judgement in
            try writer.commit(step: step, parts: parts, judgement: judgement)
        } discard: { step in
            writer.discard(step: step)
        } inspect: { wish in
            Inspection(
                status: monitor.book.board.status,
                series: wish.seriesSince.map { monitor.book.board.series(since: $0) } ?? [])
        } watch: {
            monitor.take($0)
        }
        monitor.book.announce(attempt: options.attempt)
        monitor.book.announce {
            $0.id = String(options.job, radix: 16)
            if !node.endpoint.hasPrefix("inproc") { $0.scheduler = node.endpoint }
            if node.endpoint.hasPrefix("tcp") { $0.isEncrypted = allowed != nil }
        }
        return node
    }
}
