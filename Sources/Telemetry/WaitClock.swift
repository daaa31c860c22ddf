/// What a thread waits for, by name: each wait is told after five seconds, then whenever it has doubled.
///
/// Owned by the thread that waits. A wait has a key by which it is known again while its name changes ("worker 1 and 2
/// to join" becomes "worker 2 to join").
package struct WaitClock: Sendable {
    /// After this long a wait is told for the first time.
    package static let first = Duration.seconds(5)

    private struct Wait {
        var name: String
        var since: ContinuousClock.Instant
        var told: Duration
        var count: Int
    }

    /// Who waits: "worker 1".
    package var who: String
    private var waits: [String: Wait] = [:]
    private var counts: [String: Int] = [:]

    /// Somebody who waits for nothing yet.
    package init(who: String) { self.who = who }

    /// Begins a wait, goes on with it under another name, or (without a name) ends it.
    ///
    /// - Parameter since: when it began, where that is known; another time than before is another wait.
    package mutating func note(
        _ key: String, _ name: String?, since: ContinuousClock.Instant? = nil, at time: ContinuousClock.Instant = .now
    ) {
        guard let name else { return end(key) }
        if let old = waits[key], since == nil || since == old.since {
            waits[key]?.name = name
            return
        }
        counts[key, default: 0] += 1
        waits[key] = Wait(name: name, since: since ?? time, told: Self.first, count: counts[key] ?? 1)
    }

    /// Ends a wait, if it has begun.
    package mutating func end(_ key: String) { waits[key] = nil }

    /// Takes over a wait that somebody else counts; without one it ends.
    package mutating func note(
        _ key: String, _ wait: WaitReport?, at time: ContinuousClock.Instant = .now
    ) {
        guard let wait else { return end(key) }
        if waits[key]?.count == wait.count {
            waits[key]?.name = wait.name
        } else {
            waits[key] = Wait(
                name: wait.name, since: time - Duration(bounded: wait.seconds), told: Self.first, count: wait.count)
        }
    }

    /// The waits that are due to be told: once at five seconds, then at ten, twenty and so on.
    package mutating func due(at time: ContinuousClock.Instant = .now) -> [WaitReport] {
        var due: [WaitReport] = []
        for (key, wait) in waits where wait.since.duration(to: time) >= wait.told {
            while let told = waits[key]?.told, wait.since.duration(to: time) >= told { waits[key]?.told = told * 2 }
            due.append(report(wait, time))
        }
        return due.sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
    }

    /// The same as lines: "worker 1 waits for values of shard 0 (5 s)".
    package mutating func lines(at time: ContinuousClock.Instant = .now) -> [String] {
        due(at: time).map { "\(who) waits for \($0.name) (\(Int(bounded: $0.seconds)) s)" }
    }

    /// All waits right now, the longest first.
    package func reports(at time: ContinuousClock.Instant = .now) -> [WaitReport] {
        waits.values.map { report($0, time) }.sorted { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
    }

    private func report(_ wait: Wait, _ time: ContinuousClock.Instant) -> WaitReport {
        WaitReport(
            name: wait.name, seconds: max(0, wait.since.duration(to: time) / .seconds(1)), count: wait.count)
    }
}
