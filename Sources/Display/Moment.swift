package import Telemetry

/// When and from where a status is looked at.
package struct Moment: Sendable {
    /// Seconds since 1970.
    package let now: Double
    /// Whether the scheduler itself answered.
    package let isLive: Bool

    package init(now: Double, isLive: Bool) {
        self.now = now
        self.isLive = isLive
    }

    /// "12 s ago"; "-" for a time that has not come.
    package func ago(_ time: Double) -> String {
        time > 0 ? "\(Quantity.age(max(0, now - time))) ago" : Quantity.none
    }

    /// What a reader has to know of how old these figures are; empty while the scheduler answers.
    package func provenance(of status: ClusterStatus) -> String {
        if status.isOver {
            let seconds = status.trainingSeconds
            let means = seconds > 0 ? "; rates are means over \(Quantity.duration(seconds)) of training" : ""
            return
                "\(status.job.state.rawValue) at \(Quantity.date(status.job.ended)), \(ago(status.job.ended))\(means)"
        }
        return isLive ? "" : "as of \(ago(status.time)), from the run directory"
    }
}
