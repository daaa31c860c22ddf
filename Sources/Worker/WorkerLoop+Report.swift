package import Telemetry

/// What a worker tells of itself.
extension WorkerLoop {
    /// A copy of its counters.
    package func report(at time: ContinuousClock.Instant) -> WorkerReport {
        var report = counts
        report.step = step
        report.readSeconds += times.read
        report.waitSeconds += times.wait
        report.computeSeconds += times.compute
        report.pushSeconds += times.wire
        // What goes on right now belongs to the second that is told of, not to the one in which it ends.
        switch phase {
        case .pulling(let since): report.waitSeconds += since.duration(to: time) / .seconds(1)
        case .awaitingVerdict:
            if let verdictSince { report.waitSeconds += verdictSince.duration(to: time) / .seconds(1) }
        case .computing(let since):
            if roundComputed == nil { report.computeSeconds += since.duration(to: time) / .seconds(1) }
        case .filling, .finished: break
        }
        client.report(into: &report)
        return report
    }

    /// What it waits for.
    package func waits(at time: ContinuousClock.Instant) -> [WaitReport] {
        switch phase {
        case .pulling(let since):
            let what = score == nil ? "to begin step \(step)" : "to score after step \(step)"
            return [
                WaitReport(
                    name: "\(client.waitsFor) \(what)", seconds: since.duration(to: time) / .seconds(1),
                    count: waitCounts.values)
            ]
        case .awaitingVerdict:
            // Others train meanwhile: nothing is late.
            guard let verdictSince, !isIdle else { return [] }
            return [
                WaitReport(
                    name: "the scheduler's verdict after step \(done)",
                    seconds: verdictSince.duration(to: time) / .seconds(1), count: waitCounts.verdict)
            ]
        case .filling, .computing, .finished: return []
        }
    }

    /// Since when its compute threads are at work: a thread that hangs is told like any other wait.
    package func computing(at time: ContinuousClock.Instant) -> WaitReport? {
        guard case .computing(let since) = phase else { return nil }
        return WaitReport(
            name: "its compute threads to end step \(step)", seconds: since.duration(to: time) / .seconds(1),
            count: counts.steps + 1)
    }

    /// The last values of a pull are in.
    func noteValues(from shard: Int, _ since: ContinuousClock.Instant, at time: ContinuousClock.Instant) {
        let waited = since.duration(to: time)
        times.wait += waited / .seconds(1)
        counts.waitByShard[shard] += waited / .seconds(1)
        guard score == nil else { return }
        counts.pullSeconds.add(waited)
        if let lastPulled { counts.stepSeconds.add(lastPulled.duration(to: time)) }
        lastPulled = time
    }

    /// Waits for what the scheduler decides.
    func awaitVerdict(at time: ContinuousClock.Instant) {
        phase = .awaitingVerdict
        verdictSince = time
        waitCounts.verdict += 1
        // An evaluation is no part of a step's time.
        lastPulled = nil
    }

    /// The scheduler has decided.
    func noteVerdict(at time: ContinuousClock.Instant) {
        if let verdictSince { counts.waitSeconds += verdictSince.duration(to: time) / .seconds(1) }
        verdictSince = nil
    }

    /// Adds the window's times to all before.
    func settleTimes() {
        counts.computeSeconds += times.compute
        counts.waitSeconds += times.wait
        counts.pushSeconds += times.wire
        counts.readSeconds += times.read
        times = Times()
    }
}
