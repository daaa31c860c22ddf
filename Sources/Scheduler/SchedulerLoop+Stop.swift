import Telemetry
import Transport
import Wire

/// How a job ends before its last step so that it can go on from there later: all workers are brought to one step, the
/// state after it is written, and everybody leaves.
///
/// Nobody is asked during a step, so the step is found by agreement: workers that are held stop after the step they are
/// in and say which it is; those behind the furthest go on by one step until all stand at the same.
extension SchedulerLoop {
    /// How long a job that has not begun waits for those who are still to come, to tell them that it is over.
    static let farewellTime = Duration.seconds(3)

    /// Whether the job ends before it is done, in order or not.
    var isUnfinished: Bool { stopped != nil || !evidence.isEmpty }

    /// Ends the job in order; of several causes the first counts.
    package mutating func stop(
        for cause: StopCause, at time: ContinuousClock.Instant, into effects: inout Effects
    ) {
        guard wish == nil else { return }
        switch phase {
        case .gathering:
            wish = cause
            stopped = cause
            endReason = "stopped before the first step \(cause.words)"
            phase = .stopping(since: time, hasFailed: false)
            for (_, entry) in members.all {
                effects.actions.append(.send(to: entry.connection, .stop(Stop(reason: endReason))))
            }
        case .running:
            wish = cause
            heldSince = time
            for (_, entry) in members.ranked(.worker) { effects.actions.append(.send(to: entry.connection, .hold)) }
        case .stopping, .ended: break
        }
    }

    /// A node comes to a job that is at its end.
    mutating func turnAway(
        _ hello: Hello, _ connection: [UInt8], at time: ContinuousClock.Instant, _ effects: inout Effects
    ) {
        let reason = evidence.first?.what ?? endReason
        effects.actions.append(.send(to: connection, .stop(Stop(reason: reason))))
        guard hasNotBegun else { return }
        let candidate = Membership.Candidate(
            hello: hello, connection: connection, incarnation: 0, peer: .init(), isLocal: false)
        _ = members.admit(candidate, at: time, isGone: nil)
        endWhenAllKnow(at: time, &effects)
    }

    /// Whether the job was stopped before it began: nobody has anything to report.
    var hasNotBegun: Bool {
        guard case .stopping(_, hasFailed: false) = phase else { return false }
        return sync == nil && stopped != nil
    }

    /// Ends a job that has not begun when everybody has been told.
    mutating func endWhenAllKnow(at time: ContinuousClock.Instant, _ effects: inout Effects) {
        if hasNotBegun, members.isComplete { end(at: time, &effects) }
    }

    /// Those who stand behind the furthest go on by one step; when all stand at one step, the job ends there.
    mutating func rally(at time: ContinuousClock.Instant, _ effects: inout Effects) {
        guard wish != nil, let last = standing.values.max() else { return }
        for (member, entry) in members.ranked(.worker) {
            guard let step = standing[member.rank], step < last else { continue }
            standing[member.rank] = nil
            effects.actions.append(.send(to: entry.connection, .verdict(Verdict(step: step, action: .proceed))))
        }
        // At a step of decision the job ends after the decision.
        guard standing.count == options.workers, sync == nil, !options.plan.evaluates(after: last) else { return }
        sync = SyncPoint(step: last, since: time, reached: Set(standing.keys), judged: true)
        goOn(at: time, &effects)
    }

    /// Has the state written in which all wait, unless it is already, and ends the job.
    mutating func stopHere(
        _ point: SyncPoint, _ cause: StopCause, at time: ContinuousClock.Instant, _ effects: inout Effects
    ) {
        if options.checkpoints != nil, committedStep != point.step {
            sync?.awaitsCheckpoint = true
            sync?.since = time
            // What the plan wants written is written unasked.
            if options.plan.checkpoints(after: point.step) {
                commitIfWhole(point.step, &effects)
            } else {
                askForSnapshot(of: point.step, true, &effects)
            }
            return
        }
        stopped = cause
        endReason = "stopped after step \(point.step) \(cause.words)"
        stop(at: time, &effects)
    }

    /// A shard could not write its part of the checkpoint with which the job is to stop: it stops with the one before.
    ///
    /// - Returns: false where the failure is one of the job.
    mutating func stopWithoutCheckpoint(
        _ failure: Failure, at time: ContinuousClock.Instant, _ effects: inout Effects
    ) -> Bool {
        guard wish != nil, let step = failure.checkpoint else { return false }
        // The other shards of a full disk have no other news.
        if case .stopping(_, hasFailed: false) = phase { return true }
        guard case .running = phase, let point = sync, point.step == step, point.awaitsCheckpoint, !point.stops
        else { return false }
        parts[step] = nil
        committed(step: step, .failure(NotWritten(description: failure.message)), at: time, into: &effects)
        return true
    }

    private struct NotWritten: Error, CustomStringConvertible { let description: String }

    /// Who has not said yet where it stands.
    var lateToStand: String? {
        guard wish != nil, sync == nil, case .running = phase else { return nil }
        let late = (0..<options.workers).filter { standing[$0] == nil }.map(String.init)
        return "worker \(late.joined(separator: ", ")) to end its step"
    }
}
