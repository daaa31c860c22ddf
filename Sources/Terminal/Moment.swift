package import Telemetry

/// When and from where a status is looked at.
package struct Moment: Sendable {
    /// Seconds since 1970.
    package let now: Double
    /// Whether the scheduler itself answered.
    package let isLive: Bool

    /// After so many seconds without a word a run that nobody answers for has ended without saying so.
    package static let patience = 30.0

    /// Both.
    package init(now: Double, isLive: Bool) {
        self.now = now
        self.isLive = isLive
    }

    /// "12 s ago"; "-" for a time that has not come.
    package func ago(_ time: Double) -> String {
        time > 0 ? "\(Quantity.age(max(0, now - time))) ago" : Quantity.none
    }

    /// Whether the run still says it runs, but nobody has written so for a while.
    package func isAbandoned(_ status: ClusterStatus) -> Bool {
        !isLive && !status.isOver && now - status.time > Moment.patience
    }

    /// What a reader has to know of how old these figures are; empty while the scheduler answers.
    package func provenance(of status: ClusterStatus) -> String {
        if status.isOver {
            let seconds = status.trainingSeconds
            let means = seconds > 0 ? "; rates are means over \(Quantity.duration(seconds)) of training" : ""
            return
                "\(status.job.state.rawValue) at \(Quantity.date(status.job.ended)), \(ago(status.job.ended))\(means)"
        }
        if isAbandoned(status) {
            return "no news for \(Quantity.duration(now - status.time)) and no scheduler answers: the run was probably "
                + "killed; these are its last figures"
        }
        return isLive ? "" : "as of \(ago(status.time)), from the run directory"
    }
}
