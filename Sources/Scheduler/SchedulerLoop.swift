package import Evaluation
package import Wire

/// The scheduler as a state machine: messages and time in, messages and file work out; no socket, clock or thread.
///
/// It admits the nodes, tells everybody the map, gathers scores at the points where the plan evaluates, decides what
/// is best and when to stop, and has complete checkpoints committed. It is never on the path of a step.
package struct SchedulerLoop {
    /// Something for the thread around it to do.
    package enum Action {
        /// Send to a connection.
        case send(to: [UInt8], Control)
        /// Make a checkpoint of these parts, then call `committed`.
        case commit(step: Int, parts: [SnapshotDone], best: Metrics?)
        /// Tell a connection how the job stands.
        case inspect([UInt8], Inspect)
        /// Nothing is left to do.
        case end
    }

    /// What a call brings about, in order.
    package struct Effects {
        /// For the thread.
        package var actions: [Action] = []
        /// For whoever watches.
        package var events: [SchedulerEvent] = []

        /// Nothing yet.
        package init() {}
    }

    enum Phase {
        case gathering(since: ContinuousClock.Instant, told: ContinuousClock.Instant)
        case running
        case stopping(since: ContinuousClock.Instant, failure: String?)
        case ended
    }

    /// A state in which all workers wait: what has been asked for and has not come yet.
    struct SyncPoint {
        let step: Int
        /// Since when what is outstanding now has been.
        var since: ContinuousClock.Instant
        var reached: Set<Int> = []
        var scoring: String?
        var book: ScoreBook?
        var awaitsCheckpoint = false
        var judged = false
        var stops = false
    }

    let options: SchedulerOptions
    var members: Membership
    var phase: Phase
    var sync: SyncPoint?
    var parts: [Int: [Int: SnapshotDone]] = [:]
    var best: (step: Int, metrics: Metrics)?
    var test: Metrics?
    var withoutGain = 0
    var endReason = "all steps done"
    var lastStep: Int
    /// How often it has waited for something.
    var waitCount = 1
    private let limits = Limits()
    /// Outlives every view of scores: arrays that came at an odd address are copied into it.
    private let scratch = Scratch()

    /// A scheduler that waits for its nodes.
    package init(_ options: SchedulerOptions, at time: ContinuousClock.Instant) {
        self.options = options
        members = Membership(servers: options.servers, workers: options.workers)
        phase = .gathering(since: time, told: time)
        lastStep = options.plan.startStep
    }

    /// Takes a control message.
    package mutating func receive(
        _ message: Message, from connection: [UInt8], at time: ContinuousClock.Instant, into effects: inout Effects
    ) {
        let member = members.heard(from: connection, at: time)
        if message.header.kind == .scores {
            guard let member, let scores = try? ScoresView(decoding: message, limits: limits, scratch: scratch)
            else { return }
            take(scores, from: member, at: time, &effects)
            return
        }
        guard let control = try? Control(decoding: message, limits: limits) else { return }
        if case .hello(let hello) = control {
            admit(hello, connection, message.header.incarnation, at: time, &effects)
            return
        }
        if case .inspect(let wish) = control {
            effects.actions.append(.inspect(connection, wish))
            return
        }
        guard let member else { return }
        switch control {
        case .heartbeat(let beat):
            members.note(member, step: beat.step, state: beat.state)
            effects.actions.append(.send(to: connection, .heartbeat(Heartbeat(step: lastStep, state: "scheduler"))))
        case .progress(let progress):
            lastStep = max(lastStep, progress.step)
            effects.events.append(.progress(worker: member.rank, progress))
        case .reached(let reached): arrive(member.rank, at: reached.step, connection, time, &effects)
        case .snapshotDone(let done): take(done, at: time, &effects)
        case .failed(let failure): fail("\(member): \(failure.message)", at: time, &effects)
        case .stopped(let report):
            members.note(member, report: report)
            effects.events.append(.counters(member, report))
            endWhenAllReported(at: time, &effects)
        case .counters(let report): effects.events.append(.counters(member, report))
        case .hello, .welcome, .ready, .start, .verdict, .snapshot, .restore, .stop, .inspect, .inspected: break
        }
    }

    /// Looks at the clock: who is missing, who is silent.
    package mutating func tick(at time: ContinuousClock.Instant, into effects: inout Effects) {
        switch phase {
        case .gathering(let since, let told):
            let waited = since.duration(to: time)
            if waited > options.startTimeout {
                let missing = members.missing.joined(separator: ", ")
                fail(
                    "\(missing) did not join within \(options.startTimeout): start it, or look at its log", at: time,
                    &effects)
            } else if told.duration(to: time) > .seconds(5) {
                phase = .gathering(since: since, told: time)
                effects.events.append(.waiting(missing: members.missing, seconds: waited / .seconds(1)))
            }
        case .running:
            guard let lost = members.silent(for: options.silence, at: time).first else { return }
            fail(
                "\(lost.member) on \(lost.entry.hello.host) (process \(lost.entry.hello.pid)) has been silent for "
                    + "\(options.silence); it was last \(lost.entry.state) at step \(lost.entry.step)", at: time,
                &effects)
        case .stopping(let since, let failure):
            // After a failure the dead cannot report; otherwise a node may be writing.
            if since.duration(to: time) > .seconds(failure == nil ? 10 : 2) { end(&effects) }
        case .ended: break
        }
    }

    /// Ends the job from outside: a signal, or a process that the launcher saw die.
    package mutating func abort(_ reason: String, at time: ContinuousClock.Instant, into effects: inout Effects) {
        fail(reason, at: time, &effects)
    }

    // MARK: Joining

    private mutating func admit(
        _ hello: Hello, _ connection: [UInt8], _ incarnation: UInt32, at time: ContinuousClock.Instant,
        _ effects: inout Effects
    ) {
        switch members.admit(hello, connection: connection, incarnation: incarnation, at: time) {
        case .failure(let refused):
            effects.actions.append(
                .send(to: connection, .stop(Stop(reason: "the scheduler refused: \(refused.reason)"))))
        case .success(let member):
            effects.events.append(.joined(member, hello))
            guard members.isComplete, case .gathering = phase else { return }
            start(&effects)
        }
    }

    private mutating func start(_ effects: inout Effects) {
        phase = .running
        let servers = members.ranked(.server).map(\.entry.hello.endpoints)
        for role in [Role.server, .worker] {
            for (member, entry) in members.ranked(role) {
                let welcome = Welcome(
                    job: options.job, rank: member.rank, epoch: 1, servers: servers, workers: options.workers,
                    config: options.config, resumePath: options.resume, resumeStep: options.plan.startStep)
                effects.actions.append(.send(to: entry.connection, .welcome(welcome)))
            }
        }
        effects.events.append(.started(nodes: members.entries.count, warnings: warnings()))
    }

    /// What makes a cluster less than bit-exact.
    private func warnings() -> [String] {
        let kinds = Set(members.entries.values.map { "\($0.hello.processor), \($0.hello.blas)" })
        guard kinds.count > 1 else { return [] }
        return ["mixed processors (\(kinds.sorted().joined(separator: "; "))): results are not bit-exact across them"]
    }

    // MARK: Ending

    mutating func fail(_ reason: String, at time: ContinuousClock.Instant, _ effects: inout Effects) {
        switch phase {
        case .stopping, .ended: return
        case .gathering, .running: break
        }
        phase = .stopping(since: time, failure: reason)
        effects.events.append(.failed(reason))
        for entry in members.entries.values {
            effects.actions.append(.send(to: entry.connection, .stop(Stop(reason: reason))))
        }
        endWhenAllReported(at: time, &effects)
    }

    /// Lets the workers go; the servers follow when the workers have reported.
    mutating func stop(at time: ContinuousClock.Instant, _ effects: inout Effects) {
        phase = .stopping(since: time, failure: nil)
        sendVerdict(.stop, &effects)
    }

    private mutating func endWhenAllReported(at time: ContinuousClock.Instant, _ effects: inout Effects) {
        guard case .stopping(let since, let failure) = phase else { return }
        if failure == nil, members.ranked(.worker).allSatisfy({ $0.entry.report != nil }) {
            for (_, entry) in members.ranked(.server) where entry.report == nil {
                effects.actions.append(.send(to: entry.connection, .stop(Stop(reason: endReason))))
            }
        }
        phase = .stopping(since: since, failure: failure)
        if members.entries.values.allSatisfy({ $0.report != nil }) { end(&effects) }
    }

    private mutating func end(_ effects: inout Effects) {
        guard case .stopping(_, let failure) = phase else { return }
        phase = .ended
        if failure == nil {
            let reports = members.entries.compactMapValues(\.report)
            effects.events.append(
                .finished(
                    Outcome(
                        step: sync?.step ?? lastStep, reason: endReason, bestStep: best?.step,
                        bestValidation: best?.metrics, test: test, reports: reports)))
        }
        effects.actions.append(.end)
    }

    /// Tells all workers what to do after the step at which they wait.
    func sendVerdict(_ action: Verdict.Action, _ effects: inout Effects) {
        guard let sync else { return }
        for (_, entry) in members.ranked(.worker) {
            effects.actions.append(.send(to: entry.connection, .verdict(Verdict(step: sync.step, action: action))))
        }
    }
}
