package import Telemetry

/// The job as a whole: state, progress, quality, and what limits it.
package enum JobView {
    /// A title with the state, and a line for every figure.
    package static func lines(_ status: ClusterStatus, at moment: Moment, width: Int) -> [Line] {
        var lines = [title(status).clipped(to: width)]
        for (label, text) in figures(status, at: moment) where !text.isEmpty {
            lines += Line.labeled(label, text, width: width)
        }
        return lines
    }

    /// "din-1  running  step 1,204 of 3,000".
    private static func title(_ status: ClusterStatus) -> Line {
        var line = Line(status.title, .bold)
        line.add("  ")
        line.add(status.job.state.rawValue, Tone(of: status.job.state.rawValue))
        line.add("  \(status.progress)")
        if let left = status.remaining { line.add("  ETA \(Quantity.duration(left))") }
        return line
    }

    private static func figures(_ status: ClusterStatus, at moment: Moment) -> [(String, String)] {
        let job = status.job
        let mean = "\(Quantity.rate(job.meanSamplesPerSecond))/s over all of training"
        let now = status.isOver ? mean : "\(Quantity.rate(job.samplesPerSecond))/s now, \(mean)"
        let failures = job.checkpointFailures > 0 ? "\(job.checkpointFailures) could not be written" : ""
        let count = status.shards.count
        let test = status.evaluations.last { $0.split == "test" }
        return [
            ("figures", moment.provenance(of: status)),
            ("ended", status.isOver ? job.reason : ""),
            ("limited by", status.limitedBy),
            ("samples", "\(Quantity.count(job.samples)) of \(Quantity.count(job.samplesTotal)), \(now)"),
            ("loss", loss(job)),
            ("validation", validation(status)),
            ("test", test.map { "AUC \(Quantity.metric($0.auc)), \($0.rest)" } ?? ""),
            (
                "checkpoint",
                [job.checkpoint?.words(at: moment) ?? "", failures].filter { !$0.isEmpty }.joined(separator: "; ")
            ),
            (
                "rows",
                count == 0
                    ? ""
                    : "\(Quantity.count(status.rows)), \(Quantity.bytes(status.memory)) on \(count) shard\(count == 1 ? "" : "s")"
            ),
            ("scheduler", job.scheduler),
            ("page", job.page),
            ("directory", job.directory),
        ]
    }

    private static func loss(_ job: JobStatus) -> String {
        guard job.loss != nil || job.auc != nil else { return "" }
        let auxiliary = job.auxiliaryLoss.map { $0 != 0 ? ", auxiliary \(Quantity.metric($0))" : "" } ?? ""
        return "\(Quantity.metric(job.loss))\(auxiliary), AUC \(Quantity.metric(job.auc)) while training"
    }

    private static func validation(_ status: ClusterStatus) -> String {
        guard let best = status.best, let newest = status.evaluations.last(where: { $0.split != "test" }) else {
            return ""
        }
        let text = "best AUC \(Quantity.metric(best.auc)), \(best.rest)"
        return best == newest
            ? text : "\(text); newest AUC \(Quantity.metric(newest.auc)) at step \(Quantity.exact(newest.step))"
    }
}
