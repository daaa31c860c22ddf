package import Telemetry
package import Transport
package import Wire

/// The scheduler as a state machine: messages and time in, messages and file work out; no socket, clock or thread.
///
/// Whoever drives it sets `now` before each call, and takes the `effects` after it.
///
/// It admits the nodes, tells everybody the map, gathers scores at the points where the plan evaluates, decides what
/// is best and when to stop, and has complete checkpoints committed. It is never on the path of a step.
package struct SchedulerLoop {
    /// Something for the thread around it to do.
    package enum Action {
        /// Send to a connection.
        case send(to: [UInt8], Control, ControlNumbers)
        /// Make a checkpoint of these parts, then call `committed`.
        case commit(step: Int, parts: [SnapshotDone], judgement: Judgement)
        /// Remove what was written of a checkpoint that will not be whole.
        case discard(step: Int)
        /// Compute the metrics of a complete book, then call `measured`.
        case measure(ScoreBook, split: String, step: Int)
        /// Tell a connection how the job stands.
        case inspect([UInt8], Inspect)
        /// Nothing is left to do.
        case end
    }

    /// What calls bring about, in order.
    package struct Effects {
        /// For the thread.
        package var actions: [Action] = []
        /// For whoever watches.
        package var events: [SchedulerEvent] = []
    }

    enum Phase {
        case gathering(since: ContinuousClock.Instant)
        case running
        case stopping(since: ContinuousClock.Instant, hasFailed: Bool)
        case ended
    }

    /// What became of a shard's part of a checkpoint.
    enum Part {
        case written(SnapshotDone)
        /// It could not be written, for this reason.
        case unwritten(String)
    }

    /// The time.
    package var now: ContinuousClock.Instant
    /// What is to be done, and was not taken yet.
    var effects = Effects()
    let options: SchedulerOptions
    var members: Membership
    var phase: Phase
    var sync: SyncPoint?
    /// Checkpoints to which not all shards have said how theirs went: by step and shard.
    var parts: [Int: [Int: Part]] = [:]
    /// What is known of the states that were judged, and what was before the newest of them.
    var judgement: Judgement
    var earlierJudgements: [Judgement] = []
    /// Checkpoints that are being committed.
    var committing = 0
    /// The state of the last commit, done or failed.
    var committedStep: Int?
    /// Why the job is to end before its last step, and since when workers are held.
    var wish: StopCause?
    var heldSince: ContinuousClock.Instant?
    /// At which steps the workers stand that wait for a verdict.
    var standing: [Int: ClosedRange<Int>] = [:]
    /// Since when a worker waits at a decision for the others.
    var standingSince: ContinuousClock.Instant?
    /// States whose checkpoint failed.
    var unwritten: Set<Int> = []
    /// Why the newest of them failed.
    var unwrittenReason = ""
    /// Why the job has ended before its last step.
    var stopped: StopCause?
    var endReason = "all steps done"
    var lastStep: Int
    /// Signs of failure, as they came.
    var evidence: [Evidence] = []
    /// Whether the failure has been told.
    var isReported = false
    /// Whether the servers know that the job is over.
    var serversAreTold = false
    /// Nodes that were not taken in, and why.
    var refusals: [String] = []
    /// Connections that were turned away, by kind.
    package var turnedAway: [String: Int] = [:]
    /// Times that somebody said hello and was not taken in.
    var refused = 0
    /// What was told of both already.
    var toldRefusals: Set<String> = []
    /// Who wants to know how fast bytes go.
    var probes = ProbeQueue()
    /// What the scheduler waits for.
    package internal(set) var waits = WaitClock(who: "scheduler")
    /// When the clock was last looked at.
    var ticked: ContinuousClock.Instant?
    let look: (Hello) -> ProcessState
    private let limits = Limits()
    /// Outlives every view of scores: arrays that came at an odd address are copied into it.
    private let scratch = Scratch()

    /// A scheduler that waits for its nodes.
    ///
    /// - Parameter look: says what the system knows of a node's process.
    package init(
        _ options: SchedulerOptions, at time: ContinuousClock.Instant,
        look: @escaping (Hello) -> ProcessState = { _ in .unknown }
    ) {
        self.options = options
        self.look = look
        now = time
        members = Membership(servers: options.servers, workers: options.workers, attempt: options.attempt)
        phase = .gathering(since: now)
        lastStep = options.plan.startStep
        let known = options.judgement ?? Judgement(basis: options.basis)
        judgement = known.basis == options.basis ? known : Judgement(basis: options.basis)
    }

    /// Hands over what is to be done.
    package mutating func takeEffects() -> Effects {
        defer { effects = Effects() }
        return effects
    }

    /// Takes a control message.
    ///
    /// - Parameter peer: the address from which it came; empty where there is none.
    /// - Returns: whether a member of the job sent it.
    @discardableResult
    package mutating func receive(_ message: Message, from connection: [UInt8], peer: Socket.Peer = .init()) -> Bool {
        let kind = message.header.kind
        guard kind != .hello, let known = members.heard(message.header, from: connection, peer, at: now) else {
            // What nobody but a member may say is not even decoded.
            guard kind.isOfAnybody, let control = try? Control(decoding: message, limits: limits) else { return false }
            if case .hello(let hello) = control {
                admit(hello, connection, peer, message.header.incarnation)
            } else {
                answer(control, connection)
            }
            return false
        }
        let member = known.member
        if known.hasMoved { repeatAll(to: member) }
        guard members.entries[member]?.session.take(ControlNumbers(message.header), at: now) == true else {
            return true
        }
        do {
            if kind == .scores {
                let scores = try ScoresView(decoding: message, limits: limits, scratch: scratch)
                take(scores, from: member)
            } else {
                let control = try Control(decoding: message, limits: limits)
                answer(control, connection)
                take(control, of: member)
            }
        } catch {
            takeUnreadable(kind, error, of: member)
        }
        return true
    }

    /// Answers what anybody may ask.
    private mutating func answer(_ control: Control, _ connection: [UInt8]) {
        switch control {
        case .inspect(let wish): effects.actions.append(.inspect(connection, wish))
        case .probeWish(let wish): forward(wish, from: connection)
        default: break
        }
    }

    /// Takes what a member says.
    private mutating func take(_ control: Control, of member: Member) {
        switch control {
        case .heartbeat(let beat):
            members.note(member, step: beat.step, state: beat.state)
            send(.heartbeat(Heartbeat(step: lastStep, state: "scheduler")), to: member)
        case .progress(let progress):
            guard member.role == .worker else { return }
            lastStep = max(lastStep, min(progress.step, options.plan.lastStep))
            effects.events.append(.progress(worker: member.rank, progress))
        case .reached(let reached): arrive(member, reached)
        case .snapshotDone(let done):
            take(.written(done), of: done.shard, done.step, from: member)
        case .failed(let failure): take(failure, of: member)
        case .leaving(let leaving):
            stop(for: .node(member, isInterrupt: leaving.isInterrupt))
        case .stopped(let report):
            members.entries[member]?.report = report
            send(.stop(.farewell(isUnfinished: isUnfinished)), to: member)
            effects.events.append(.counters(member, report))
            endWhenAllReported()
        case .counters(let report): effects.events.append(.counters(member, report))
        case .probeResult(let result): forward(result, of: member)
        case .hello, .welcome, .ready, .verdict, .snapshot, .stop, .inspect, .inspected, .probeWish, .hold:
            break
        }
    }

    // MARK: Sending

    /// Whether everybody who lives has acknowledged what was told to it.
    package var isSettled: Bool { members.isSettled }

    /// Sends to a member; what is numbered reaches it, over whatever connection.
    mutating func send(_ control: Control, to member: Member) {
        guard let connection = members.entries[member]?.connection else { return }
        let numbers =
            control.kind.isNumbered
            ? members.entries[member]?.session.send(control, at: now).numbers
            : members.entries[member]?.session.unnumbered
        effects.actions.append(.send(to: connection, control, numbers ?? ControlNumbers()))
    }

    /// Sends to a connection of nobody's, once.
    mutating func send(_ control: Control, to connection: [UInt8]) {
        effects.actions.append(.send(to: connection, control, ControlNumbers()))
    }

    /// Sends again what a member has not acknowledged: all of it over a new connection, else what is overdue.
    mutating func repeatAll(to member: Member, hasMoved: Bool = true) {
        guard let connection = members.entries[member]?.connection, members.entries[member]?.isLost == false else {
            return
        }
        let due =
            hasMoved
            ? members.entries[member]?.session.reconnected(at: now) : members.entries[member]?.session.overdue(at: now)
        for out in due ?? [] {
            effects.actions.append(.send(to: connection, out.item, out.numbers))
        }
    }

    // MARK: Ending

    /// Lets the workers go; the servers follow when the workers have reported.
    mutating func stop() {
        phase = .stopping(since: now, hasFailed: false)
        sendVerdict(.stop)
    }

    mutating func endWhenAllReported() {
        guard case .stopping(_, let hasFailed) = phase else { return }
        if !hasFailed, committing > 0 { return }
        if !hasFailed, members.ranked(.worker).allSatisfy({ $0.entry.report != nil || $0.entry.isLost }) {
            for (member, entry) in members.ranked(.server) where entry.report == nil && !serversAreTold {
                send(.stop(Stop(reason: endReason)), to: member)
            }
            serversAreTold = true
        }
        if members.allHaveReported, !hasFailed || isReported { end() }
    }

    mutating func end() {
        guard case .stopping(_, let hasFailed) = phase else { return }
        phase = .ended
        if hasFailed {
            reportFailure()
        } else {
            let reports = members.entries.compactMapValues(\.report)
            let outcome = Outcome(step: sync?.step ?? lastStep, reason: endReason, judgement, reports: reports)
            effects.events.append(stopped.map { .stopped(outcome, $0) } ?? .finished(outcome))
        }
        effects.actions.append(.end)
    }

    /// Tells all workers what to do after the step at which they wait.
    mutating func sendVerdict(_ action: Verdict.Action) {
        guard let sync else { return }
        if action == .proceed { standing = [:] }
        for (member, _) in members.ranked(.worker) {
            send(.verdict(Verdict(step: sync.step, action: action)), to: member)
        }
    }
}
