import Telemetry
import Transport

/// What follows from time alone: deadlines, silence, and the names of what is waited for.
extension SchedulerLoop {
    /// Looks at the clock: who is missing, who is silent, what is waited for.
    package mutating func tick(at time: ContinuousClock.Instant, into effects: inout Effects) {
        if let ticked, ticked + NodeSession.longestTurn < time { members.forgive(ticked.duration(to: time)) }
        ticked = time
        switch phase {
        case .gathering(let since):
            startIfComplete(at: time, &effects)
            if case .gathering = phase, since.duration(to: time) > options.startTimeout {
                failToStart(at: time, &effects)
            }
        case .running: lookForTheSilent(at: time, &effects)
        case .stopping(let since, let hasFailed):
            if hasNotBegun, since.duration(to: time) > Self.farewellTime { end(at: time, &effects) }
            if hasFailed, since.duration(to: time) > Self.moment {
                reportFailure(at: time, &effects)
                endWhenAllReported(at: time, &effects)
            }
            // After a failure the dead cannot report; otherwise a node may be writing.
            if hasFailed || committing == 0, since.duration(to: time) > .seconds(hasFailed ? 2 : 10) {
                end(at: time, &effects)
            }
        case .ended: break
        }
        passOn(at: time, &effects)
        for (member, _) in members.all { repeatAll(to: member, hasMoved: false, at: time, &effects) }
        noteWaits(at: time)
        for wait in waits.due(at: time) { effects.events.append(.waiting(wait)) }
    }

    /// Brings the names of what is waited for up to date.
    private mutating func noteWaits(at time: ContinuousClock.Instant) {
        var join: String?
        var since: ContinuousClock.Instant?
        if case .gathering(let began) = phase {
            join = missing(at: time) + " to join"
            since = began
        }
        waits.note("join", join, since: since, at: time)
        var scores: String?
        var others: String?
        if case .running = phase {
            if let sync, let outstanding = sync.scores {
                let what = if case .measuring = outstanding { "metrics" } else { "scores" }
                scores = "\(what) of \(outstanding.split) in the state after step \(sync.step)"
            } else if sync == nil, wish == nil, standingSince != nil, let step = standing.values.map(\.upperBound).min()
            {
                let late = (0..<options.workers).filter { standing[$0] == nil }.map(String.init)
                others = "worker \(late.joined(separator: ", ")) to reach step \(step)"
            }
        }
        waits.note("hold", lateToStand, since: heldSince, at: time)
        waits.note("scores", scores, since: sync?.since, at: time)
        waits.note("others", others, since: standingSince, at: time)
        let open = parts.min { $0.key < $1.key }
        let asked = sync?.decision?.awaitsCheckpoint == true ? sync?.step : open?.key
        var checkpoint: String?
        if let step = asked {
            let late = (0..<shardCount).filter { parts[step]?[$0] == nil }
            let shards = late.map(String.init).joined(separator: ", ")
            // With all parts there it is the verdict that is waited for.
            if !late.isEmpty { checkpoint = "parts of the checkpoint of step \(step) by shard \(shards)" }
        }
        waits.note("checkpoint", checkpoint, at: time)
        var words: String?
        if case .stopping = phase {
            let late = members.all.filter { $0.entry.report == nil && !$0.entry.isLost && !hasNotBegun }.map {
                "\($0.member)"
            }
            words = late.isEmpty ? nil : "the last report of \(late.joined(separator: ", "))"
        }
        waits.note("reports", words, at: time)
    }
}
