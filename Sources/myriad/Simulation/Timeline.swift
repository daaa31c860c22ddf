/// Simulated time: what is to happen happens in the order of its time, and of its asking where that is the same.
final class Timeline {
    /// When it began; only differences to it matter.
    let start = ContinuousClock.now
    private(set) var now: ContinuousClock.Instant
    /// Entries done so far.
    private(set) var count = 0
    /// The next one is the last.
    private var entries: [(time: ContinuousClock.Instant, body: () -> Void)] = []

    init() { now = start }

    /// Since the start.
    var elapsed: Duration { start.duration(to: now) }

    /// Has something happen later.
    func after(_ delay: Duration, _ body: @escaping () -> Void) { at(now + delay, body) }

    /// Has something happen at a time; what is past happens now.
    func at(_ time: ContinuousClock.Instant, _ body: @escaping () -> Void) {
        count += 1
        let time = max(time, now)
        let later = entries.lastIndex { $0.time > time } ?? -1
        entries.insert((time, body), at: later + 1)
    }

    /// Goes on to the next entry; false when there is none before `limit`.
    func advance(until limit: Duration) -> Bool {
        guard let next = entries.last, start.duration(to: next.time) <= limit else { return false }
        entries.removeLast()
        now = next.time
        next.body()
        return true
    }

    /// Forgets what was to happen.
    func clear() { entries = [] }
}

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
        guard timeline.now < stoppedUntil else { return body() }
        timeline.at(stoppedUntil) { [self] in enter(body) }
    }

    /// Does something after a while, if the process goes on by then.
    final func later(_ delay: Duration, _ body: @escaping () -> Void) {
        timeline.after(delay) { [self] in enter(body) }
    }

    /// Stops it for a while (SIGSTOP, a machine that swaps).
    final func stop(for pause: Duration) { stoppedUntil = max(stoppedUntil, timeline.now + pause) }
}
