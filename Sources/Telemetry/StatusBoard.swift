import Synchronization

/// Where the scheduler's thread leaves the newest status for the threads that show it.
package final class StatusBoard: Sendable {
    private struct Contents: Sendable {
        var status = ClusterStatus()
        var version = 0
        var series = SeriesKeeper()
        var turnedAway = 0
    }

    private let contents = Mutex(Contents())

    package init() {}

    /// The status of a run that has ended, and its curves.
    package init(status: ClusterStatus, series: [SeriesPoint]) {
        contents.withLock {
            $0.status = status
            $0.series = SeriesKeeper(series)
            $0.version = 1
        }
    }

    /// Leaves a status, and the next point of the curves.
    package func publish(_ status: ClusterStatus, point: SeriesPoint? = nil) {
        contents.withLock {
            $0.status = status
            $0.version += 1
            if let point { $0.series.add(point) }
        }
    }

    /// Counts a connection to the page that was closed before it had asked anything, or to make room for another.
    package func turnAway() { contents.withLock { $0.turnedAway += 1 } }

    /// How many of these there were.
    package var turnedAway: Int { contents.withLock { $0.turnedAway } }

    /// The newest status.
    package var status: ClusterStatus { contents.withLock { $0.status } }

    /// Rises with every status: whoever keeps something made of one knows by it when to make it anew.
    package var version: Int { contents.withLock { $0.version } }

    /// The newest status and its version, taken together.
    package var newest: (status: ClusterStatus, version: Int) { contents.withLock { ($0.status, $0.version) } }

    /// Points after a time (seconds since 1970), oldest first.
    package func series(since time: Double) -> [SeriesPoint] {
        contents.withLock { contents in
            let points = contents.series.points
            // Ascending in time: what is asked for is a short end of it.
            let first = points.lastIndex { $0.time <= time }.map { $0 + 1 } ?? 0
            return Array(points[first...])
        }
    }
}
