package import Telemetry

/// Why the job failed: who first, how, and what to do.
package enum FailureView {
    /// Who and what, who only once.
    static func headline(_ failure: FailureReport) -> String {
        failure.what.hasPrefix(failure.first) ? failure.what : "\(failure.first): \(failure.what)"
    }

    /// The report, whole.
    package static func lines(_ failure: FailureReport, width: Int) -> [Line] {
        var lines = Line.labeled("failed first", headline(failure), .bad, width: width)
        let place = [
            failure.host.isEmpty ? "" : "host \(failure.host)", failure.pid > 0 ? "process \(failure.pid)" : "",
            "at \(Quantity.clock(failure.time))", "step \(Quantity.exact(failure.step))",
            "cause: \(failure.cause.rawValue)",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
        lines += Line.labeled("where", place, width: width)
        if !failure.followers.isEmpty {
            lines += Line.labeled("followed", failure.followers.joined(separator: ", "), width: width)
        }
        lines += Line.labeled("remedy", failure.remedy, .bold, width: width)
        if !failure.log.isEmpty { lines += Line.labeled("log", failure.log, width: width) }
        for line in failure.lastLines { lines += Line.paragraph(line, .dim, indent: 4, width: width) }
        return lines
    }
}
