package import Telemetry

/// The whole picture on one page: job, processes, waits, events, and the failure if there is one.
package enum StatusView {
    /// All of it.
    package static func lines(_ status: ClusterStatus, at moment: Moment, width: Int) -> [Line] {
        var lines = JobView.lines(status, at: moment, width: width)
        if let failure = status.failure { lines += [Line()] + FailureView.lines(failure, width: width) }
        if !status.nodes.isEmpty { lines += [Line()] + NodeView.lines(status, width: width) }
        if !status.waits.isEmpty, !status.isOver {
            lines += [Line()] + WaitView.table(status.waits, width: width)
        }
        if !status.events.isEmpty {
            lines += [Line()] + EventView.lines(status.events, count: 5, width: width)
        }
        return lines
    }
}
