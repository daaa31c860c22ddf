import Telemetry
import Transport

/// How the job stands at a moment.
extension SchedulerLoop {
    /// The members and the scheduler's own waits.
    package func pulse(at time: ContinuousClock.Instant) -> SchedulerEvent {
        let gone = Set(gone(at: time).map(\.member))
        return .pulse(
            members.entries.map { member, entry in
                MemberPulse(
                    member: member, hello: entry.hello, address: entry.peer.address, starts: entry.starts,
                    step: entry.step,
                    activity: entry.state, silentSeconds: entry.heard.duration(to: time) / .seconds(1),
                    hasLeft: entry.report != nil, isLost: entry.isLost || gone.contains(member))
            }, waits: waits.reports(at: time),
            turnedAway: refused > 0 ? turnedAway.merging(["refused": refused]) { $1 } : turnedAway)
    }
}
