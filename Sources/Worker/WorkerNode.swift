import Foundation
package import Telemetry
import Tensors
package import Transport
package import Wire

/// A worker: one thread for its sockets and its state machine, and the compute threads beside it.
package final class WorkerNode {
    /// Opens the data and makes the model, and says meanwhile in words what it does.
    package typealias Build = (Welcome, _ tell: @escaping (String) -> Void) throws -> WorkerOptions

    /// What the compute threads tell.
    private enum Note: Sendable {
        case computed
        case finished
        /// What was measured of the ways to the shards, or why it was not.
        case probed(ProbeResult)
    }

    private let options: NodeOptions
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
        _ options: NodeOptions, in context: Context, process: @escaping () -> ProcessReport, build: @escaping Build
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
        let link = try SchedulerLink(options, in: context)
        defer { link.close() }
        return try link.work { welcome in
            let built = try build(welcome) { link.note(step: welcome.resumeStep, $0) }
            let ways = try ShardWays(welcome, in: context)
            link.send(.ready(Ready()))
            return try run(built, link, ways)
        }
    }

    private func run(_ built: WorkerOptions, _ link: SchedulerLink, _ ways: ShardWays) throws -> Bool {
        let shards = ways.sockets
        let notes = notes
        // Shards bear little of strangers: what comes first is short, and says who sends it.
        for socket in shards { socket.send(.probe(link.identity, bytes: 0, back: 0)) }
        let loop = WorkerLoop(built, identity: link.identity) { notes.post(.computed) }
        let pool = ComputePool(threads: built.threads, work: loop.compute) { notes.post(.finished) }
        defer { pool.stop() }
        loop.begin()
        var poller = Poller(shards, notes, link.arrivals)
        var reported = ContinuousClock.now
        while true {
            for action in loop.takeActions() {
                switch action {
                case .data(let shard, let message): shards[shard].send(message)
                case .control(let control): link.send(control)
                case .scores(let message): link.send(message)
                case .compute(let tasks): pool.start(tasks: tasks)
                case .finish:
                    return link.leave(report(of: loop, link))
                }
            }
            poller.wait(.milliseconds(200))
            let now = ContinuousClock.now
            loop.now = now
            for note in notes.take() {
                switch note {
                case .computed: loop.computed()
                case .finished: loop.finishedRound()
                case .probed(let result):
                    isProbing = false
                    link.send(.probeResult(result))
                }
            }
            for (number, socket) in shards.enumerated() {
                var budget = TurnBudget()
                while let received = socket.receive(within: &budget) {
                    guard case .message(let message, _) = received else { continue }
                    try loop.receive(message, from: number)
                }
            }
            for control in try link.receive() {
                switch control {
                case .hold: loop.hold()
                case .verdict(let verdict): loop.receive(verdict)
                case .probeWish(let wish): probe(wish, ways.ways, link)
                case .stop(let stop):
                    options.told(stop.reason)
                    return link.leave(report(of: loop, link))
                default: break
                }
            }
            loop.tick()
            look(at: loop, link)
            try ways.check(at: now)
            if built.statistics, reported.duration(to: now) >= .seconds(1) {
                reported = now
                link.send(.counters(report(of: loop, link)))
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
        loop.now = .now
        report.worker = loop.report()
        noteWaits(of: loop, link)
        report.waits = link.waits()
        return report
    }

    /// Tells the link, now and then, what the loop does and waits for: a step takes less than a look.
    private func look(at loop: WorkerLoop, _ link: SchedulerLink) {
        guard looked.duration(to: loop.now) > .milliseconds(200) else { return }
        looked = loop.now
        link.note(step: loop.step, loop.state)
        noteWaits(of: loop, link)
    }

    private func noteWaits(of loop: WorkerLoop, _ link: SchedulerLink) {
        link.note(wait: loop.wait, "loop", at: loop.now)
        link.note(wait: loop.computing, "compute", at: loop.now)
    }
}
