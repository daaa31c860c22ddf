package import Telemetry

/// Somebody wants to see how the job stands; who only looks need not join.
package struct Inspect: Checked, Sendable, Equatable {
    /// Points of the curves after this time (seconds since 1970) are wanted too; nil for none.
    package var seriesSince: Double?

    /// What is wanted.
    package init(seriesSince: Double? = nil) { self.seriesSince = seriesSince }
}

/// How the job stands.
package struct Inspection: Checked, Sendable, Equatable {
    /// At the last second.
    package var status: ClusterStatus
    /// Oldest first.
    package var series: [SeriesPoint]

    package init(status: ClusterStatus, series: [SeriesPoint] = []) {
        self.status = status
        self.series = series
    }
}
