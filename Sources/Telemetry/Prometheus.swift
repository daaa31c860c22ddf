/// A job's status as Prometheus reads it: text format 0.0.4.
///
/// Base units, `_total` for counters, times as timestamps where they would otherwise be ages. Labels are bounded by the
/// job's size and never hold ids, hosts or names of files. Nothing is exported for each pair of worker and shard: 256
/// workers at 64 shards would be 16,384 series. `docs/metrics.md` lists all families; a test keeps it equal.
package enum Prometheus {
    /// What the answer to a scrape calls itself.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Reasons of refusals, counted from 0 on; others, of a newer node, count as "other".
    package static let refusalReasons = [
        "malformed", "notOwner", "oldEpoch", "otherJob", "sendKeys", "stepAhead", "stepPassed", "unavailable",
    ]

    typealias Labels = Exposition.Labels

    /// The whole page.
    package static func text(_ status: ClusterStatus) -> String {
        // By number and rank, not by place: some may have told nothing yet.
        let shards = subjects("shard", status.shards, \.report.shard)
        let workers = subjects("worker", status.workers, \.rank)
        var page = Exposition(capacity: 16_384 * (1 + shards.count) + 6144 * workers.count)
        build(status, &page)
        job(status, &page)
        progress(status.job, &page)
        checkpoint(status.job, &page)
        evaluations(status.evaluations, leftOut: status.evaluationsLeftOut ?? [:], &page)
        skew(status.skew, &page)
        nodes(status, &page)
        self.shards(shards, &page)
        rows(shards, status.tables, &page)
        self.workers(workers, status, &page)
        return String(decoding: page.bytes, as: UTF8.self)
    }

    /// Each with its number; of two that claim the same one the first, because a page that says something twice is refused.
    private static func subjects<Value>(
        _ label: String, _ values: [Value], _ number: (Value) -> Int
    ) -> [Exposition.Subject<Value>] {
        var seen: Set<Int> = []
        return values.filter { seen.insert(number($0)).inserted }.map {
            Exposition.Subject(labels: Labels(label, String(number($0))), value: $0)
        }
    }

    private static func build(_ status: ClusterStatus, _ page: inout Exposition) {
        let (job, build) = (status.job, status.job.build)
        page.begin("myriad_build_info", .gauge, "What the program was built from; always 1.")
        page.add(
            Labels("version", job.version).with("swift", build.swift).with("zeromq", build.zeromq)
                .with("openblas", build.openblas), 1)
        page.begin("myriad_job_info", .gauge, "What is trained; always 1.")
        page.add(Labels("model", job.model), 1)
    }

    private static func job(_ status: ClusterStatus, _ page: inout Exposition) {
        page.begin("myriad_job_state", .gauge, "1 for the state that the job is in, 0 for the others.")
        for state in JobStatus.State.allCases {
            page.add(Labels("state", state.rawValue), status.job.state == state ? 1 : 0)
        }
        page.begin("myriad_job_failure", .gauge, "1 for the cause that the job failed of, 0 for the others.")
        for cause in FailureReport.Cause.allCases {
            page.add(Labels("cause", cause.rawValue), status.failure?.cause == cause ? 1 : 0)
        }
        func known(_ time: Double) -> Double? { time > 0 ? time : nil }
        page.gauges(
            [Exposition.Subject(labels: Labels(), value: status)],
            [
                ("myriad_status_timestamp_seconds", "When this status was put together.", { known($0.time) }),
                ("myriad_job_start_timestamp_seconds", "When the job was started.", { known($0.job.started) }),
                (
                    "myriad_training_start_timestamp_seconds", "When the first step began; absent before.",
                    { known($0.job.trainingStarted) }
                ),
                ("myriad_job_end_timestamp_seconds", "When the job ended; absent before.", { known($0.job.ended) }),
                (
                    "myriad_waits", "Waits in all nodes that have a name and are not over.",
                    { Double($0.waits.count) }
                ),
            ])
    }

    private static func progress(_ job: JobStatus, _ page: inout Exposition) {
        let subject = [Exposition.Subject(labels: Labels(), value: job)]
        page.gauges(
            subject,
            [
                ("myriad_job_step", "The step that all workers have finished.", { Double($0.step) }),
                ("myriad_job_last_step", "The step after which training ends at the latest.", { Double($0.lastStep) }),
                (
                    "myriad_job_epoch", "The epoch of the step that all workers have finished, from 0.",
                    { Double($0.epoch) }
                ),
                ("myriad_job_epochs", "Epochs that will be trained.", { Double($0.epochs) }),
                ("myriad_job_target_examples", "Samples that will be trained on.", { Double($0.samplesTotal) }),
            ])
        page.counters(
            subject, [("myriad_job_examples_total", "Samples trained on by all workers together.", { $0.samples })])
        page.gauges(
            subject,
            [
                ("myriad_train_loss", "Cross-entropy a sample over the last second of progress.", { $0.loss }),
                (
                    "myriad_train_auxiliary_loss", "Weighted auxiliary loss a sample over the last second of progress.",
                    { $0.auxiliaryLoss }
                ),
                (
                    "myriad_train_auc", "AUC of the last second's predictions, made before their update.", { $0.auc }
                ),
            ])
    }

    private static func checkpoint(_ job: JobStatus, _ page: inout Exposition) {
        page.counters(
            [Exposition.Subject(labels: Labels(), value: job)],
            [
                (
                    "myriad_checkpoint_failures_total", "Checkpoints that could not be written.",
                    { $0.checkpointFailures }
                )
            ])
        page.gauges(
            (job.checkpoint.map { [Exposition.Subject(labels: Labels(), value: $0)] }) ?? [],
            [
                (
                    "myriad_checkpoint_last_success_timestamp_seconds", "When the newest checkpoint was complete.",
                    { $0.time }
                ),
                ("myriad_checkpoint_last_step", "The step whose state it holds.", { Double($0.step) }),
                ("myriad_checkpoint_last_duration_seconds", "How long it took to write it.", { $0.seconds }),
                ("myriad_checkpoint_last_bytes", "Its size.", { Double($0.bytes) }),
            ])
    }

    private static func evaluations(
        _ all: [EvaluationStatus], leftOut: [String: Int], _ page: inout Exposition
    ) {
        var (counts, newest, best): ([String: Int], [String: EvaluationStatus], [String: EvaluationStatus]) = (
            leftOut, [:], [:]
        )
        for evaluation in all {
            counts[evaluation.split] = (counts[evaluation.split] ?? 0).plus(1)
            newest[evaluation.split] = evaluation
            if evaluation.isBest { best[evaluation.split] = evaluation }
        }
        func bySplit<Value>(_ values: [String: Value]) -> [Exposition.Subject<Value>] {
            values.sorted { $0.key < $1.key }.map {
                Exposition.Subject(labels: Labels("split", $0.key), value: $0.value)
            }
        }
        page.counters(bySplit(counts), [("myriad_evaluations_total", "How often the split was scored.", { $0 })])
        page.gauges(
            bySplit(newest),
            [
                ("myriad_evaluation_auc", "AUC of the split's newest evaluation.", { $0.auc }),
                (
                    "myriad_evaluation_gauc", "AUC by user, weighted by impressions, of the newest evaluation.",
                    { $0.gauc }
                ),
                ("myriad_evaluation_log_loss", "Log loss of the newest evaluation.", { $0.logLoss }),
                (
                    "myriad_evaluation_calibration_ratio", "Predicted over observed clicks of the newest evaluation.",
                    { $0.calibration }
                ),
                ("myriad_evaluation_step", "The step whose state the newest evaluation scored.", { Double($0.step) }),
                ("myriad_evaluation_examples", "Samples that it scored.", { Double($0.samples) }),
                ("myriad_evaluation_timestamp_seconds", "When it was done.", { $0.time }),
            ])
        page.gauges(
            bySplit(best),
            [("myriad_evaluation_best_auc", "AUC of the evaluation that was the best so far.", { $0.auc })])
    }

    private static func skew(_ skew: Skew, _ page: inout Exposition) {
        page.begin(
            "myriad_skew_ratio", .gauge, "Largest over mean of all shards: 1 is balance, 0 where nothing was counted.")
        for (kind, value) in [
            ("rows", skew.rows), ("bytes", skew.bytes), ("pulled_rows", skew.pulledRows), ("traffic", skew.traffic),
            ("busy", skew.busy),
        ] {
            page.add(Labels("kind", kind), value)
        }
    }
}
