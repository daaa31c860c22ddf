import Wire

/// Who wants to know how fast bytes go: one measurement runs at a time, and after each there is a pause, so that whoever
/// asks without end slows training by little.
struct ProbeQueue {
    /// Somebody who waits for what a worker measures.
    struct Asked {
        let wish: ProbeWish
        let connection: [UInt8]
        let since: ContinuousClock.Instant
    }

    /// Questions that wait at once.
    static let most = 16
    /// Of one who asks.
    private static let mostEach = 2
    /// Who asks gives up after so long, and is forgotten.
    private static let patience = Duration.seconds(12)
    /// At least this between the starts of two measurements, and as long as the one before took after its end.
    private static let pause = Duration.seconds(2)

    private(set) var waiting: [Asked] = []
    private(set) var running: (asked: Asked, since: ContinuousClock.Instant)?
    private var rest: ContinuousClock.Instant?

    /// Takes a question; false when there are too many.
    mutating func add(_ wish: ProbeWish, from connection: [UInt8], at time: ContinuousClock.Instant) -> Bool {
        guard waiting.count < Self.most, waiting.count(where: { $0.connection == connection }) < Self.mostEach else {
            return false
        }
        waiting.append(Asked(wish: wish, connection: connection, since: time))
        return true
    }

    /// The question to be passed on now, if one is; it counts as running then.
    mutating func next(at time: ContinuousClock.Instant) -> ProbeWish? {
        waiting.removeAll { $0.since + Self.patience < time }
        if let running, running.since + Self.patience < time { self.running = nil }
        guard running == nil, !waiting.isEmpty, rest.map({ $0 <= time }) ?? true else { return nil }
        let asked = waiting.removeFirst()
        running = (asked, time)
        return asked.wish
    }

    /// To whom an answer of a worker goes; nil when it was not asked.
    mutating func answered(_ number: UInt32, by worker: Int, at time: ContinuousClock.Instant) -> [UInt8]? {
        guard let running, running.asked.wish.number == number, running.asked.wish.worker == worker else { return nil }
        self.running = nil
        rest = max(running.since + Self.pause, time + running.since.duration(to: time))
        return running.asked.connection
    }
}
