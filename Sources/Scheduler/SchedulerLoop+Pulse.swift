import Telemetry

/// How the job stands at a moment.
extension SchedulerLoop {
    /// The members and the scheduler's own waits.
    package func pulse(at time: ContinuousClock.Instant) -> SchedulerEvent {
        .pulse(
            members.entries.map { member, entry in
                MemberPulse(
                    member: member, hello: entry.hello, incarnation: entry.incarnation, step: entry.step,
                    activity: entry.state, silentSeconds: entry.heard.duration(to: time) / .seconds(1),
                    hasLeft: entry.report != nil, isLost: entry.isLost)
            }, waits: waits.reports(at: time),
            turnedAway: turnedAway)
    }
}
