import Datasets
import Foundation
import Job
import Models
import Parameters
import Server
import Tensors
import Wire
import Worker

/// What every simulated cluster trains: a small DIN on 40 impressions, by one of several plans.
final class SimulatedJob: Sendable {
    /// Partitions: as many as a simulated cluster may have shards, and more.
    static let partitions = 32
    static let id: UInt64 = 4711
    static let trainSamples = 40

    let schema: Schema
    let model: any Model
    let train: Split
    /// Validation and test.
    let scored: [String: Split]
    private let initialDense: [Float]
    /// The maps of 1 shard, 2 shards and so on.
    private let maps: [PartitionMap]

    /// Writes its dataset into a directory of the system's, which is gone when this returns: its files stay mapped.
    init() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "simulation-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        maps = try (1...Self.partitions).map { try PartitionMap(partitions: Self.partitions, shards: $0) }
        schema = Schema(
            tables: ["user", "item"], user: [.init("user", table: "user")], item: [.init("item", table: "item")],
            behavior: [.init("item", table: "item")])
        let writer = try DatasetWriter(directory: directory, name: "simulation", schema: schema)
        for (name, samples) in [("train", Self.trainSamples), ("validation", 13), ("test", 7)] {
            let split = try writer.split(name)
            for event in 0..<samples + 4 {
                try split.appendEvent(behavior: [UInt64(2 + event * 7 % 31)], time: Int64(event))
            }
            for sample in 0..<samples {
                try split.group(
                    key: UInt64(2 + sample % 5), user: [UInt64(2 + sample % 20)], time: nil,
                    history: sample..<sample + sample % 5)
                try split.candidate(item: [UInt64(2 + sample * 5 % 31)], label: Float(sample % 2))
            }
        }
        try writer.finish()
        let dataset = try Dataset(directory: directory)
        train = try dataset.split(named: "train")
        scored = [
            "validation": try dataset.split(named: "validation"), "test": try dataset.split(named: "test"),
        ]
        let options = "model: {embedding: {width: 4}, attention: {hidden: [4]}, top: {hidden: [8]}}"
        model = try ConfigReader.read(text: options, name: "simulation").model.make(schema: schema)
        let dense = model.layout.initialDense(seed: 1)
        initialDense = Array(UnsafeBufferPointer(start: dense.base, count: dense.count))
    }

    /// The plans: one to five micro-batches a step, short last steps and short last micro-batches, decisions now and then.
    static let plans = [
        JobPlan(
            trainSamples: trainSamples, batch: 16, microBatch: 4, epochs: 2, evaluation: .perEpoch(1),
            checkpointEvery: 2),
        JobPlan(trainSamples: trainSamples, batch: 10, microBatch: 5, epochs: 2, evaluation: .perEpoch(2)),
        JobPlan(
            trainSamples: trainSamples, batch: 18, microBatch: 6, epochs: 3, evaluation: .steps(2), checkpointEvery: 3),
        JobPlan(trainSamples: 37, batch: 36, microBatch: 8, epochs: 4, evaluation: .never, checkpointEvery: 1),
        JobPlan(trainSamples: trainSamples, batch: 7, microBatch: 7, epochs: 1, evaluation: .steps(3)),
        JobPlan(
            trainSamples: 39, batch: 9, microBatch: 4, epochs: 2, maxSteps: 8, evaluation: .perEpoch(1),
            checkpointEvery: 4),
    ]

    /// The options of one of the job's shards.
    func shard(_ number: Int, of shards: Int, workers: Int, _ plan: JobPlan) -> ShardOptions {
        ShardOptions(
            shard: number, map: maps[shards - 1],
            tables: model.tables.map {
                var table = TableOptions(name: $0.name, width: $0.width)
                table.regularization.counts = .running
                return table
            },
            layout: model.layout, initialDense: initialDense, dense: DenseOptions(), seed: 1, plan: plan,
            checkpoints: "checkpoints", workers: workers, statistics: false)
    }

    /// The options of a worker.
    func worker(_ rank: Int, of workers: Int, shards: Int, _ plan: JobPlan, requestTimeout: Duration) -> WorkerOptions {
        WorkerOptions(
            rank: rank, workers: workers, map: maps[shards - 1], model: model, schema: schema, historyLimit: 10,
            plan: plan, train: train, scored: scored, threads: 1, seed: 1, requestTimeout: requestTimeout,
            statistics: false)
    }
}
