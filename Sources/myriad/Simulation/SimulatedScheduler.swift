import Scheduler
import Telemetry
import Wire

/// The scheduler of the simulated cluster: the real state machine, and a clerk that needs a while for everything.
final class SimulatedScheduler: SimulatedProcess {
    /// How the job ended.
    enum End {
        case finished(Outcome)
        case stopped(Outcome)
        case failed(String)
    }

    private(set) var loop: SchedulerLoop
    private(set) var end: End?
    /// Metrics by split and step.
    private(set) var metrics: [String: Metrics] = [:]
    /// The split and step that were scored a second time, if any.
    private(set) var repeated: String?
    private(set) var hasLeft = false
    private(set) var unwritten: Set<Int> = []
    private var isOver: ContinuousClock.Instant?
    private let network: Network
    private let identity: Header
    /// Seals a checkpoint of these parts.
    var seal: (_ step: Int, _ parts: [SnapshotDone]) throws -> Void = { _, _ in }
    /// Called when workers are told to go on from where they stand.
    var proceeds: (() -> Void)?
    private var clerkIsFree: ContinuousClock.Instant

    init(_ options: SchedulerOptions, in network: Network) {
        self.network = network
        loop = SchedulerLoop(options, at: network.timeline.now)
        identity = Header(.welcome, role: .scheduler, rank: 0, incarnation: 1, job: options.job, epoch: 1)
        clerkIsFree = network.timeline.now
        super.init(network.timeline)
        turn()
    }

    func receive(_ message: Message, from name: [UInt8]) {
        act { loop in loop.receive(message, from: name) }
    }

    func stop(_ cause: StopCause) {
        enter { [self] in act { loop in loop.stop(for: cause) } }
    }

    private func turn() {
        act { loop in loop.tick() }
        if let isOver, loop.isSettled || isOver + .seconds(2) < timeline.now { hasLeft = true }
        if !hasLeft { later(.milliseconds(100)) { [self] in turn() } }
    }

    private func act(_ body: (inout SchedulerLoop) -> Void) {
        guard !hasLeft else { return }
        loop.now = timeline.now
        body(&loop)
        let effects = loop.takeEffects()
        for event in effects.events { note(event) }
        for action in effects.actions {
            switch action {
            case .send(let name, let control, let numbers):
                network.answer(control.message(identity).with(numbers), to: name)
                if case .verdict(let verdict) = control, verdict.action == .proceed { proceeds?() }
            case .commit(let step, let parts, _):
                clerk { [self] in
                    let result = Result { () throws -> (path: String, seconds: Double, bytes: Int) in
                        try seal(step, parts)
                        return ("step-\(step)", 0, 0)
                    }
                    act { loop in loop.committed(step: step, result) }
                }
            case .measure(let book, let split, let step):
                clerk { [self] in
                    act { loop in loop.measured(book.metrics(), split: split, step: step) }
                }
            case .discard, .inspect: break
            case .end: isOver = timeline.now
            }
        }
    }

    /// The clerk does one thing after the other.
    private func clerk(_ body: @escaping () -> Void) {
        clerkIsFree = max(clerkIsFree, timeline.now) + network.random.milliseconds(0.5...3000)
        timeline.at(clerkIsFree) { [self] in enter(body) }
    }

    private func note(_ event: SchedulerEvent) {
        switch event {
        case .evaluated(let split, let step, let found, _):
            let what = "\(split) \(step)"
            if metrics.updateValue(found, forKey: what) != nil { repeated = what }
        case .checkpointFailed(let step, _): unwritten.insert(step)
        case .finished(let outcome): end = .finished(outcome)
        case .stopped(let outcome, _): end = .stopped(outcome)
        case .failed(let report): end = .failed(report.what)
        default: break
        }
    }
}
