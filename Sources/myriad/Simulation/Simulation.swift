import Datasets
import Scheduler
import Server
import Telemetry
import Wire
import Worker

/// One seeded run of a whole cluster: the real state machines under simulated time, in weather that a seed has made.
final class Simulation {
    /// Simulated time in which a job has to end: it trains for seconds, storms last 40 s, nodes need a minute.
    static let limit = Duration.seconds(900)
    /// Silence that the job endures: longer than the longest pause and the heartbeats that may be lost after it.
    private static let silence = Duration.seconds(40)

    let timeline = Timeline()
    let scenario: Scenario
    let plan: JobPlan
    private(set) var scheduler: SimulatedScheduler
    private(set) var servers: [SimulatedServer] = []
    private(set) var workers: [SimulatedWorker] = []
    /// Digests of the checkpoints that were sealed, by step.
    private(set) var sealed: [Int: UInt64] = [:]
    /// Why a shard holds more than it may, if one does.
    private(set) var hoard: String?
    /// Called when a shard has reached a step.
    var advanced: ((Shard) -> Void)?
    private let job: SimulatedJob
    private let network: Network
    private var random: Seeded
    /// Copies of states that are being written, by step and shard.
    private var copies: [Int: [Int: ShardState]] = [:]

    init(_ job: SimulatedJob, _ scenario: Scenario, seed: UInt64) {
        self.job = job
        self.scenario = scenario
        plan = SimulatedJob.plans[scenario.plan]
        random = Seeded(seed ^ 0x5eed)
        network = Network(timeline, Seeded(random.next()), scenario.weather)
        scheduler = SimulatedScheduler(Self.options(job, scenario, plan), in: network)
        scheduler.seal = { [unowned self] in seal($0, $1) }
        servers = (0..<scenario.servers).map(server)
        workers = (0..<scenario.workers).map(worker)
        disturb()
    }

    /// Runs until everybody has left, or the limit.
    func run() {
        while !isOver, timeline.advance(until: Self.limit) {}
    }

    var isOver: Bool { scheduler.hasLeft && nodes.allSatisfy { $0.hasLeft || $0.failure != nil } }
    var nodes: [SimulatedNode] { servers + workers }

    /// Gives back what the processes hold of each other.
    func release() {
        timeline.clear()
        network.clear()
        for node in nodes { node.release() }
        (servers, workers) = ([], [])
    }

    private static func options(_ job: SimulatedJob, _ scenario: Scenario, _ plan: JobPlan) -> SchedulerOptions {
        var options = SchedulerOptions(plan, job: SimulatedJob.id)
        options.servers = scenario.servers
        options.shardsPerServer = scenario.shards
        options.workers = scenario.workers
        options.splits = job.scored.mapValues(\.sampleCount)
        options.validation = "validation"
        options.test = "test"
        options.checkpoints = "checkpoints"
        options.silence = silence
        options.startTimeout = .seconds(600)
        options.name = "simulation"
        return options
    }

    // MARK: Processes

    private func server(_ rank: Int) -> SimulatedServer {
        let (shards, plan) = (scenario.servers * scenario.shards, plan)
        let delay = random.milliseconds(scenario.starts.lowerBound, scenario.starts.upperBound)
        let building = random.milliseconds(scenario.builds.lowerBound, scenario.builds.upperBound)
        return SimulatedServer(
            rank: rank, shards: scenario.shards, in: network, delay: delay, building: building, silence: Self.silence,
            scheduler: scheduler
        ) { [unowned self] welcome, identity in
            (0..<scenario.shards).map { index in
                let options = job.shard(
                    welcome.rank * scenario.shards + index, of: shards, workers: scenario.workers, plan)
                guard let shard = try? Shard(options, identity: identity) else {
                    preconditionFailure("the simulated job has options that its shards refuse")
                }
                // One closure for all shards; no thread but this one runs it.
                nonisolated(unsafe) let me = self
                return ShardDesk(shard) { try me.write($0, $1) }
            }
        }
    }

    private func worker(_ rank: Int) -> SimulatedWorker {
        let delay = random.milliseconds(scenario.starts.lowerBound, scenario.starts.upperBound)
        let building = random.milliseconds(scenario.builds.lowerBound, scenario.builds.upperBound)
        return SimulatedWorker(
            rank: rank, in: network, delay: delay, building: building, silence: Self.silence,
            random: Seeded(random.next()), scheduler: scheduler
        ) { [unowned self] welcome, identity in
            WorkerLoop(
                job.worker(
                    welcome.rank, of: scenario.workers, shards: scenario.servers * scenario.shards, plan,
                    requestTimeout: scenario.requestTimeout), identity: identity, computed: {})
        } connect: { [unowned self] worker in
            (0..<scenario.servers * scenario.shards).map {
                way(to: $0) {
                    worker.receive($0, from: $1)
                } enter: {
                    worker.enter($0)
                }
            }
        }
    }

    /// A connection to a shard.
    private func way(
        to shard: Int, _ answered: @escaping (Message, Int) -> Void, enter: @escaping (@escaping () -> Void) -> Void
    ) -> Cable {
        let server = servers[shard / scenario.shards]
        return network.connect(isControl: false) { [unowned self] message, name in
            server.enter { [unowned self] in
                server.receive(message, shard: shard % scenario.shards, from: name) { [unowned self] answer in
                    network.answer(answer.message, to: answer.to)
                }
                guard let desk = server.desks.first else { return }
                advanced?(desk.shard)
                for desk in server.desks where desk.shard.parkedCount > 2 * scenario.workers {
                    hoard =
                        "shard \(desk.shard.options.shard) holds \(desk.shard.parkedCount) pulls of \(scenario.workers) workers"
                }
            }
        } toCaller: { message in
            enter { answered(message, shard) }
        }
    }

    // MARK: Checkpoints

    private struct NoSpace: Error, CustomStringConvertible { let description = "no space left on the simulated disk" }

    private func write(_ shard: Shard, _ request: SnapshotRequest) throws -> SnapshotDone {
        if scenario.fullDisks > 0, isUnneeded(request.step), random.oneIn(scenario.fullDisks) { throw NoSpace() }
        copies[request.step, default: [:]][shard.options.shard] = try ShardState(shard)
        return SnapshotDone(
            step: request.step, shard: shard.options.shard, file: "part", rows: 0, bytes: 0, checksum: "",
            partitions: [],
            tables: [])
    }

    private func seal(_ step: Int, _ parts: [SnapshotDone]) -> String? {
        if scenario.fullDisks > 0, isUnneeded(step), random.oneIn(scenario.fullDisks) { return "no space left" }
        let states = parts.compactMap { copies[step]?[$0.shard] }
        sealed[step] = StateDigest.digest(states)
        return nil
    }

    /// Without its last checkpoint a job rightly fails.
    private func isUnneeded(_ step: Int) -> Bool { step < plan.lastStep }

    // MARK: Disturbances

    /// Somebody stops the job, now or a moment after the next decision.
    private func endInOrder() {
        guard scenario.stopsAfterDecision else { return scheduler.stop(.terminated) }
        scheduler.proceeds = { [unowned self] in
            scheduler.proceeds = nil
            timeline.after(random.milliseconds(0.01, 60)) { [scheduler] in scheduler.stop(.terminated) }
        }
    }

    private func disturb() {
        for _ in 0..<scenario.pauses {
            let process: SimulatedProcess = random.oneIn(6) ? scheduler : nodes[random.pick(0...nodes.count - 1)]
            let pause = random.milliseconds(scenario.pause.lowerBound, scenario.pause.upperBound)
            timeline.after(random.milliseconds(1, 30_000)) { process.stop(for: pause) }
        }
        if let stop = scenario.stop { timeline.after(stop) { [unowned self] in endInOrder() } }
        guard let pauses = scenario.strangers else { return }
        var stranger = Stranger(Seeded(random.next()), scenario)
        let scheduler = scheduler
        let door = network.connect(isControl: false) { message, name in
            scheduler.enter { scheduler.receive(message, from: name) }
        } toCaller: { _ in
        }
        let ways = (0..<scenario.servers * scenario.shards).map { way(to: $0, { _, _ in }, enter: { _ in }) }
        func call() {
            timeline.after(network.random.milliseconds(pauses.lowerBound, pauses.upperBound)) { [unowned self] in
                guard timeline.elapsed < .seconds(60) else { return }
                door.call(stranger.control())
                ways[network.random.pick(0...ways.count - 1)].call(stranger.data())
                call()
            }
        }
        call()
        // A copy that comes before its original.
        network.overheard = { [unowned network] message, shard in
            guard message.header.kind == .push, network.random.oneIn(6) else { return }
            ways[shard].call(stranger.damaged(message))
        }
    }
}
