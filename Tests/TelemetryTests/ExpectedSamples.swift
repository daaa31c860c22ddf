import Telemetry

/// What the page of a status must say: the mapping of fields to series, written a second time by hand.
struct ExpectedSamples {
    private(set) var samples: [ScrapedPage.Series: Double] = [:]

    init(_ status: ClusterStatus) {
        job(status)
        checkpointsAndEvaluations(status)
        for node in status.nodes { self.node(node, status) }
        for (number, shard) in status.shards.enumerated() { self.shard("\(number)", shard, status) }
        for (rank, worker) in status.workers.enumerated() { self.worker(rank, worker.report, status) }
        for table in status.tables {
            let label = ["table": table.name]
            add("table_width", label, table.width)
            add("distinct_ids_estimate", label, table.distinct)
            add("hottest_id_ratio", label, table.hot[0].share)
        }
    }

    private mutating func add(_ name: String, _ labels: [String: String], _ value: Double) {
        samples[.init(name: "myriad_" + name, labels: labels)] = value
    }

    private mutating func add(_ name: String, _ labels: [String: String], _ value: Int) {
        add(name, labels, Double(value))
    }

    private mutating func add(_ name: String, _ labels: [String: String], _ histogram: LatencyHistogram) {
        for octave in 18...34 {
            let bound = ["le": "\(Double(1 << octave) / 1e9)"]
            add(name + "_bucket", labels.merging(bound) { $1 }, histogram.count(belowOctave: octave))
        }
        add(name + "_bucket", labels.merging(["le": "+Inf"]) { $1 }, histogram.count)
        add(name + "_sum", labels, histogram.sum)
        add(name + "_count", labels, histogram.count)
    }

    private mutating func job(_ status: ClusterStatus) {
        let job = status.job
        add(
            "build_info",
            [
                "version": job.version, "swift": job.build.swift, "zeromq": job.build.zeromq,
                "openblas": job.build.openblas,
            ], 1)
        add("job_info", ["model": job.model], 1)
        for state in ["waiting", "running", "finished", "stopped", "failed"] {
            add("job_state", ["state": state], job.state.rawValue == state ? 1 : 0)
        }
        for cause in FailureReport.Cause.allCases {
            add("job_failure", ["cause": cause.rawValue], status.failure?.cause == cause ? 1 : 0)
        }
        add("status_timestamp_seconds", [:], status.time)
        add("job_start_timestamp_seconds", [:], job.started)
        add("training_start_timestamp_seconds", [:], job.trainingStarted)
        add("job_end_timestamp_seconds", [:], job.ended)
        add("waits", [:], status.waits.count)
        add("job_step", [:], job.step)
        add("job_last_step", [:], job.lastStep)
        add("job_epoch", [:], job.epoch)
        add("job_epochs", [:], job.epochs)
        add("job_examples_total", [:], job.samples)
        add("job_target_examples", [:], job.samplesTotal)
        add("train_loss", [:], job.loss ?? -1)
        add("train_auxiliary_loss", [:], job.auxiliaryLoss ?? -1)
        add("train_auc", [:], job.auc ?? -1)
        add("skew_ratio", ["kind": "rows"], status.skew.rows)
        add("skew_ratio", ["kind": "bytes"], status.skew.bytes)
        add("skew_ratio", ["kind": "pulled_rows"], status.skew.pulledRows)
        add("skew_ratio", ["kind": "traffic"], status.skew.traffic)
        add("skew_ratio", ["kind": "busy"], status.skew.busy)
    }

    private mutating func checkpointsAndEvaluations(_ status: ClusterStatus) {
        add("checkpoint_failures_total", [:], status.job.checkpointFailures)
        add("checkpoint_last_success_timestamp_seconds", [:], status.job.checkpoint?.time ?? -1)
        add("checkpoint_last_step", [:], status.job.checkpoint?.step ?? -1)
        add("checkpoint_last_duration_seconds", [:], status.job.checkpoint?.seconds ?? -1)
        add("checkpoint_last_bytes", [:], status.job.checkpoint?.bytes ?? -1)
        // The simulated ones: validation, the best; validation; test.
        for (split, count, place) in [("validation", 2, 1), ("test", 1, 2)] {
            let newest = status.evaluations[place]
            let label = ["split": split]
            add("evaluations_total", label, count)
            add("evaluation_auc", label, newest.auc ?? -1)
            add("evaluation_gauc", label, newest.gauc ?? -1)
            add("evaluation_log_loss", label, newest.logLoss)
            add("evaluation_calibration_ratio", label, newest.calibration)
            add("evaluation_step", label, newest.step)
            add("evaluation_examples", label, newest.samples)
            add("evaluation_timestamp_seconds", label, newest.time)
        }
        add("evaluation_best_auc", ["split": "validation"], status.evaluations[0].auc ?? -1)
    }

    private mutating func node(_ node: NodeStatus, _ status: ClusterStatus) {
        let label = ["role": node.role, "index": "\(node.rank)"]
        for state in ["waiting", "running", "restarted", "lost", "done"] {
            add("node_state", label.merging(["state": state]) { $1 }, node.state.rawValue == state ? 1 : 0)
        }
        add("node_step", label, node.step)
        add("incarnation", label, Int(node.incarnation))
        if node.state != .waiting {
            add("node_last_heard_timestamp_seconds", label, status.time - node.silentSeconds)
        }
        // The simulated ones: worker 1 twice, the longer one first; the scheduler.
        let waits = ["worker 1": status.waits[0].seconds, "scheduler 0": status.waits[2].seconds]
        add("node_wait_seconds", label, waits["\(node.role) \(node.rank)"] ?? 0)
        if let skew = node.clockSkewSeconds { add("node_clock_skew_seconds", label, skew) }
        add("warnings_total", label, node.warnings)
        if node.role != "worker" {
            add("refused_connections_total", label, node.turnedAway?.values.reduce(0, +) ?? 0)
        }
        add("up_since_timestamp_seconds", label, node.process.started)
        add("process_resident_memory_bytes", label, node.process.residentBytes)
        add("process_resident_memory_peak_bytes", label, node.process.peakBytes)
        add("process_threads", label, node.process.threads)
        add("process_open_fds", label, node.process.openFiles)
        add("process_cpu_seconds_total", label, node.process.processorSeconds)
    }

    private mutating func shard(_ number: String, _ shard: ShardStatus, _ status: ClusterStatus) {
        let (label, report) = (["shard": number], shard.report)
        add("shard_info", ["shard": number, "server": "\(shard.server)"], 1)
        let malformed = report.malformed.values.reduce(0, +)
        let numbers: [(String, Int)] = [
            ("shard_step", report.step), ("dense_bytes", report.denseBytes), ("queue_depth", report.queue),
            ("queue_depth_peak", report.queuePeak), ("parked_pulls", report.parked.count),
            ("missing_micro_batches", 5), ("step_micro_batches", report.microBatches),
            ("pull_requests_total", report.pulls), ("pulled_rows_total", report.pulledRows),
            ("push_requests_total", report.pushes), ("pushed_rows_total", report.pushedRows),
            ("push_duplicates_total", report.duplicates), ("pull_parkings_total", report.parkings),
            ("malformed_messages_total", malformed),
            ("garbage_messages_total", report.garbage),
        ]
        for (name, value) in numbers { add(name, label, value) }
        add("parked_pull_oldest_seconds", label, report.parked.last?.seconds ?? 0)
        add("regularization_loss", label, report.regularization)
        let labeled: [(String, String, [String: Int])] = [
            ("shard_receive_bytes_total", "kind", ["pull": report.pullBytes, "push": report.pushBytes]),
            ("shard_transmit_bytes_total", "kind", ["values": report.valueBytes, "other": report.otherBytes]),
            (
                "refused_requests_total", "reason",
                [
                    "malformed": 0, "notOwner": 0, "oldEpoch": 0, "otherJob": 0,
                    "sendKeys": report.refused["sendKeys"] ?? -1, "stepAhead": 0,
                    "stepPassed": report.refused["stepPassed"] ?? -1, "unavailable": 0,
                    "other": report.refused["ofTomorrow"] ?? -1,
                ]
            ),
        ]
        for (name, labelName, values) in labeled {
            for (value, count) in values { add(name, ["shard": number, labelName: value], count) }
        }
        for (work, seconds) in [
            ("gather", report.gatherSeconds), ("merge", report.mergeSeconds), ("update", report.updateSeconds),
            ("write", report.writeSeconds),
        ] {
            add("shard_busy_seconds_total", ["shard": number, "work": work], seconds)
        }
        add("pull_duration_seconds", label, report.pullSeconds)
        add("push_duration_seconds", label, report.pushSeconds)
        add("apply_duration_seconds", label, report.applySeconds)
        add("parked_duration_seconds", label, report.parkedSeconds)
        staleness(label, report.staleness)
        add("shard_checkpoint_timestamp_seconds", label, report.checkpoint?.time ?? -1)
        add("shard_checkpoint_duration_seconds", label, report.checkpoint?.seconds ?? -1)
        add("shard_checkpoint_bytes", label, report.checkpoint?.bytes ?? -1)
        add(
            "shard_blocking_seconds_total", label,
            status.workers.map { $0.report.waitByShard[Int(number) ?? 0] }.reduce(0, +))
        for table in report.tables { rows(number, table) }
    }

    private mutating func staleness(_ label: [String: String], _ counts: [Int]) {
        for (bound, places) in [("0", 1), ("1", 2), ("2", 3), ("4", 5), ("8", 6), ("16", 6), ("32", 6), ("+Inf", 6)] {
            add("staleness_steps_bucket", label.merging(["le": bound]) { $1 }, counts[..<places].reduce(0, +))
        }
        add("staleness_steps_count", label, counts.reduce(0, +))
        add("staleness_steps_sum", label, counts[1] + 2 * counts[2] + 3 * counts[3] + 4 * counts[4] + 5 * counts[5])
    }

    private mutating func rows(_ shard: String, _ table: TableReport) {
        let label = ["shard": shard, "table": table.name]
        add("rows", label, table.rows)
        for (kind, value) in [
            ("weights", table.bytes.weights), ("optimizer", table.bytes.optimizer), ("counts", table.bytes.counts),
            ("index", table.bytes.index),
        ] {
            add("row_bytes", label.merging(["kind": kind]) { $1 }, value)
        }
        add("row_reserved_bytes", label, table.bytes.slack)
        add("table_pulled_rows_total", label, table.pulledRows)
        add("row_misses_total", label, table.missedRows)
        add("row_updates_total", label, table.updatedRows)
        add("rows_refused_total", label, table.refusedRows)
    }

    private mutating func worker(_ rank: Int, _ report: WorkerReport, _ status: ClusterStatus) {
        let label = ["worker": "\(rank)"]
        let refused = report.refused.values.reduce(0, +)
        let lag = max(0, status.lag[rank].max() ?? -1)
        let malformed = status.shards.map { $0.report.malformed[rank] ?? 0 }.reduce(0, +)
        let duplicates = status.shards.map { $0.report.workers[rank].duplicates }.reduce(0, +)
        let numbers: [(String, Int)] = [
            ("worker_step", report.step), ("worker_threads", report.threads), ("steps_total", report.steps),
            ("examples_total", report.samples), ("scored_examples_total", report.scored),
            ("id_references_total", report.references), ("worker_pulled_rows_total", report.pulledRows),
            ("worker_pushed_rows_total", report.pushedRows), ("worker_pulls_total", report.pulls),
            ("worker_pushes_total", report.pushes), ("request_retries_total", report.retries),
            ("worker_refused_requests_total", refused),
            ("worker_transmit_bytes_total", report.sentBytes), ("worker_receive_bytes_total", report.receivedBytes),
            ("nonfinite_losses_total", report.nonfinite), ("worker_lag_steps", lag),
            ("worker_malformed_messages_total", malformed),
            ("worker_push_duplicates_total", duplicates),
        ]
        for (name, value) in numbers { add(name, label, value) }
        add("worker_dedup_ratio", label, Double(report.references) / Double(report.pulledRows))
        for (phase, seconds) in [
            ("read", report.readSeconds), ("wait", report.waitSeconds), ("compute", report.computeSeconds),
            ("push", report.pushSeconds),
        ] {
            add("worker_seconds_total", ["worker": "\(rank)", "phase": phase], seconds)
        }
        add("step_duration_seconds", label, report.stepSeconds)
        add("worker_pull_duration_seconds", label, report.pullSeconds)
    }
}
