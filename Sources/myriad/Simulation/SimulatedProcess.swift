/// A process of the simulated cluster: while it is stopped, nothing happens in it, and what came meanwhile happens after.
class SimulatedProcess {
    let timeline: Timeline
    private var stoppedUntil: ContinuousClock.Instant

    init(_ timeline: Timeline) {
        self.timeline = timeline
        stoppedUntil = timeline.now
    }

    /// Does something, now or when the process goes on.
    final func enter(_ body: @escaping () -> Void) {
        if timeline.now < stoppedUntil {
            timeline.at(stoppedUntil) { [self] in enter(body) }
        } else {
            body()
        }
    }

    /// Stops it for a while (SIGSTOP, a machine that swaps).
    final func stop(for pause: Duration) { stoppedUntil = max(stoppedUntil, timeline.now + pause) }
}
