/// How far a node's clock is from this one, by the times of its reports.
///
/// A report says when it was written, and is here a while later: what is seen is the skew less the time on the way.
/// The largest of what was seen lately is therefore the nearest to the truth, whichever clock is ahead.
struct ClockSkew {
    private static let reports = 16
    private var seen: [Double] = []

    /// Takes the time of a report, in seconds since 1970, that came in `now`.
    mutating func add(_ time: Double, at now: Double) {
        seen.append(time - now)
        if seen.count > Self.reports { seen.removeFirst() }
    }

    /// Seconds by which the node's clock is ahead; nil before the first report.
    var seconds: Double? { seen.max() }
}
