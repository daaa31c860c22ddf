import Telemetry

/// The job as a whole: state, progress, quality, and what limits it.
extension Scene {
    /// A title with the state ("din-1  running  step 1,204 of 3,000"), and a line for every figure.
    package var job: [Line] {
        let left = status.remaining.map { "  ETA \(Quantity.duration($0))" } ?? ""
        return [title(status.title, status.job.state.rawValue, status.progress + left)] + labeled(figures)
    }

    private var figures: KeyValuePairs<String, String> {
        let job = status.job
        let mean = "\(Quantity.rate(job.meanSamplesPerSecond))/s over all of training"
        let now = status.isOver ? mean : "\(Quantity.rate(job.samplesPerSecond))/s now, \(mean)"
        let failures = job.checkpointFailures > 0 ? "\(job.checkpointFailures) could not be written" : ""
        let checkpoint = [job.checkpoint?.words(at: moment) ?? "", failures].filter { !$0.isEmpty }
        let count = status.shards.count
        let place = "\(Quantity.bytes(status.memory)) on \(count) shard\(count == 1 ? "" : "s")"
        let test = status.evaluations.last { $0.split == "test" }
        return [
            "figures": moment.provenance(of: status),
            "ended": status.isOver ? job.reason : "",
            "limited by": status.limitedBy,
            "samples": "\(Quantity.count(job.samples)) of \(Quantity.count(job.samplesTotal)), \(now)",
            "loss": loss,
            "validation": validation,
            "test": test.map { "AUC \(Quantity.metric($0.auc)), \($0.rest)" } ?? "",
            "checkpoint": checkpoint.joined(separator: "; "),
            "rows": count == 0 ? "" : "\(Quantity.count(status.rows)), \(place)",
            "scheduler": job.scheduler,
            "page": job.page,
            "directory": job.directory,
        ]
    }

    private var loss: String {
        let job = status.job
        guard job.loss != nil || job.auc != nil else { return "" }
        let auxiliary = job.auxiliaryLoss.map { $0 != 0 ? ", auxiliary \(Quantity.metric($0))" : "" } ?? ""
        return "\(Quantity.metric(job.loss))\(auxiliary), AUC \(Quantity.metric(job.auc)) while training"
    }

    private var validation: String {
        guard let best = status.best, let newest = status.evaluations.last(where: { $0.split != "test" }) else {
            return ""
        }
        let text = "best AUC \(Quantity.metric(best.auc)), \(best.rest)"
        return best == newest
            ? text : "\(text); newest AUC \(Quantity.metric(newest.auc)) at step \(Quantity.exact(newest.step))"
    }
}
