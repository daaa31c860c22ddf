import Telemetry
import Transport

/// What follows from time alone: deadlines, silence, and the names of what is waited for.
extension SchedulerLoop {
    /// Looks at the clock: who is missing, who is silent, what is waited for.
    package mutating func tick() {
        if let ticked, ticked + NodeSession.longestTurn < now { members.forgive(ticked.duration(to: now)) }
        ticked = now
        switch phase {
        case .gathering(let since):
            startIfComplete()
            if case .gathering = phase, since.duration(to: now) > options.startTimeout {
                failToStart()
            }
        case .running: lookForTheSilent()
        case .stopping(let since, let hasFailed):
            if hasNotBegun, since.duration(to: now) > Self.farewellTime { end() }
            if hasFailed, since.duration(to: now) > Self.moment {
                reportFailure()
                endWhenAllReported()
            }
            // After a failure the dead cannot report; otherwise a node may be writing.
            if hasFailed || committing == 0, since.duration(to: now) > .seconds(hasFailed ? 2 : 10) {
                end()
            }
        case .ended: break
        }
        passOn()
        for (member, _) in members.all { repeatAll(to: member, hasMoved: false) }
        noteWaits()
        for wait in waits.due(at: now) { effects.events.append(.waiting(wait)) }
    }

    /// Brings the names of what is waited for up to date.
    private mutating func noteWaits() {
        var join: String?
        var since: ContinuousClock.Instant?
        if case .gathering(let began) = phase {
            join = missing + " to join"
            since = began
        }
        waits.note("join", join, since: since, at: now)
        var scores: String?
        var others: String?
        if case .running = phase {
            if let sync, let outstanding = sync.scores {
                let what = if case .measuring = outstanding { "metrics" } else { "scores" }
                scores = "\(what) of \(outstanding.split) in the state after step \(sync.step)"
            } else if sync == nil, wish == nil, standingSince != nil, let step = standing.values.map(\.upperBound).min()
            {
                others = "worker \(late) to reach step \(step)"
            }
        }
        waits.note("hold", lateToStand, since: heldSince, at: now)
        waits.note("scores", scores, since: sync?.since, at: now)
        waits.note("others", others, since: standingSince, at: now)
        let open = parts.min { $0.key < $1.key }
        let asked = sync?.decision?.awaitsCheckpoint == true ? sync?.step : open?.key
        var checkpoint: String?
        if let step = asked {
            let late = (0..<shardCount).filter { parts[step]?[$0] == nil }
            let shards = late.map(String.init).joined(separator: ", ")
            // With all parts there it is the verdict that is waited for.
            if !late.isEmpty { checkpoint = "parts of the checkpoint of step \(step) by shard \(shards)" }
        }
        waits.note("checkpoint", checkpoint, at: now)
        var words: String?
        if case .stopping = phase {
            let late = members.all.filter { $0.entry.report == nil && !$0.entry.isLost && !hasNotBegun }
            let names = late.map { "\($0.member)" }.joined(separator: ", ")
            words = late.isEmpty ? nil : "the last report of \(names)"
        }
        waits.note("reports", words, at: now)
    }

    /// How the members stand now, and what the scheduler itself waits for.
    package var pulse: SchedulerEvent {
        let gone = Set(gone.map(\.member))
        return .pulse(
            members.entries.map { member, entry in
                MemberPulse(
                    member: member, hello: entry.hello, address: entry.peer.address, starts: entry.starts,
                    step: entry.step, activity: entry.state,
                    silentSeconds: entry.heard.duration(to: now) / .seconds(1), hasLeft: entry.report != nil,
                    isLost: entry.isLost || gone.contains(member))
            }, waits: waits.reports(at: now),
            turnedAway: refused > 0 ? turnedAway.merging(["refused": refused]) { $1 } : turnedAway)
    }
}
