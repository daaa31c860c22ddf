/// Shards, and the rows of tables on them.
extension Prometheus {
    private typealias Subject = Exposition.Subject

    /// Bounds of the buckets of staleness, in steps.
    static let stalenessBounds = [0, 1, 2, 4, 8, 16, 32]

    static func shards(_ shards: [Exposition.Subject<ShardStatus>], _ page: inout Exposition) {
        let reports = shards.map { Subject(labels: $0.labels, value: $0.value.report) }
        page.begin("myriad_shard_info", .gauge, "Which server the shard is on; always 1.")
        for shard in shards { page.add(shard.labels.with("server", String(shard.value.server)), 1) }
        page.gauges(
            reports,
            [
                ("myriad_shard_step", "Steps that the shard has applied.", { Double($0.step) }),
                ("myriad_dense_bytes", "Weights and optimizer state of dense parameters.", { Double($0.denseBytes) }),
                ("myriad_queue_depth", "Messages that waited when the shard last looked.", { Double($0.queue) }),
                ("myriad_queue_depth_peak", "The most messages that ever waited.", { Double($0.queuePeak) }),
                ("myriad_parked_pulls", "Pulls that wait for a step right now.", { Double($0.parked.count) }),
                (
                    "myriad_parked_pull_oldest_seconds", "For how long the oldest of them has waited; 0 without one.",
                    { $0.parked.map(\.seconds).max() ?? 0 }
                ),
                (
                    "myriad_missing_micro_batches", "Micro-batches that are missing to complete the next step.",
                    { Double(missing($0)) }
                ),
                ("myriad_step_micro_batches", "Micro-batches of that step.", { Double($0.microBatches) }),
                (
                    "myriad_regularization_loss", "Regularization loss of the rows of the last step.",
                    { $0.regularization }
                ),
            ])
        requests(reports, &page)
        page.histograms(
            reports,
            [
                (
                    "myriad_pull_duration_seconds", "From a pull's arrival, or its release, to its answer.",
                    { $0.pullSeconds }
                ),
                (
                    "myriad_push_duration_seconds",
                    "From a push's arrival to its acknowledgement, with the update where it completed the step.",
                    { $0.pushSeconds }
                ),
                ("myriad_apply_duration_seconds", "Regularizing and updating, once a step.", { $0.applySeconds }),
                (
                    "myriad_parked_duration_seconds",
                    "From a pull's arrival to its release, of those that had to wait.",
                    { $0.parkedSeconds }
                ),
            ])
        page.begin(
            "myriad_staleness_steps", .histogram,
            "Pulls by how many steps the state that they got was behind the newest that their worker has pushed to.")
        for report in reports { page.add(report.labels, counts: report.value.staleness, bounds: stalenessBounds) }
        page.gauges(
            reports.compactMap { report in
                report.value.checkpoint.map { Subject(labels: report.labels, value: $0) }
            },
            [
                (
                    "myriad_shard_checkpoint_timestamp_seconds",
                    "When the shard's part of its newest checkpoint was done.",
                    { $0.time }
                ),
                ("myriad_shard_checkpoint_duration_seconds", "How long it took to write that part.", { $0.seconds }),
                ("myriad_shard_checkpoint_bytes", "The size of that part.", { Double($0.bytes) }),
            ])
    }

    private static func missing(_ report: ShardReport) -> Int {
        stride(from: 0, to: report.missing.count - 1, by: 2).total {
            max(0, report.missing[$0 + 1].minus(report.missing[$0]))
        }
    }

    private static func requests(_ reports: [Exposition.Subject<ShardReport>], _ page: inout Exposition) {
        page.counters(
            reports,
            [
                ("myriad_pull_requests_total", "Pulls answered with values.", { $0.pulls }),
                ("myriad_pulled_rows_total", "Rows in these answers.", { $0.pulledRows }),
                ("myriad_push_requests_total", "Pushes that were held or applied.", { $0.pushes }),
                ("myriad_pushed_rows_total", "Rows in these pushes.", { $0.pushedRows }),
                ("myriad_push_duplicates_total", "Pushes of what was covered already: ignored.", { $0.duplicates }),
                ("myriad_pull_parkings_total", "Pulls that had to wait for a step.", { $0.parkings }),
                (
                    "myriad_malformed_messages_total", "Messages of known senders that contradict themselves.",
                    { $0.malformed.values.total }
                ),
                ("myriad_garbage_messages_total", "Messages without a readable header.", { $0.garbage }),
            ])
        page.begin("myriad_refused_requests_total", .counter, "Requests refused, by reason.")
        for report in reports {
            let other = report.value.refused.filter { !refusalReasons.contains($0.key) }.values.total
            for reason in refusalReasons {
                page.add(report.labels.with("reason", reason), report.value.refused[reason] ?? 0)
            }
            page.add(report.labels.with("reason", "other"), other)
        }
        page.begin("myriad_shard_receive_bytes_total", .counter, "Bytes received from workers, headers included.")
        for report in reports {
            page.add(report.labels.with("kind", "pull"), report.value.pullBytes)
            page.add(report.labels.with("kind", "push"), report.value.pushBytes)
        }
        page.begin("myriad_shard_transmit_bytes_total", .counter, "Bytes sent to workers: values, and answers without.")
        for report in reports {
            page.add(report.labels.with("kind", "values"), report.value.valueBytes)
            page.add(report.labels.with("kind", "other"), report.value.otherBytes)
        }
        page.begin(
            "myriad_shard_busy_seconds_total", .counter, "Time of the shard's thread by work; the rest it was idle.")
        for report in reports {
            page.add(report.labels.with("work", "gather"), report.value.gatherSeconds)
            page.add(report.labels.with("work", "merge"), report.value.mergeSeconds)
            page.add(report.labels.with("work", "update"), report.value.updateSeconds)
            page.add(report.labels.with("work", "write"), report.value.writeSeconds)
        }
    }

    static func rows(
        _ shards: [Exposition.Subject<ShardStatus>], _ tables: [TableStatus], _ page: inout Exposition
    ) {
        let places = shards.flatMap { shard in
            shard.value.report.tables.map { Subject(labels: shard.labels.with("table", $0.name), value: $0) }
        }
        page.gauges(places, [("myriad_rows", "Rows stored.", { Double($0.rows) })])
        page.begin("myriad_row_bytes", .gauge, "Memory of rows by what it holds.")
        for place in places {
            let bytes = place.value.bytes
            for (kind, value) in [
                ("weights", bytes.weights), ("optimizer", bytes.optimizer), ("counts", bytes.counts),
                ("index", bytes.index),
            ] {
                page.add(place.labels.with("kind", kind), value)
            }
        }
        page.gauges(
            places,
            [
                (
                    "myriad_row_reserved_bytes", "Room for further rows: addresses, no memory until it is used.",
                    { Double($0.bytes.slack) }
                )
            ])
        page.counters(
            places,
            [
                ("myriad_table_pulled_rows_total", "Rows pulled.", { $0.pulledRows }),
                (
                    "myriad_row_misses_total", "Pulled rows that were not stored: initial values were answered.",
                    { $0.missedRows }
                ),
                ("myriad_row_updates_total", "Rows updated, each once a step.", { $0.updatedRows }),
                (
                    "myriad_rows_refused_total", "Gradients dropped because the table is at its limit.",
                    { $0.refusedRows }
                ),
            ])
        page.gauges(
            tables.map { Subject(labels: Labels("table", $0.name), value: $0) },
            [
                ("myriad_table_width", "Floats of a row.", { Double($0.width) }),
                ("myriad_distinct_ids_estimate", "Distinct ids ever pulled, within some 2 %.", { $0.distinct }),
                (
                    "myriad_hottest_id_ratio", "Share of the most frequent id in all counted; 0 before any.",
                    { $0.hot.first?.share ?? 0 }
                ),
            ])
    }
}
