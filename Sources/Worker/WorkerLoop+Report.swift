package import Telemetry

/// What a worker tells of itself.
extension WorkerLoop {
    /// A copy of its counters.
    package func report() -> WorkerReport {
        var report = client.counts
        report.step = step
        // What goes on right now belongs to the second that is told of, not to the one in which it ends.
        switch phase {
        case .pulling(_, let since), .standing(_, let since):
            report.waitSeconds += since.duration(to: now) / .seconds(1)
        case .computing(_, let since): report.computeSeconds += since.duration(to: now) / .seconds(1)
        case .filling, .reading, .finished: break
        }
        return report
    }

    /// What it waits for.
    package var wait: WaitReport? {
        let (name, since, count): (String, ContinuousClock.Instant, Int)
        switch phase {
        case .pulling(.training, let began):
            (name, since, count) = ("\(client.waitsFor) to begin step \(step)", began, waitCounts.values)
        case .pulling(.scoring, let began):
            (name, since, count) = ("\(client.waitsFor) to score after step \(step)", began, waitCounts.values)
        // Where it stands behind several steps others train meanwhile: nothing is late.
        case .standing(let steps, let began) where steps.count == 1:
            (name, since, count) = ("the scheduler's verdict after step \(done)", began, waitCounts.verdict)
        case .standing, .filling, .computing, .reading, .finished: return nil
        }
        return WaitReport(name: name, seconds: since.duration(to: now) / .seconds(1), count: count)
    }

    /// Since when its compute threads are at work: a thread that hangs is told like any other wait.
    package var computing: WaitReport? {
        // The pool's round lasts until the next batches are filled too.
        switch phase {
        case .computing(_, let since), .reading(_, let since):
            WaitReport(
                name: "its compute threads to end step \(step)", seconds: since.duration(to: now) / .seconds(1),
                count: client.counts.steps + 1)
        case .filling, .pulling, .standing, .finished: nil
        }
    }

    /// The last values of a pull are in.
    func noteValues(from shard: Int, _ activity: Activity, _ since: ContinuousClock.Instant) {
        let waited = since.duration(to: now)
        client.counts.waitSeconds += waited / .seconds(1)
        client.counts.waitByShard[shard] += waited / .seconds(1)
        guard case .training = activity else { return }
        client.counts.pullSeconds.add(waited)
        if let lastPulled { client.counts.stepSeconds.add(lastPulled.duration(to: now)) }
        lastPulled = now
    }

    /// Stands behind steps, and waits for what the scheduler decides there.
    func stand(behind steps: ClosedRange<Int>) {
        phase = .standing(steps, since: now)
        waitCounts.verdict += 1
        // An evaluation is no part of a step's time.
        lastPulled = nil
    }
}
