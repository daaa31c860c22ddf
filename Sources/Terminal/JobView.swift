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
    static func title(_ status: ClusterStatus) -> Line {
        let job = status.job
        var line = Line(job.name.isEmpty ? "job \(job.id)" : job.name, .bold)
        line.add("  ")
        line.add(Span(state: job.state))
        line.add("  \(progress(job))")
        if let left = remaining(status) { line.add("  ETA \(Quantity.duration(left))") }
        return line
    }

    /// "step 1,204 of 3,000 (epoch 2 of 4)".
    static func progress(_ job: JobStatus) -> String {
        let epochs = job.epochs > 0 ? " (epoch \(min(job.epoch.plus(1), job.epochs)) of \(job.epochs))" : ""
        return "step \(Quantity.exact(job.step)) of \(Quantity.exact(job.lastStep))\(epochs)"
    }

    /// Seconds until all samples are trained on; nil when nobody can say.
    static func remaining(_ status: ClusterStatus) -> Double? {
        let job = status.job
        guard job.state == .running, job.samplesPerSecond > 0, job.samplesTotal > job.samples else { return nil }
        return Double(job.samplesTotal.minus(job.samples)) / job.samplesPerSecond
    }

    private static func figures(_ status: ClusterStatus, at moment: Moment) -> [(String, String)] {
        let job = status.job
        return [
            ("figures", moment.provenance(of: status)),
            ("ended", status.isOver ? job.reason : ""),
            ("limited by", status.limitedBy),
            ("samples", samples(status)),
            ("loss", loss(job)),
            ("validation", validation(status)),
            ("test", status.evaluations.last { $0.split == "test" }.map { scores($0) } ?? ""),
            ("checkpoint", checkpoint(job, at: moment)),
            ("rows", rows(status)),
            ("scheduler", job.scheduler),
            ("page", job.page),
            ("directory", job.directory),
        ]
    }

    private static func samples(_ status: ClusterStatus) -> String {
        let job = status.job
        let all = "\(Quantity.count(job.samples)) of \(Quantity.count(job.samplesTotal))"
        let mean = "\(Quantity.rate(job.meanSamplesPerSecond))/s over all of training"
        return status.isOver ? "\(all), \(mean)" : "\(all), \(Quantity.rate(job.samplesPerSecond))/s now, \(mean)"
    }

    private static func loss(_ job: JobStatus) -> String {
        guard job.loss != nil || job.auc != nil else { return "" }
        let auxiliary = job.auxiliaryLoss.map { $0 != 0 ? ", auxiliary \(Quantity.metric($0))" : "" } ?? ""
        return "\(Quantity.metric(job.loss))\(auxiliary), AUC \(Quantity.metric(job.auc)) while training"
    }

    private static func validation(_ status: ClusterStatus) -> String {
        let all = status.evaluations.filter { $0.split != "test" }
        guard let newest = all.last else { return "" }
        let best = all.last { $0.isBest } ?? newest
        let text = "best \(scores(best))"
        return best == newest
            ? text
            : "\(text); newest AUC \(Quantity.metric(newest.auc)) at step "
                + Quantity.exact(newest.step)
    }

    private static func scores(_ split: EvaluationStatus) -> String {
        "AUC \(Quantity.metric(split.auc)), GAUC \(Quantity.metric(split.gauc)), log loss "
            + "\(Quantity.metric(split.logLoss)), calibration \(Quantity.metric(split.calibration)) at step "
            + Quantity.exact(split.step)
    }

    private static func checkpoint(_ job: JobStatus, at moment: Moment) -> String {
        let failures = job.checkpointFailures > 0 ? "\(job.checkpointFailures) could not be written" : ""
        guard let newest = job.checkpoint else { return failures }
        let text =
            "of step \(Quantity.exact(newest.step)), \(moment.ago(newest.time)), \(Quantity.bytes(newest.bytes)) in "
            + Quantity.duration(newest.seconds)
        return failures.isEmpty ? text : "\(text); \(failures)"
    }

    private static func rows(_ status: ClusterStatus) -> String {
        guard !status.shards.isEmpty else { return "" }
        let rows = status.shards.total(\.report.rows)
        let bytes = status.shards.total { $0.report.bytes.used.plus($0.report.denseBytes) }
        let shards = status.shards.count
        return "\(Quantity.count(rows)), \(Quantity.bytes(bytes)) on \(shards) shard\(shards == 1 ? "" : "s")"
    }
}
