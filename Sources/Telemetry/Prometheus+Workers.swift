/// Workers: their progress, their time, and what they asked for.
extension Prometheus {
    static var worker: [Family<WorkerStatus>] {
        [
            .init("worker_step", "The step in work.", \.report.step),
            .init("worker_threads", "Threads that compute.", \.report.threads),
            .init("worker_dedup_ratio", "Ids of samples by row pulled; 0 before the first pull.", \.report.dedupFactor),
            .init("steps_total", "Steps finished.", \.report.steps),
            .init("examples_total", "Samples trained on.", \.report.samples),
            .init("scored_examples_total", "Samples scored for evaluations.", \.report.scored),
            .init(
                "id_references_total", "Ids that samples contained: rows pulled without deduplication.",
                \.report.references),
            .init("worker_pulled_rows_total", "Distinct rows pulled instead.", \.report.pulledRows),
            .init("worker_pushed_rows_total", "Rows pushed.", \.report.pushedRows),
            .init("worker_pulls_total", "Pulls sent.", \.report.pulls),
            .init("worker_pushes_total", "Pushes sent.", \.report.pushes),
            .init("request_retries_total", "Requests repeated because their deadline had passed.", \.report.retries),
            .init("worker_refused_requests_total", "Requests that a shard refused.", \.report.refused.values.total),
            .init("worker_transmit_bytes_total", "Bytes sent to shards.", \.report.sentBytes),
            .init("worker_receive_bytes_total", "Bytes received from shards.", \.report.receivedBytes),
            .init("nonfinite_losses_total", "Steps whose loss was not finite.", \.report.nonfinite),
            .init(
                "worker_seconds_total",
                "Time by phase: reading samples, waiting for shards, computing, packing and sending.", by: "phase",
                \.report.phases),
            .init("step_duration_seconds", "From one step's values to the next step's.", \.report.stepSeconds),
            .init("worker_pull_duration_seconds", "From a pull to the last shard's values.", \.report.pullSeconds),
        ]
    }

    /// Sums over one side of what is known of every pair of worker and shard.
    static func blame(
        _ workers: [Exposition.Subject<WorkerStatus>], _ status: ClusterStatus, _ page: inout Exposition
    ) {
        page.add(
            workers,
            [
                .init("worker_lag_steps", "Steps by which the worker is behind, at the shard where it is furthest.") {
                    status.lag.indices.contains($0.rank) ? max(0, status.lag[$0.rank].max() ?? 0) : nil
                },
                .init("worker_malformed_messages_total", "The worker's messages that contradicted themselves.") {
                    let rank = $0.rank
                    return status.shards.total { $0.report.malformed[rank] ?? 0 }
                },
                .init("worker_push_duplicates_total", "The worker's pushes that were covered already.") {
                    let rank = $0.rank
                    return status.shards.total {
                        let places = $0.report.workers
                        return places.indices.contains(rank) ? places[rank].duplicates : 0
                    }
                },
            ])
        let shards = Set(status.shards.map(\.report.shard)).sorted()
        page.add(
            shards.map { (Labels().with("shard", String($0)), $0) },
            [
                .init(
                    "shard_blocking_seconds_total", "Waiting of all workers in which the shard was the last to answer."
                ) { shard in
                    workers.reduce(0.0) { sum, worker in
                        let waits = worker.value.report.waitByShard
                        return waits.indices.contains(shard) ? sum + waits[shard] : sum
                    }
                }
            ])
    }
}
