import Checkpoints
import Datasets
import Foundation
import Job
import Kernels
import Models
import Parameters
package import Server
import Telemetry
package import Transport
package import Wire
package import Worker

/// Builds the roles' parts from what the scheduler told them: every node derives the same job from the same text.
package enum NodeSetup {
    /// A server that builds its shards of what the scheduler tells it.
    package static func server(
        _ options: NodeOptions, listen: [String], in context: Context, checkpoints: String
    ) -> ServerNode {
        ServerNode(options, listen: listen, in: context, process: SystemInfo.process, write: { try write($0, $1) }) {
            try shards($0, $1, checkpoints: checkpoints, tell: $2)
        }
    }

    /// A worker that builds itself of what the scheduler tells it.
    package static func worker(_ options: NodeOptions, in context: Context) -> WorkerNode {
        WorkerNode(options, in: context, process: SystemInfo.process) { try worker($0, tell: $1) }
    }

    private static func job(_ welcome: Welcome, _ tell: (String) -> Void) throws -> Job {
        tell("building: checking the dataset")
        let config = try ConfigReader.read(text: welcome.config, name: "the job's configuration")
        let job = try Job(config, startStep: welcome.resumeStep)
        if let wanted = welcome.dataset { try job.dataset.check(fingerprint: wanted) }
        return job
    }

    /// The shards of one server, restored when the job resumes.
    ///
    /// - Parameter tell: called with what is being done, in words.
    package static func shards(
        _ welcome: Welcome, _ identity: Header, checkpoints: String, tell: @escaping (String) -> Void
    ) throws -> [Shard] {
        useOneBLASThread()
        let job = try job(welcome, tell)
        let endpoints = welcome.servers.map(\.count)
        let map = try job.map(shards: endpoints.reduce(0, +))
        guard endpoints.indices.contains(welcome.rank) else {
            throw WireError.body(
                .welcome, detail: "it names \(endpoints.count) servers, and this one server \(welcome.rank)")
        }
        let first = endpoints[..<welcome.rank].reduce(0, +)
        let reader = try welcome.resumePath.map { try CheckpointReader(path: $0) }
        let total = gigabytes((reader?.manifest.parts ?? []).reduce(0) { $0 + $1.bytes } * endpoints[welcome.rank])
        reader?.progress = { tell("building: restoring \(gigabytes($0)) of at most \(total) GB") }
        tell("building")
        if let step = reader?.manifest.step, welcome.resumeStep != 0, welcome.resumeStep != step {
            throw CheckpointError.mismatch(
                path: reader?.path ?? "",
                "is the state after step \(step) here, and step \(welcome.resumeStep) for the scheduler")
        }
        let takeover = CheckpointReader.Takeover(
            restartsSteps: welcome.resumeStep == 0, resetsOptimizer: welcome.resetsOptimizer == true)
        return try (first..<first + endpoints[welcome.rank]).map { number in
            let options = ShardOptions(
                shard: number, map: map, tables: job.tables, layout: job.model.layout, initialDense: job.initialDense,
                dense: job.config.dense, seed: job.config.train.seed, plan: job.plan, checkpoints: checkpoints,
                workers: welcome.workers, incarnations: welcome.incarnations,
                statistics: job.config.monitor.statistics)
            let shard = try Shard(options, identity: identity)
            try reader?.restore(
                tables: shard.tables, dense: shard.dense, partitions: Array(map.partitions(ofShard: number)),
                layout: job.model.layout, takeover)
            // After the state, whose counts may be of another dataset.
            try job.setPreparedCounts(of: shard.tables)
            return shard
        }
    }

    private static func gigabytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1e9) }

    /// Sees before the job begins whether parts of checkpoints can be written where the scheduler has made a directory.
    package static func checkShared(_ directory: String) throws {
        let host = ProcessInfo.processInfo.hostName
        let remedy =
            "the run's directory has to lie on a file system that the scheduler and all servers share, under the same "
            + "path: name one with --run"
        guard FileManager.default.fileExists(atPath: directory) else {
            throw Complaint.config("host \(host): \(directory): no such directory here: \(remedy)")
        }
        guard access(directory, W_OK | X_OK) == 0 else {
            let problem = String(cString: strerror(errno))
            throw Complaint.config("host \(host): \(directory): cannot be written (\(problem)): \(remedy)")
        }
    }

    /// Writes a shard's part of a checkpoint.
    package static func write(_ shard: Shard, _ request: SnapshotRequest) throws -> SnapshotDone {
        let options = shard.options
        return try PartFile.write(
            tables: shard.tables, dense: shard.dense, partitions: Array(options.map.partitions(ofShard: options.shard)),
            shard: options.shard, shards: options.map.shards, step: request.step, checkpoints: request.directory)
    }

    /// A worker's options: its data opened, its model made.
    ///
    /// - Parameter tell: called with what is being done, in words.
    package static func worker(_ welcome: Welcome, tell: (String) -> Void) throws -> WorkerOptions {
        useOneBLASThread()
        let job = try job(welcome, tell)
        tell("building")
        let data = job.config.data
        var scored: [String: Split] = [:]
        for name in Set([data.validation, data.test]) where !name.isEmpty { scored[name] = try job.open(split: name) }
        let train = job.plan.lastStep > job.plan.startStep ? try job.open(split: data.train) : nil
        return WorkerOptions(
            rank: welcome.rank, workers: welcome.workers,
            map: try job.map(shards: welcome.servers.flatMap(\.self).count),
            model: job.model, schema: job.dataset.schema, historyLimit: data.history, plan: job.plan, train: train,
            negatives: try train.flatMap { try job.negatives(of: $0) }, scored: scored,
            threads: job.config.cluster.threads, seed: job.config.train.seed,
            requestTimeout: .seconds(job.config.cluster.requestTimeout), statistics: job.config.monitor.statistics)
    }
}
