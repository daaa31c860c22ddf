import Datasets
import Scheduler
import Server
import Wire
import Worker

/// One seeded run of a whole cluster: the real state machines under simulated time, in weather that a seed has made.
final class Simulation {
    /// Simulated time in which a job has to end: it trains for seconds, storms last 40 s, nodes need a minute.
    static let limit = Duration.seconds(900)
    /// Silence that the job endures: longer than the longest pause and the heartbeats that may be lost after it.
    static let silence = Duration.seconds(40)

    let timeline = Timeline()
    let scenario: Scenario
    let plan: JobPlan
    let network: Network
    let scheduler: SimulatedScheduler
    private(set) var servers: [SimulatedServer] = []
    private(set) var workers: [SimulatedWorker] = []
    /// Digests of the checkpoints that were sealed, by step.
    private(set) var sealed: [Int: UInt64] = [:]
    /// Why a shard holds more than it may, if one does.
    private(set) var hoard: String?
    /// Called when a shard has reached a step.
    var advanced: ((Shard) -> Void)?
    var random: Seeded
    private let job: SimulatedJob
    /// Copies of states that are being written, by step and shard.
    private var copies: [Int: [Int: ShardState]] = [:]

    init(_ job: SimulatedJob, _ scenario: Scenario, seed: UInt64) {
        self.job = job
        self.scenario = scenario
        plan = SimulatedJob.plans[scenario.plan]
        random = Seeded(seed ^ 0x5eed)
        network = Network(timeline, Seeded(random.next()), scenario.weather)
        var options = SchedulerOptions(plan, job: SimulatedJob.id)
        options.servers = scenario.servers
        options.shardsPerServer = scenario.shards
        options.workers = scenario.workers
        options.splits = job.scored.mapValues(\.sampleCount)
        options.validation = "validation"
        options.test = "test"
        options.checkpoints = "checkpoints"
        options.silence = Self.silence
        options.startTimeout = .seconds(600)
        options.name = "simulation"
        scheduler = SimulatedScheduler(options, in: network)
        scheduler.seal = { [unowned self] in try seal($0, $1) }
        servers = (0..<scenario.servers).map { SimulatedServer(rank: $0, in: self) }
        workers = (0..<scenario.workers).map { SimulatedWorker(rank: $0, in: self) }
        disturb()
    }

    /// Runs until everybody has left, or the limit.
    func run() {
        while !isOver, timeline.advance(until: Self.limit) {}
    }

    var isOver: Bool { scheduler.hasLeft && nodes.allSatisfy { !$0.isAlive } }
    var nodes: [SimulatedNode] { servers + workers }
    private var shards: Int { scenario.servers * scenario.shards }

    /// Gives back what the processes hold of each other.
    func release() {
        timeline.clear()
        network.clear()
        for node in nodes { node.release() }
        (servers, workers) = ([], [])
    }

    // MARK: Processes

    /// The shards of a server.
    func desks(ofServer rank: Int, _ identity: Header) -> [ShardDesk] {
        (rank * scenario.shards..<(rank + 1) * scenario.shards).map { number in
            let options = job.shard(number, of: shards, workers: scenario.workers, plan)
            guard let shard = try? Shard(options, identity: identity) else {
                preconditionFailure("the simulated job has options that its shards refuse")
            }
            // One closure for all shards; no thread but this one runs it.
            nonisolated(unsafe) unowned let me = self
            return ShardDesk(shard) { try me.write($0, $1) }
        }
    }

    /// What a worker does.
    func loop(ofWorker rank: Int, _ identity: Header) -> WorkerLoop {
        let options = job.worker(
            rank, of: scenario.workers, shards: shards, plan, requestTimeout: scenario.requestTimeout)
        return WorkerLoop(options, identity: identity, computed: {})
    }

    /// A connection to the scheduler.
    func door(isControl: Bool, toCaller: @escaping (Message) -> Void = { _ in }) -> Cable {
        network.connect(
            isControl: isControl,
            toListener: { [scheduler] message, name in
                scheduler.enter { scheduler.receive(message, from: name) }
            }, toCaller: toCaller)
    }

    /// Connections to all shards; a stranger's hear no answers.
    func ways(of worker: SimulatedWorker? = nil) -> [Cable] {
        (0..<shards).map { shard in
            let server = servers[shard / scenario.shards]
            return network.connect(isControl: false) { [scenario] message, name in
                server.enter { server.receive(message, shard: shard % scenario.shards, from: name) }
            } toCaller: { message in
                worker?.enter { worker?.receive(message, from: shard) }
            }
        }
    }

    /// Looks what a server's shards hold after a message.
    func look(at desks: [ShardDesk]) {
        guard let first = desks.first else { return }
        advanced?(first.shard)
        for shard in desks.map(\.shard) where shard.parkedCount > 2 * scenario.workers {
            hoard = "shard \(shard.options.shard) holds \(shard.parkedCount) pulls of \(scenario.workers) workers"
        }
    }

    // MARK: Checkpoints

    private func write(_ shard: Shard, _ request: SnapshotRequest) throws -> SnapshotDone {
        try checkSpace(request.step)
        copies[request.step, default: [:]][shard.options.shard] = try ShardState(shard)
        return SnapshotDone(
            step: request.step, shard: shard.options.shard, file: "part", rows: 0, bytes: 0, checksum: "",
            partitions: [], tables: [])
    }

    private func seal(_ step: Int, _ parts: [SnapshotDone]) throws {
        try checkSpace(step)
        sealed[step] = ShardState.digest(parts.compactMap { copies[step]?[$0.shard] })
    }

    /// Throws now and then that there is no space; without its last checkpoint a job rightly fails.
    private func checkSpace(_ step: Int) throws {
        guard scenario.fullDisks > 0, step < plan.lastStep, random.oneIn(scenario.fullDisks) else { return }
        throw Problem(description: "no space left on the simulated disk")
    }

    // MARK: Disturbances

    /// Somebody stops the job, now or a moment after the next decision.
    private func endInOrder() {
        guard scenario.stopsAfterDecision else { return scheduler.stop(.terminated) }
        scheduler.proceeds = { [unowned self] in
            scheduler.proceeds = nil
            timeline.after(random.milliseconds(0.01...60)) { [scheduler] in scheduler.stop(.terminated) }
        }
    }

    private func disturb() {
        for _ in 0..<scenario.pauses {
            let process: SimulatedProcess = random.oneIn(6) ? scheduler : nodes[random.pick(0...nodes.count - 1)]
            let pause = random.milliseconds(scenario.pause)
            timeline.after(random.milliseconds(1...30_000)) { process.stop(for: pause) }
        }
        if let stop = scenario.stop { timeline.after(stop) { [unowned self] in endInOrder() } }
        guard let pauses = scenario.strangers else { return }
        var stranger = Stranger(random: Seeded(random.next()), scenario: scenario)
        let (door, ways) = (door(isControl: false), ways())
        func call() {
            timeline.after(network.random.milliseconds(pauses)) { [unowned self] in
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
