/// Shards, and the rows of tables on them.
extension Prometheus {
    static var shard: [Family<ShardStatus>] {
        [
            .init("shard_info", "Which server the shard is on; always 1.", by: "server") { [(String($0.server), 1)] },
            .init("shard_step", "Steps that the shard has applied.", \.report.step),
            .init("dense_bytes", "Weights and optimizer state of dense parameters.", \.report.denseBytes),
            .init("queue_depth", "Messages that waited when the shard last looked.", \.report.queue),
            .init("queue_depth_peak", "The most messages that ever waited.", \.report.queuePeak),
            .init("parked_pulls", "Pulls that wait for a step right now.", \.report.parked.count),
            .init("parked_pull_oldest_seconds", "For how long the oldest of them has waited; 0 without one.") {
                $0.report.parked.map(\.seconds).max() ?? 0
            },
            .init("missing_micro_batches", "Micro-batches that are missing to complete the next step.") {
                missing($0.report.missing)
            },
            .init("step_micro_batches", "Micro-batches of that step.", \.report.microBatches),
            .init("regularization_loss", "Regularization loss of the rows of the last step.", \.report.regularization),
        ] + requests + times
    }

    private static func missing(_ ranges: [Int]) -> Int {
        stride(from: 0, to: ranges.count - 1, by: 2).total { max(0, ranges[$0 + 1].minus(ranges[$0])) }
    }

    private static var requests: [Family<ShardStatus>] {
        [
            .init("pull_requests_total", "Pulls answered with values.", \.report.pulls),
            .init("pulled_rows_total", "Rows in these answers.", \.report.pulledRows),
            .init("push_requests_total", "Pushes that were held or applied.", \.report.pushes),
            .init("pushed_rows_total", "Rows in these pushes.", \.report.pushedRows),
            .init("push_duplicates_total", "Pushes of what was covered already: ignored.", \.report.duplicates),
            .init("pull_parkings_total", "Pulls that had to wait for a step.", \.report.parkings),
            .init(
                "malformed_messages_total", "Messages of known senders that contradict themselves.",
                \.report.malformed.values.total),
            .init("garbage_messages_total", "Messages without a readable header.", \.report.garbage),
            .init("refused_requests_total", "Requests refused, by reason.", by: "reason") {
                let refused = $0.report.refused
                let other = refused.filter { !refusalReasons.contains($0.key) }.values.total
                return refusalReasons.map { ($0, refused[$0] ?? 0) } + [("other", other)]
            },
            .init("shard_receive_bytes_total", "Bytes received from workers, headers included.", by: "kind") {
                [("pull", $0.report.pullBytes), ("push", $0.report.pushBytes)]
            },
            .init("shard_transmit_bytes_total", "Bytes sent to workers: values, and answers without.", by: "kind") {
                [("values", $0.report.valueBytes), ("other", $0.report.otherBytes)]
            },
            .init(
                "shard_busy_seconds_total", "Time of the shard's thread by work; the rest it was idle.", by: "work",
                \.report.work),
        ]
    }

    private static var times: [Family<ShardStatus>] {
        [
            .init(
                "pull_duration_seconds", "From a pull's arrival, or its release, to its answer.", \.report.pullSeconds),
            .init(
                "push_duration_seconds",
                "From a push's arrival to its acknowledgement, with the update where it completed the step.",
                \.report.pushSeconds),
            .init("apply_duration_seconds", "Regularizing and updating, once a step.", \.report.applySeconds),
            .init(
                "parked_duration_seconds", "From a pull's arrival to its release, of those that had to wait.",
                \.report.parkedSeconds),
            .init(
                "staleness_steps",
                "Pulls by how many steps the state that they got was behind the newest that their worker has pushed to."
            ) { StepCounts(counts: $0.report.staleness) },
            .init(
                "shard_checkpoint_timestamp_seconds", "When the shard's part of its newest checkpoint was done.",
                \.report.checkpoint?.time),
            .init(
                "shard_checkpoint_duration_seconds", "How long it took to write that part.",
                \.report.checkpoint?.seconds),
            .init("shard_checkpoint_bytes", "The size of that part.", \.report.checkpoint?.bytes),
        ]
    }

    /// A table on a shard.
    static var rows: [Family<TableReport>] {
        [
            .init("rows", "Rows stored.", \.rows),
            .init("row_bytes", "Memory of rows by what it holds.", by: "kind", \.bytes.kinds),
            .init(
                "row_reserved_bytes", "Room for further rows: addresses, no memory until it is used.", \.bytes.slack),
            .init("table_pulled_rows_total", "Rows pulled.", \.pulledRows),
            .init(
                "row_misses_total", "Pulled rows that were not stored: initial values were answered.", \.missedRows),
            .init("row_updates_total", "Rows updated, each once a step.", \.updatedRows),
            .init("rows_refused_total", "Gradients dropped because the table is at its limit.", \.refusedRows),
        ]
    }

    /// A table over all shards.
    static var tables: [Family<TableStatus>] {
        [
            .init("table_width", "Floats of a row.", \.width),
            .init("distinct_ids_estimate", "Distinct ids ever pulled, within some 2 %.", \.distinct),
            .init("hottest_id_ratio", "Share of the most frequent id in all counted; 0 before any.") {
                $0.hot.first?.share ?? 0
            },
        ]
    }
}
