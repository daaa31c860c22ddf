/// Workers: their progress, their time, and what they asked for.
extension Prometheus {
    static func workers(
        _ workers: [Exposition.Subject<WorkerStatus>], _ status: ClusterStatus, _ page: inout Exposition
    ) {
        let reports = workers.map { Exposition.Subject(labels: $0.labels, value: $0.value.report) }
        page.gauges(
            reports,
            [
                ("myriad_worker_step", "The step in work.", { Double($0.step) }),
                ("myriad_worker_threads", "Threads that compute.", { Double($0.threads) }),
                (
                    "myriad_worker_dedup_ratio", "Ids of samples by row pulled; 0 before the first pull.",
                    { $0.dedupFactor }
                ),
            ])
        page.counters(
            reports,
            [
                ("myriad_steps_total", "Steps finished.", { $0.steps }),
                ("myriad_examples_total", "Samples trained on.", { $0.samples }),
                ("myriad_scored_examples_total", "Samples scored for evaluations.", { $0.scored }),
                (
                    "myriad_id_references_total", "Ids that samples contained: rows pulled without deduplication.",
                    { $0.references }
                ),
                ("myriad_worker_pulled_rows_total", "Distinct rows pulled instead.", { $0.pulledRows }),
                ("myriad_worker_pushed_rows_total", "Rows pushed.", { $0.pushedRows }),
                ("myriad_worker_pulls_total", "Pulls sent.", { $0.pulls }),
                ("myriad_worker_pushes_total", "Pushes sent.", { $0.pushes }),
                (
                    "myriad_request_retries_total", "Requests repeated because their deadline had passed.",
                    { $0.retries }
                ),
                (
                    "myriad_worker_refused_requests_total", "Requests that a shard refused.",
                    { $0.refused.values.total }
                ),
                ("myriad_worker_transmit_bytes_total", "Bytes sent to shards.", { $0.sentBytes }),
                ("myriad_worker_receive_bytes_total", "Bytes received from shards.", { $0.receivedBytes }),
                ("myriad_nonfinite_losses_total", "Steps whose loss was not finite.", { $0.nonfinite }),
            ])
        page.begin(
            "myriad_worker_seconds_total", .counter,
            "Time by phase: reading samples, waiting for shards, computing, packing and sending.")
        for report in reports {
            page.add(report.labels.with("phase", "read"), report.value.readSeconds)
            page.add(report.labels.with("phase", "wait"), report.value.waitSeconds)
            page.add(report.labels.with("phase", "compute"), report.value.computeSeconds)
            page.add(report.labels.with("phase", "push"), report.value.pushSeconds)
        }
        page.histograms(
            reports,
            [
                ("myriad_step_duration_seconds", "From one step's values to the next step's.", { $0.stepSeconds }),
                ("myriad_worker_pull_duration_seconds", "From a pull to the last shard's values.", { $0.pullSeconds }),
            ])
        blame(workers, status, &page)
    }

    /// Sums over one side of what is known of every pair of worker and shard.
    private static func blame(
        _ workers: [Exposition.Subject<WorkerStatus>], _ status: ClusterStatus, _ page: inout Exposition
    ) {
        page.begin(
            "myriad_worker_lag_steps", .gauge, "Steps by which the worker is behind, at the shard where it is furthest."
        )
        for worker in workers where status.lag.indices.contains(worker.value.rank) {
            page.add(worker.labels, max(0, status.lag[worker.value.rank].max() ?? 0))
        }
        page.begin(
            "myriad_worker_malformed_messages_total", .counter, "The worker's messages that contradicted themselves.")
        for worker in workers {
            page.add(worker.labels, status.shards.total { $0.report.malformed[worker.value.rank] ?? 0 })
        }
        page.begin(
            "myriad_worker_push_duplicates_total", .counter, "The worker's pushes that were covered already.")
        for worker in workers {
            page.add(
                worker.labels,
                status.shards.total { shard in
                    let places = shard.report.workers
                    return places.indices.contains(worker.value.rank) ? places[worker.value.rank].duplicates : 0
                })
        }
        page.begin(
            "myriad_shard_blocking_seconds_total", .counter,
            "Waiting of all workers in which the shard was the last to answer.")
        for shard in Set(status.shards.map(\.report.shard)).sorted() {
            let seconds = workers.reduce(0) { sum, worker in
                let waits = worker.value.report.waitByShard
                return waits.indices.contains(shard) ? sum + waits[shard] : sum
            }
            page.add(Labels("shard", String(shard)), seconds)
        }
    }
}
