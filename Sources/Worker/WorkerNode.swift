import Foundation
package import Telemetry
import Tensors
package import Transport
package import Wire

/// A worker: one thread for its sockets and its state machine, and the compute threads beside it.
package final class WorkerNode {
    /// Opens the data and makes the model, and says meanwhile in words what it does.
    package typealias Build = (Welcome, _ tell: @escaping (String) -> Void) throws -> WorkerOptions

    /// Where and as what it runs.
    package struct Options: Sendable {
        /// The scheduler's endpoint.
        package var scheduler: String
        /// Who it is.
        package var hello: Hello
        /// By what the scheduler is known, where this node encrypts.
        package var schedulerKey: PublicKey?
        /// How long a scheduler is waited for that was never heard of.
        package var wait: Duration
        /// Silence of the scheduler that is endured.
        package var silence: Duration
        /// Told when the process is to end.
        package var departure: Departure
        /// Called with the reason when the scheduler ends the job for this node.
        package var told: @Sendable (String) -> Void = { _ in }

        /// Every property in its order.
        package init(
            scheduler: String, hello: Hello, schedulerKey: PublicKey? = nil, wait: Duration = .seconds(12),
            silence: Duration = .seconds(12), departure: Departure = Departure()
        ) {
            self.scheduler = scheduler
            self.hello = hello
            self.schedulerKey = schedulerKey
            self.wait = wait
            self.silence = silence
            self.departure = departure
        }
    }

    /// What the compute threads tell.
    private enum Note: Sendable {
        case computed
        case finished
        /// What was measured of the ways to the shards, or why it was not.
        case probed(ProbeResult)
    }

    private let options: Options
    private let context: Context
    private let build: Build
    private let process: () -> ProcessReport
    private let notes = Inbox<Note>()
    private var looked = ContinuousClock.now
    /// Whether a thread measures the ways to the shards.
    private var isProbing = false

    /// A worker.
    ///
    /// - Parameters:
    ///   - process: memory, time and handles of the process.
    ///   - build: opens its data and makes its model when the scheduler has told the map.
    package init(
        _ options: Options, in context: Context, process: @escaping () -> ProcessReport,
        build: @escaping Build
    ) {
        self.options = options
        self.context = context
        self.build = build
        self.process = process
    }

    /// Joins the job, trains and scores, and returns when the scheduler says so.
    ///
    /// - Returns: whether the job is done; false when it was stopped before its end.
    @discardableResult
    package func run() throws -> Bool {
        let link = try SchedulerLink(
            to: options.scheduler, in: context, key: options.schedulerKey, hello: options.hello, wait: options.wait,
            silence: options.silence, departure: options.departure)
        defer { link.close() }
        let welcome = try link.join()
        do {
            link.note(step: welcome.resumeStep, "building")
            let built = try build(welcome) { link.note(step: welcome.resumeStep, $0) }
            let ways = try ShardWays(welcome, in: context)
            link.send(.ready(Ready()))
            return try run(built, link, ways)
        } catch {
            if !(error is SchedulerLink.Lost) {
                link.send(.failed(Failure(role: .worker, rank: welcome.rank, error)))
            }
            throw error
        }
    }

    private func run(
        _ built: WorkerOptions, _ link: SchedulerLink, _ ways: ShardWays
    ) throws -> Bool {
        let shards = ways.sockets
        let notes = notes
        // Shards bear little of strangers: what comes first is short, and says who sends it.
        for socket in shards { socket.send(.probe(link.identity, bytes: 0, back: 0)) }
        let loop = WorkerLoop(built, identity: link.identity) { notes.post(.computed) }
        let pool = ComputePool(threads: built.threads, work: loop.compute) { notes.post(.finished) }
        defer { pool.stop() }
        var actions: [WorkerLoop.Action] = []
        loop.begin(at: .now, into: &actions)
        var poller = Poller(shards, notes, link.arrivals)
        var reported = ContinuousClock.now
        while true {
            for action in actions {
                switch action {
                case .data(let shard, let message): shards[shard].send(message)
                case .control(let control): link.send(control)
                case .scores(let message): link.send(message)
                case .compute(let tasks): pool.start(tasks: tasks)
                case .finish:
                    return link.leave(report(of: loop, link))
                }
            }
            actions.removeAll(keepingCapacity: true)
            poller.wait(.milliseconds(200))
            let now = ContinuousClock.now
            take(notes.take(), loop, link, at: now, &actions)
            for (number, socket) in shards.enumerated() {
                var budget = TurnBudget()
                while let received = socket.receive(within: &budget) {
                    guard case .message(let message, _) = received else { continue }
                    try loop.receive(message, from: number, at: now, into: &actions)
                }
            }
            for control in try link.receive() {
                switch control {
                case .hold: loop.hold(at: now, into: &actions)
                case .verdict(let verdict): loop.receive(verdict, at: now, into: &actions)
                case .probeWish(let wish): probe(wish, ways.ways, link)
                case .stop(let stop):
                    options.told(stop.reason)
                    return link.leave(report(of: loop, link))
                default: break
                }
            }
            loop.tick(at: now, into: &actions)
            look(at: loop, link, at: now)
            try ways.check(at: now)
            if built.statistics, reported.duration(to: now) >= .seconds(1) {
                reported = now
                link.send(.counters(report(of: loop, link)))
            }
        }
    }

    private func take(
        _ notes: [Note], _ loop: WorkerLoop, _ link: SchedulerLink, at time: ContinuousClock.Instant,
        _ actions: inout [WorkerLoop.Action]
    ) {
        for note in notes {
            switch note {
            case .computed: loop.computed(at: time, into: &actions)
            case .finished: loop.finishedRound(at: time, into: &actions)
            case .probed(let result):
                isProbing = false
                link.send(.probeResult(result))
            }
        }
    }

    /// Measures the ways to the shards on a thread of its own: training goes on meanwhile, over its own sockets.
    private func probe(_ wish: ProbeWish, _ ways: [ShardWay], _ link: SchedulerLink) {
        var result = ProbeResult(number: wish.number, worker: Int(link.identity.rank))
        guard !isProbing else {
            result.refusal = "another probe is under way"
            link.send(.probeResult(result))
            return
        }
        isProbing = true
        let (identity, notes, context) = (link.identity, notes, context)
        let seconds = wish.seconds.isFinite ? min(max(wish.seconds, 0), ProbeWish.longest) : ProbeWish.longest
        _ = RoleThread("probe") { [result] in
            var result = result
            do {
                result.paths = try ShardProbe.measure(ways, as: identity, seconds: seconds, in: context)
            } catch { result.refusal = "\(error)" }
            notes.post(.probed(result))
        }
    }

    /// A copy of the loop's counters, and the process as it is now.
    private func report(of loop: WorkerLoop, _ link: SchedulerLink) -> NodeReport {
        var report = NodeReport()
        report.time = Date().timeIntervalSince1970
        report.process = process()
        report.worker = loop.report(at: .now)
        noteWaits(of: loop, link)
        report.waits = link.waits()
        return report
    }

    /// Tells the link, now and then, what the loop does and waits for: a step takes less than a look.
    private func look(at loop: WorkerLoop, _ link: SchedulerLink, at time: ContinuousClock.Instant) {
        guard looked.duration(to: time) > .milliseconds(200) else { return }
        looked = time
        link.note(step: loop.currentStep, loop.state)
        noteWaits(of: loop, link, at: time)
    }

    private func noteWaits(of loop: WorkerLoop, _ link: SchedulerLink, at time: ContinuousClock.Instant = .now) {
        link.note(wait: loop.waits(at: time).first, "loop", at: time)
        link.note(wait: loop.computing(at: time), "compute", at: time)
    }
}
