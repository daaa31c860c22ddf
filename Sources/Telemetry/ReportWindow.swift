/// The reports of one node over the last seconds: what rates and shares are taken of.
package struct ReportWindow: Sendable {
    /// Reports older than this before the newest are let go.
    private static let length = 3.0
    private var reports: [NodeReport] = []

    /// No report yet.
    package init() {}

    /// Takes the next report.
    package mutating func add(_ report: NodeReport) {
        reports.append(report)
        // The count too: a node's clock may say anything.
        while reports.count > 2, reports.count > 16 || report.time - reports[1].time >= Self.length {
            reports.removeFirst()
        }
    }

    /// The newest.
    package var newest: NodeReport? { reports.last }

    /// The seconds between the oldest and the newest; 0 with fewer than two.
    package var seconds: Double {
        guard let first = reports.first, let last = reports.last else { return 0 }
        return max(0, last.time - first.time)
    }

    /// How much a counter rose in a second, over the window, or over the node's life of `lifetime` seconds.
    package func rate(lifetime: Double? = nil, _ counter: (NodeReport) -> Double) -> Double {
        guard let last = reports.last, let first = reports.first else { return 0 }
        if let lifetime { return lifetime > 0 ? counter(last) / lifetime : 0 }
        return seconds > 0 ? max(0, counter(last) - counter(first)) / seconds : 0
    }
}
