import Synchronization

/// Where the scheduler's thread leaves the newest status for the threads that show it.
package final class StatusBoard: Sendable {
    private struct Contents: Sendable {
        var status = ClusterStatus()
        var version = 0
        var series: [SeriesPoint] = []
    }

    /// An hour of seconds, then a day of ten seconds: older points are thinned out.
    private static let fine = 3600
    private static let coarse = 8640
    private let contents = Mutex(Contents())

    /// Nothing known yet.
    package init() {}

    /// The status of a run that has ended, and its curves.
    package init(status: ClusterStatus, series: [SeriesPoint]) {
        contents.withLock {
            $0.status = status
            $0.series = series
            $0.version = 1
        }
    }

    /// Leaves a status, and the next point of the curves.
    package func publish(_ status: ClusterStatus, point: SeriesPoint? = nil) {
        contents.withLock {
            $0.status = status
            $0.version += 1
            guard let point else { return }
            $0.series.append(point)
            guard $0.series.count > Self.fine + Self.coarse else { return }
            // Of the oldest hour every tenth point stays.
            let old = $0.series[..<Self.fine].enumerated().filter { $0.offset % 10 == 0 }.map(\.element)
            $0.series.replaceSubrange(..<Self.fine, with: old)
        }
    }

    /// The newest status.
    package var status: ClusterStatus { contents.withLock { $0.status } }

    /// Rises with every status: whoever keeps something made of one knows by it when to make it anew.
    package var version: Int { contents.withLock { $0.version } }

    /// The newest status and its version, taken together.
    package var newest: (status: ClusterStatus, version: Int) { contents.withLock { ($0.status, $0.version) } }

    /// Points after a time (seconds since 1970), oldest first.
    package func series(since time: Double) -> [SeriesPoint] {
        contents.withLock { contents in
            // Ascending in time: what is asked for is a short end of it.
            let first = contents.series.lastIndex { $0.time <= time }.map { $0 + 1 } ?? 0
            return Array(contents.series[first...])
        }
    }
}
