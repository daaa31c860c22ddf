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
                    hasLeft: entry.report != nil)
            }, waits: waits(at: time))
    }

    /// What the scheduler waits for.
    private func waits(at time: ContinuousClock.Instant) -> [WaitReport] {
        func wait(_ name: String, _ since: ContinuousClock.Instant) -> WaitReport {
            WaitReport(name: name, seconds: since.duration(to: time) / .seconds(1), count: waitCount)
        }
        switch phase {
        case .gathering(let since, _):
            return [wait("\(members.missing.joined(separator: ", ")) to join", since)]
        case .running:
            guard let sync else { return [] }
            if let split = sync.scoring { return [wait("scores of \(split) after step \(sync.step)", sync.since)] }
            if sync.awaitsCheckpoint {
                let written = parts[sync.step]?.count ?? 0
                let count = options.servers * options.shardsPerServer
                return [wait("the checkpoint of step \(sync.step), \(written) of \(count) shards written", sync.since)]
            }
            let missing = (0..<options.workers).filter { !sync.reached.contains($0) }.map(String.init)
            return [wait("worker \(missing.joined(separator: ", ")) to finish step \(sync.step)", sync.since)]
        case .stopping(let since, _):
            let missing = members.entries.filter { $0.value.report == nil }.keys.map(\.description).sorted()
            return missing.isEmpty ? [] : [wait("the last word of \(missing.joined(separator: ", "))", since)]
        case .ended: return []
        }
    }
}
