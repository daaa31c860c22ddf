/// The curves of a running job in bounded memory: every second of the last hour, one point in ten seconds of the day before.
struct SeriesKeeper: Sendable {
    /// Seconds in which every point stays, and points that there may be in them.
    static let fine = 3600
    /// Seconds between the points before them.
    static let spacing = 10.0
    /// Seconds after which a point goes.
    static let longest = 25.0 * 3600

    /// Oldest first.
    private(set) var points: [SeriesPoint]
    /// How many of them, from the first, are thinned already: no point is thinned twice.
    private var thinned = 0

    /// - Parameter points: what there is to begin with, all of it: the record of a run that has ended is not cut.
    init(_ points: [SeriesPoint] = []) { self.points = points }

    /// Adds the newest, and lets go what has become too old.
    mutating func add(_ point: SeriesPoint) {
        points.append(point)
        let hour = point.time - Double(Self.fine)
        // The count too: a clock that is set back must not keep everything.
        var end = max(thinned, points.count - Self.fine)
        while end < points.count, points[end].time <= hour { end += 1 }
        if end > thinned {
            var kept: [SeriesPoint] = []
            // The clock's jitter must not make eleven seconds of ten.
            for old in points[thinned..<end]
            where old.time - (kept.last ?? points[..<thinned].last ?? .before).time >= Self.spacing - 0.5 {
                kept.append(old)
            }
            points.replaceSubrange(thinned..<end, with: kept)
            thinned += kept.count
        }
        let day = point.time - Self.longest
        let gone = points[..<thinned].prefix { $0.time <= day }.count
        points.removeFirst(gone)
        thinned -= gone
    }
}

extension SeriesPoint {
    /// Earlier than any point.
    fileprivate static let before = SeriesPoint(
        time: -.infinity, step: 0, samplesPerSecond: 0, loss: nil, auc: nil, rows: 0, receivedBytesPerSecond: 0,
        sentBytesPerSecond: 0, read: 0, wait: 0, compute: 0, push: 0)
}
