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
        case .pulling(_, let since), .standing(_, let since):
            report.waitSeconds += since.duration(to: time) / .seconds(1)
        case .computing(_, let since): report.computeSeconds += since.duration(to: time) / .seconds(1)
        case .filling, .reading, .finished: break
        }
        client.report(into: &report)
        return report
    }

    /// What it waits for.
    package func waits(at time: ContinuousClock.Instant) -> [WaitReport] {
        switch phase {
        case .pulling(let activity, let since):
            let what =
                switch activity {
                case .training: "to begin step \(step)"
                case .scoring: "to score after step \(step)"
                }
            return [
                WaitReport(
                    name: "\(client.waitsFor) \(what)", seconds: since.duration(to: time) / .seconds(1),
                    count: waitCounts.values)
            ]
        case .standing(let steps, let since):
            // Others train meanwhile: nothing is late.
            guard steps.count == 1 else { return [] }
            return [
                WaitReport(
                    name: "the scheduler's verdict after step \(done)",
                    seconds: since.duration(to: time) / .seconds(1), count: waitCounts.verdict)
            ]
        case .filling, .computing, .reading, .finished: return []
        }
    }

    /// Since when its compute threads are at work: a thread that hangs is told like any other wait.
    package func computing(at time: ContinuousClock.Instant) -> WaitReport? {
        // The pool's round lasts until the next batches are filled too.
        let began: ContinuousClock.Instant
        switch phase {
        case .computing(_, let since), .reading(_, let since): began = since
        case .filling, .pulling, .standing, .finished: return nil
        }
        return WaitReport(
            name: "its compute threads to end step \(step)", seconds: began.duration(to: time) / .seconds(1),
            count: counts.steps + 1)
    }

    /// The last values of a pull are in.
    func noteValues(
        from shard: Int, _ activity: Activity, _ since: ContinuousClock.Instant, at time: ContinuousClock.Instant
    ) {
        let waited = since.duration(to: time)
        times.wait += waited / .seconds(1)
        counts.waitByShard[shard] += waited / .seconds(1)
        guard case .training = activity else { return }
        counts.pullSeconds.add(waited)
        if let lastPulled { counts.stepSeconds.add(lastPulled.duration(to: time)) }
        lastPulled = time
    }

    /// Stands behind steps, and waits for what the scheduler decides there.
    func stand(behind steps: ClosedRange<Int>, at time: ContinuousClock.Instant) {
        phase = .standing(steps, since: time)
        waitCounts.verdict += 1
        // An evaluation is no part of a step's time.
        lastPulled = nil
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
