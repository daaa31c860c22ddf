package import Telemetry

/// The job as a whole, in words that every surface uses.
extension ClusterStatus {
    /// Its name, or its number where it has none.
    package var title: String { job.name.isEmpty ? "job \(job.id)" : job.name }

    /// "epoch 2 of 4"; empty where epochs are not counted.
    package var epoch: String {
        job.epochs > 0 ? "epoch \(min(job.epoch.plus(1), job.epochs)) of \(job.epochs)" : ""
    }

    /// "step 1,204 of 3,000 (epoch 2 of 4)".
    package var progress: String {
        "step \(Quantity.exact(job.step)) of \(Quantity.exact(job.lastStep))\(epoch.isEmpty ? "" : " (\(epoch))")"
    }

    /// Seconds until all samples are trained on; nil when nobody can say.
    package var remaining: Double? {
        guard job.state == .running, job.samplesPerSecond > 0, job.samplesTotal > job.samples else { return nil }
        return Double(job.samplesTotal.minus(job.samples)) / job.samplesPerSecond
    }

    /// Samples a second: now, or once the job has ended the mean.
    package var speed: Double { isOver ? job.meanSamplesPerSecond : job.samplesPerSecond }

    /// Rows on all shards.
    package var rows: Int { shards.total(\.report.rows) }

    /// Bytes of them and of the dense parameters.
    package var memory: Int { shards.total(\.report.memory) }

    /// The evaluation that is marked best; the one of the highest AUC where none is.
    package var best: EvaluationStatus? {
        let all = evaluations.filter { $0.split != "test" }
        return all.last { $0.isBest } ?? all.max { ($0.auc ?? -1) < ($1.auc ?? -1) }
    }

    /// How evenly shards are loaded, largest over mean; "rows 1.01".
    package var skews: [(name: String, value: Double)] {
        [
            ("rows", skew.rows), ("memory", skew.bytes), ("pulls", skew.pulledRows), ("traffic", skew.traffic),
            ("busy", skew.busy),
        ].filter { $0.1 > 0 }
    }
}

extension CheckpointReport {
    /// "step 1,000, 12 s ago, 231 MB in 0.4 s".
    package func words(at moment: Moment) -> String { "step \(Quantity.exact(step)), \(rest(at: moment))" }

    /// "12 s ago, 231 MB in 0.4 s".
    package func rest(at moment: Moment) -> String {
        "\(moment.ago(time)), \(Quantity.bytes(bytes)) in \(Quantity.duration(seconds))"
    }
}

extension EvaluationStatus {
    /// "GAUC 0.8876, log loss 0.4158, calibration 1.0003, step 1,000".
    package var rest: String {
        "GAUC \(Quantity.metric(gauc)), log loss \(Quantity.metric(logLoss)), calibration "
            + "\(Quantity.metric(calibration)), step \(Quantity.exact(step))"
    }
}

extension TableStatus {
    /// "item: ~1.24 M distinct ids (± 1.6 %), …".
    package var summary: String {
        "\(name): ~\(TableColumns.distinct(distinct)) distinct ids pulled "
            + "(± \(Quantity.percent(DistinctCount.standardError)) standard error), "
            + "\(Quantity.count(rows)) rows stored, \(Quantity.count(hotTotal)) ids counted in samples"
    }
}
