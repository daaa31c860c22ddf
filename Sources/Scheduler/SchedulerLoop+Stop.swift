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
    package mutating func stop(for cause: StopCause) {
        guard wish == nil else { return }
        switch phase {
        case .gathering:
            wish = cause
            stopped = cause
            endReason = "stopped before the first step \(cause.words)"
            phase = .stopping(since: now, hasFailed: false)
            for (member, _) in members.all {
                send(.stop(Stop(reason: endReason)), to: member)
            }
        case .running:
            wish = cause
            heldSince = now
            for (member, _) in members.ranked(.worker) { send(.hold, to: member) }
            gather()
        case .stopping, .ended: break
        }
    }

    /// A node comes to a job that is at its end.
    mutating func turnAway(_ hello: Hello, _ connection: [UInt8]) {
        let reason = evidence.first?.what ?? endReason
        send(.stop(Stop(reason: reason)), to: connection)
        guard hasNotBegun else { return }
        let candidate = Membership.Entry(
            hello: hello, connection: connection, incarnation: 0, peer: .init(), heard: now, isLocal: false)
        _ = members.admit(candidate, isGone: nil)
        endWhenAllKnow()
    }

    /// Whether the job was stopped before it began: nobody has anything to report.
    var hasNotBegun: Bool {
        guard case .stopping(_, hasFailed: false) = phase else { return false }
        return sync == nil && stopped != nil
    }

    /// Ends a job that has not begun when everybody has been told.
    mutating func endWhenAllKnow() {
        if hasNotBegun, members.isComplete { end() }
    }

    /// Has the state written in which all wait, unless it is already, and ends the job.
    mutating func stopHere(_ point: SyncPoint, _ cause: StopCause) {
        if options.checkpoints != nil, committedStep != point.step {
            sync?.decision?.awaitsCheckpoint = true
            sync?.since = now
            // What the plan wants written is written unasked.
            if options.plan.checkpoints(after: point.step) {
                commitIfWhole(point.step)
            } else {
                askForSnapshot(of: point.step, true)
            }
            return
        }
        stopped = cause
        endReason = "stopped after step \(point.step) \(cause.words)"
        stop()
    }

    /// Who has not said yet where it stands.
    var lateToStand: String? {
        guard wish != nil, sync == nil, case .running = phase else { return nil }
        return "worker \(late) to end its step"
    }

    /// The workers that do not stand.
    var late: String { (0..<options.workers).filter { standing[$0] == nil }.map(String.init).joined(separator: ", ") }
}
