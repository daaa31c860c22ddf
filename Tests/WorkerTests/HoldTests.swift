import Datasets
import Foundation
import Kernels
import Models
import Parameters
import Server
import Tensors
import Testing
import Wire

@testable import Worker

/// One worker and one shard in one thread: what the worker asks for is done piece by piece, so that a hold can come
/// between any two.
private final class Rig {
    let loop: WorkerLoop
    let shard: Shard
    private(set) var reached: [Int] = []
    private(set) var scores = 0
    private(set) var hasFinished = false
    private var queue: [WorkerLoop.Action] = []
    private let directory: String
    private var now = ContinuousClock.now
    /// How long reading the next batch takes after each computation.
    var reading = Duration.zero
    private(set) var progress: [Wire.Progress] = []

    static let plan = JobPlan(
        trainSamples: 64, batch: 16, microBatch: 4, epochs: 3, startStep: 0, evaluation: .steps(3))

    init() throws {
        useOneBLASThread()
        directory = FileManager.default.temporaryDirectory.appending(path: "hold-\(UUID().uuidString)").path
        let schema = Schema(
            tables: ["user", "item"], user: [.init("user", table: "user")], item: [.init("item", table: "item")],
            behavior: [.init("item", table: "item")])
        let writer = try DatasetWriter(directory: directory, name: "hold", schema: schema)
        let train = try writer.split("train")
        for event in 0..<100 { try train.appendEvent(behavior: [UInt64(2 + event * 7 % 31)], time: Int64(event)) }
        for sample in 0..<64 {
            try train.group(
                key: UInt64(sample + 2), user: [UInt64(2 + sample % 20)], time: nil, history: sample..<sample + 5)
            try train.candidate(item: [UInt64(2 + sample * 5 % 31)], label: Float(sample % 2))
        }
        try writer.finish()
        let split = try Dataset(directory: directory).split(named: "train")
        let model = try ModelOptions(.din).make(schema: schema)
        let map = try PartitionMap(shards: 1)
        let dense = model.layout.initialDense(seed: 1)
        shard = try Shard(
            ShardOptions(
                shard: 0, map: map, tables: model.tables.map { TableOptions(name: $0.name, width: $0.width) },
                layout: model.layout,
                initialDense: Array(UnsafeBufferPointer(start: dense.base, count: dense.count)),
                dense: DenseOptions(), seed: 1, plan: Self.plan, checkpoints: ""),
            identity: Header(.values, role: .server, rank: 0, incarnation: 1, job: 4, epoch: 1))
        loop = WorkerLoop(
            WorkerOptions(
                rank: 0, workers: 1, map: map, model: model, schema: schema, historyLimit: 10, plan: Self.plan,
                train: split, scored: ["validation": split], threads: 1, seed: 1),
            identity: Header(.pull, role: .worker, rank: 0, incarnation: 1, job: 4, epoch: 1), at: now, computed: {})
        loop.begin()
        queue = loop.takeActions()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Does the next thing that was asked for; false when there is none.
    func advance() throws -> Bool {
        guard !queue.isEmpty else { return false }
        switch queue.removeFirst() {
        case .data(_, let message):
            for answer in shard.receive(message, from: [1]) { try act { try loop.receive(answer.message, from: 0) } }
        case .control(.reached(let point)): reached.append(point.step)
        case .control(.progress(let told)): progress.append(told)
        case .control: break
        case .scores: scores += 1
        case .compute(let tasks):
            for task in 0..<tasks { loop.compute.run(task: task, thread: 0) }
            act { loop.computed() }
            now += reading
            act { loop.finishedRound() }
        case .finish: hasFinished = true
        }
        return true
    }

    private func act(_ body: () throws -> Void) rethrows {
        loop.now = now
        try body()
        queue += loop.takeActions()
    }

    /// Goes on until it stands; verdicts are given by the caller.
    func settle() throws { while try advance() {} }

    func decide(_ action: Verdict.Action) {
        act { loop.receive(Verdict(step: loop.step, action: action)) }
    }

    func hold() { act { loop.hold() } }

    /// Whether it waits for a verdict.
    var stands: Bool { if case .standing = loop.phase { true } else { false } }

    /// The dense parameters, as bits.
    var bits: [UInt32] { (0..<shard.dense.range.count).map { shard.dense.weights[$0].bitPattern } }
}

@Suite(.serialized) struct HoldTests {
    /// Where a hold finds the worker.
    enum Place: String, CaseIterable {
        case beforeFirstStep, pulling, computing, awaitingVerdict, scoring
    }

    private func isThere(_ rig: Rig, _ place: Place) -> Bool {
        switch (place, rig.loop.phase) {
        case (.beforeFirstStep, .filling(.training)), (.awaitingVerdict, .standing): true
        case (.pulling, .pulling(.training, _)), (.computing, .computing(.training, _)): rig.loop.step == 2
        case (.scoring, .pulling(.scoring, _)), (.scoring, .computing(.scoring, _)), (.scoring, .filling(.scoring)):
            true
        default: false
        }
    }

    /// The state after six steps of a worker that nobody holds.
    private func unheld() throws -> [UInt32] {
        let rig = try Rig()
        try rig.settle()
        #expect(rig.reached == [3])
        rig.decide(.proceed)
        try rig.settle()
        #expect(rig.reached == [3, 6] && rig.shard.step == 6)
        return rig.bits
    }

    @Test(
        "a held worker ends the step that it has begun, says so once, and goes on by single steps to the same bits",
        arguments: Place.allCases)
    func hold(in place: Place) throws {
        let rig = try Rig()
        while !isThere(rig, place) {
            if rig.stands, place == .scoring { rig.decide(.score(split: "validation")) }
            guard try rig.advance() || isThere(rig, place) else {
                Issue.record("\(place) was never seen")
                return
            }
        }
        rig.hold()
        try rig.settle()
        let expected =
            switch place {
            case .beforeFirstStep: 0
            // What waits for its values has not begun.
            case .pulling: 1
            case .computing: 2
            case .awaitingVerdict, .scoring: 3
            }
        #expect(rig.stands && rig.reached == [expected], "\(rig.reached)")
        #expect(rig.shard.step == expected)
        #expect(rig.scores == (place == .scoring ? 1 : 0))
        // A second hold changes nothing.
        rig.hold()
        for step in expected + 1...6 {
            rig.decide(.proceed)
            try rig.settle()
            #expect(rig.reached.last == step && rig.shard.step == step && rig.stands)
        }
        #expect(rig.reached == Array(expected...6))
        #expect(try rig.bits == unheld())
        rig.decide(.stop)
        try rig.settle()
        #expect(rig.hasFinished)
    }

    @Test("what is told of a step's times says of reading what reading took, and of the wire what the wire did")
    func times() throws {
        let rig = try Rig()
        rig.reading = .seconds(20)
        try rig.settle()
        #expect(!rig.progress.isEmpty)
        for told in rig.progress {
            #expect(told.readSeconds >= 20 && told.wireSeconds < 20 && told.computeSeconds < 20)
        }
    }
}
