import Server
import Telemetry
import Transport
import Wire
import Worker

/// A server or worker of the simulated cluster: the real session with the scheduler, and the real role behind it.
///
/// As in a real process, the session goes on while the role is being built.
class SimulatedNode: SimulatedProcess {
    let role: Role
    /// Whether it has left, and whether the job was done then.
    private(set) var hasLeft = false
    private(set) var wasDone: Bool?
    /// Whether the scheduler answered its last word.
    private(set) var wasAnswered = false
    /// Why it ended by itself, if it did.
    fileprivate(set) var failure: String?
    fileprivate(set) var session: NodeSession
    fileprivate unowned let simulation: Simulation
    private var control: Cable?
    private var isBuilt = false
    private var isLeaving = false
    /// Whether it was told to stop, perhaps while it was being built.
    private var isTold = false
    /// What came for the role before it was built.
    private var waiting: [() -> Void] = []

    /// A process that says its first hello after a delay, and needs a while to be built once it is welcomed.
    fileprivate init(_ role: Role, rank: Int, endpoints: Int, in simulation: Simulation) {
        self.role = role
        self.simulation = simulation
        let timeline = simulation.timeline
        let delay = simulation.random.milliseconds(simulation.scenario.starts)
        let building = simulation.random.milliseconds(simulation.scenario.builds)
        session = NodeSession(
            Hello(
                role: role, wantedRank: rank, endpoints: (0..<endpoints).map { "inproc://\(rank)-\($0)" },
                host: "h\(rank)", pid: 100 + rank, processor: "p", blas: "b", version: "1"),
            incarnation: UInt32(1000 * Int(role.rawValue) + rank + 1), wait: .seconds(600),
            silence: Simulation.silence, at: timeline.now)
        super.init(timeline)
        timeline.after(delay) { [self] in
            control = simulation.door(isControl: true) { [self] message in
                enter { [self] in receive(message, building: building) }
            }
            enter { [self] in beat() }
        }
    }

    /// Builds the role; called once.
    func build(_ welcome: Welcome) {}
    /// Does what the scheduler says.
    func take(_ control: Control) {}
    /// What follows from time.
    func tick() {}

    /// Whether it goes on.
    final var isAlive: Bool { !hasLeft && failure == nil }

    /// Sends to the scheduler.
    final func send(_ message: Message) { control?.call(session.send(message, at: timeline.now)) }
    final func send(_ message: Control) { control?.call(session.send(message, at: timeline.now)) }

    /// Does something once the role is built.
    final func whenBuilt(_ body: @escaping () -> Void) {
        if isBuilt { body() } else { waiting.append(body) }
    }

    /// Says the last word and waits for the answer.
    final func leave() {
        guard !isLeaving else { return }
        isLeaving = true
        send(.stopped(NodeReport()))
        // Nobody waits for ever: the scheduler may be gone.
        timeline.after(.seconds(30)) { [self] in
            if !hasLeft { (hasLeft, wasDone) = (true, false) }
        }
    }

    /// Gives back what it holds of others.
    func release() { (control, waiting) = (nil, []) }

    private func beat() {
        guard isAlive else { return }
        for message in session.tick(at: timeline.now) { control?.call(message) }
        if session.isLost(at: timeline.now) {
            // Who was told to stop, but could not look before the scheduler was gone, has nobody to answer.
            if isTold { (hasLeft, wasDone) = (true, false) } else { failure = "\(role): the scheduler is silent" }
        }
        if isBuilt, !isLeaving { tick() }
        later(.milliseconds(200)) { [self] in beat() }
    }

    private func receive(_ message: Message, building: Duration) {
        guard isAlive, let control = try? session.receive(message, limits: Limits(), at: timeline.now) else { return }
        switch control {
        case .welcome(let welcome):
            // A thread of its own builds, unless the whole process stands.
            later(building) { [self] in
                build(welcome)
                isBuilt = true
                send(.ready(Ready()))
                let due = waiting
                waiting = []
                for body in due { body() }
            }
        case .stop(let stop) where stop.isFarewell:
            (hasLeft, wasAnswered, wasDone) = (true, true, stop.isUnfinished != true)
            self.control?.call(session.beat)
        case .stop(let stop) where stop.isRefusal == true: failure = stop.reason
        case .stop:
            isTold = true
            whenBuilt { [self] in leave() }
        default: whenBuilt { [self] in take(control) }
        }
    }
}

/// A server with its shards.
final class SimulatedServer: SimulatedNode {
    private(set) var desks: [ShardDesk] = []

    init(rank: Int, in simulation: Simulation) {
        super.init(.server, rank: rank, endpoints: simulation.scenario.shards, in: simulation)
    }

    override func build(_ welcome: Welcome) {
        desks = simulation.desks(ofServer: welcome.rank, session.identity)
        for desk in desks {
            desk.tell = { [unowned self] note in if case .tell(let control) = note { send(control) } }
        }
    }

    override func take(_ control: Control) {
        guard case .snapshot(let request) = control else { return }
        for desk in desks { desk.want(request) }
    }

    /// A message for one of its shards.
    func receive(_ message: Message, shard: Int, from name: [UInt8]) {
        whenBuilt { [self] in
            guard !hasLeft else { return }
            for answer in desks[shard].receive(message, from: name) {
                simulation.network.answer(answer.message, to: answer.to)
            }
        }
        simulation.look(at: desks)
    }

    override func release() {
        super.release()
        desks = []
    }
}

/// A worker: its loop, and compute threads that need a while.
final class SimulatedWorker: SimulatedNode {
    private var loop: WorkerLoop?
    private var shards: [Cable] = []
    private var random = Seeded(0)

    init(rank: Int, in simulation: Simulation) {
        super.init(.worker, rank: rank, endpoints: 0, in: simulation)
        random = Seeded(simulation.random.next())
    }

    override func build(_ welcome: Welcome) {
        loop = simulation.loop(ofWorker: welcome.rank, session.identity)
        shards = simulation.ways(of: self)
        act { loop in loop.begin() }
    }

    override func take(_ control: Control) {
        act { loop in
            switch control {
            case .hold: loop.hold()
            case .verdict(let verdict): loop.receive(verdict)
            default: break
            }
        }
    }

    override func tick() {
        act { loop in loop.tick() }
        if let loop { session.activity = (loop.step, loop.state) }
    }

    /// An answer of a shard.
    func receive(_ message: Message, from shard: Int) {
        act { loop in try loop.receive(message, from: shard) }
    }

    private func act(_ body: (WorkerLoop) throws -> Void) {
        guard let loop, isAlive else { return }
        loop.now = timeline.now
        do {
            try body(loop)
        } catch {
            send(.failed(Failure(role: .worker, rank: Int(session.identity.rank), error)))
            failure = "\(error)"
        }
        for action in loop.takeActions() {
            switch action {
            case .data(let shard, let message):
                simulation.network.overheard?(message, shard)
                shards[shard].call(message)
            case .control(let control): send(control)
            case .scores(let message): send(message)
            case .compute(let tasks): compute(loop, tasks)
            case .finish: leave()
            }
        }
    }

    override func release() {
        super.release()
        (loop, shards) = (nil, [])
    }

    private func compute(_ loop: WorkerLoop, _ tasks: Int) {
        loop.compute(tasks: tasks)
        let computed = random.milliseconds(0.2...20)
        later(computed) { [self] in act { loop in loop.computed() } }
        later(computed + random.milliseconds(0.1...10)) { [self] in
            act { loop in loop.finishedRound() }
        }
    }
}
