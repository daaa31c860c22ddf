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
    typealias Family = Exposition.Family

    /// The whole page.
    package static func text(_ status: ClusterStatus) -> String {
        // By number and rank, not by place: some may have told nothing yet.
        let shards = numbered("shard", status.shards, \.report.shard)
        let workers = numbered("worker", status.workers, \.rank)
        let places = shards.flatMap { shard in
            shard.value.report.tables.map { (labels: shard.labels.with("table", $0.name), value: $0) }
        }
        var page = Exposition(capacity: 16_384 * (1 + shards.count) + 6144 * workers.count)
        let (job, build) = (status.job, status.job.build)
        let versions = Labels().with("version", job.version).with("swift", build.swift).with("zeromq", build.zeromq)
            .with("openblas", build.openblas)
        page.add([(versions, 1)], [.init("build_info", "What the program was built from; always 1.", \.self)])
        page.add([(Labels(), status)], self.job)
        evaluations(status, &page)
        page.add([(Labels(), status.skew)], skew)
        nodes(status, &page)
        page.add(shards, shard)
        page.add(places, rows)
        page.add(status.tables.map { (Labels().with("table", $0.name), $0) }, tables)
        page.add(workers, worker)
        blame(workers, status, &page)
        return String(decoding: page.bytes, as: UTF8.self)
    }

    /// Each with its number; of two that claim the same one the first, because a page that says something twice is refused.
    private static func numbered<Value>(
        _ label: String, _ values: [Value], _ number: (Value) -> Int
    ) -> [Exposition.Subject<Value>] {
        var seen: Set<Int> = []
        return values.filter { seen.insert(number($0)).inserted }.map {
            (Labels().with(label, String(number($0))), $0)
        }
    }

    /// Nothing for a time that has not come.
    private static func known(_ time: Double) -> Double? { time > 0 ? time : nil }

    private static var job: [Family<ClusterStatus>] {
        [
            .init("job_info", "What is trained; always 1.", by: "model") { [($0.job.model, 1)] },
            .init("job_state", "1 for the state that the job is in, 0 for the others.", by: "state") { status in
                JobStatus.State.allCases.map { ($0.rawValue, status.job.state == $0 ? 1 : 0) }
            },
            .init("job_failure", "1 for the cause that the job failed of, 0 for the others.", by: "cause") { status in
                FailureReport.Cause.allCases.map { ($0.rawValue, status.failure?.cause == $0 ? 1 : 0) }
            },
            .init("status_timestamp_seconds", "When this status was put together.") { known($0.time) },
            .init("job_start_timestamp_seconds", "When the job was started.") { known($0.job.started) },
            .init("training_start_timestamp_seconds", "When the first step began; absent before.") {
                known($0.job.trainingStarted)
            },
            .init("job_end_timestamp_seconds", "When the job ended; absent before.") { known($0.job.ended) },
            .init("waits", "Waits in all nodes that have a name and are not over.", \.waits.count),
            .init("job_step", "The step that all workers have finished.", \.job.step),
            .init("job_last_step", "The step after which training ends at the latest.", \.job.lastStep),
            .init("job_epoch", "The epoch of the step that all workers have finished, from 0.", \.job.epoch),
            .init("job_epochs", "Epochs that will be trained.", \.job.epochs),
            .init("job_target_examples", "Samples that will be trained on.", \.job.samplesTotal),
            .init("job_examples_total", "Samples trained on by all workers together.", \.job.samples),
            .init("train_loss", "Cross-entropy a sample over the last second of progress.", \.job.loss),
            .init(
                "train_auxiliary_loss", "Weighted auxiliary loss a sample over the last second of progress.",
                \.job.auxiliaryLoss),
            .init("train_auc", "AUC of the last second's predictions, made before their update.", \.job.auc),
            .init("checkpoint_failures_total", "Checkpoints that could not be written.", \.job.checkpointFailures),
            .init(
                "checkpoint_last_success_timestamp_seconds", "When the newest checkpoint was complete.",
                \.job.checkpoint?.time),
            .init("checkpoint_last_step", "The step whose state it holds.", \.job.checkpoint?.step),
            .init("checkpoint_last_duration_seconds", "How long it took to write it.", \.job.checkpoint?.seconds),
            .init("checkpoint_last_bytes", "Its size.", \.job.checkpoint?.bytes),
        ]
    }

    private static func evaluations(_ status: ClusterStatus, _ page: inout Exposition) {
        var counts = status.evaluationsLeftOut ?? [:]
        var (newest, best): ([String: EvaluationStatus], [String: EvaluationStatus]) = ([:], [:])
        for evaluation in status.evaluations {
            counts[evaluation.split] = (counts[evaluation.split] ?? 0).plus(1)
            newest[evaluation.split] = evaluation
            if evaluation.isBest { best[evaluation.split] = evaluation }
        }
        func add<Value>(_ values: [String: Value], _ families: [Family<Value>]) {
            let splits = values.sorted { $0.key < $1.key }
            page.add(splits.map { (Labels().with("split", $0.key), $0.value) }, families)
        }
        add(counts, [.init("evaluations_total", "How often the split was scored.", \.self)])
        add(
            newest,
            [
                .init("evaluation_auc", "AUC of the split's newest evaluation.", \.auc),
                .init("evaluation_gauc", "AUC by user, weighted by impressions, of the newest evaluation.", \.gauc),
                .init("evaluation_log_loss", "Log loss of the newest evaluation.", \.logLoss),
                .init(
                    "evaluation_calibration_ratio", "Predicted over observed clicks of the newest evaluation.",
                    \.calibration),
                .init("evaluation_step", "The step whose state the newest evaluation scored.", \.step),
                .init("evaluation_examples", "Samples that it scored.", \.samples),
                .init("evaluation_timestamp_seconds", "When it was done.", \.time),
            ])
        add(best, [.init("evaluation_best_auc", "AUC of the evaluation that was the best so far.", \.auc)])
    }

    private static var skew: [Family<Skew>] {
        [
            .init(
                "skew_ratio", "Largest over mean of all shards: 1 is balance, 0 where nothing was counted.", by: "kind"
            ) {
                [
                    ("rows", $0.rows), ("bytes", $0.bytes), ("pulled_rows", $0.pulledRows), ("traffic", $0.traffic),
                    ("busy", $0.busy),
                ]
            }
        ]
    }
}
