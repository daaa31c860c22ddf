"""What the dashboard of Grafana shows: rows of panels, each with its queries and their legends.

In a query the labels of the job and of its scheduler are left out, and `[r]` is the range that suits the zoom."""

from dataclasses import dataclass


@dataclass
class Row:
    title: str


@dataclass
class Panel:
    title: str
    description: str
    queries: list[tuple[str, str]]
    unit: str = "short"
    width: int = 8


@dataclass
class Stat(Panel):
    """One number; `named` shows the legend instead, `alarm` is from where it is red."""

    width: int = 3
    decimals: int | None = None
    named: bool = False
    alarm: float | None = None


@dataclass
class Lines(Panel):
    """Curves over time, from `low` to `high` where these are given."""

    stacked: bool = False
    low: float | None = 0
    high: float | None = None


@dataclass
class Heat(Panel):
    """A histogram over time."""

    unit: str = "s"


PANELS = [
    Row("Job"),
    Stat("State", "Where the job is in its life.", [("myriad_job_state == 1", "{{state}}")], named=True),
    Stat(
        "Failed of",
        "The cause of the first failure; empty while there is none.",
        named=True,
        queries=[
            ("myriad_job_failure == 1", "{{cause}}"),
        ],
    ),
    Stat("Samples a second", "Over all workers.", [("sum(rate(myriad_job_examples_total[r]))", "")]),
    Stat(
        "Done",
        "Samples trained on, of all that will be.",
        unit="percentunit",
        decimals=1,
        queries=[
            ("myriad_job_examples_total / myriad_job_target_examples", ""),
        ],
    ),
    Stat(
        "Left",
        "At the present speed.",
        unit="s",
        queries=[
            ("(myriad_job_target_examples - myriad_job_examples_total) / rate(myriad_job_examples_total[5m])", ""),
        ],
    ),
    Stat(
        "Best validation AUC",
        "Of the evaluation that was the best so far.",
        decimals=4,
        queries=[
            ("myriad_evaluation_best_auc", ""),
        ],
    ),
    Stat(
        "Nodes lost",
        "Not heard of for longer than they may be silent.",
        alarm=1,
        queries=[
            ('sum(myriad_node_state{state="lost"})', ""),
        ],
    ),
    Stat(
        "Checkpoint's age",
        "Since the newest one was complete.",
        unit="s",
        queries=[
            ("time() - myriad_checkpoint_last_success_timestamp_seconds", ""),
        ],
    ),
    Lines(
        "Samples a second",
        "Trained on, by worker.",
        stacked=True,
        queries=[
            ("rate(myriad_examples_total[r])", "worker {{worker}}"),
        ],
    ),
    Lines(
        "Loss",
        "Cross-entropy a sample over the last second, and the weighted auxiliary loss.",
        low=None,
        queries=[
            ("myriad_train_loss", "loss"),
            ("myriad_train_auxiliary_loss", "auxiliary"),
        ],
    ),
    Lines(
        "AUC",
        "Of the last second's predictions before their update, and of evaluations.",
        low=None,
        queries=[
            ("myriad_train_auc", "training"),
            ("myriad_evaluation_auc", "{{split}}"),
            ("myriad_evaluation_gauc", "{{split}}, by user"),
        ],
    ),
    Lines("Step", "Finished by all workers.", [("myriad_job_step", "step")]),
    Lines(
        "Log loss and calibration",
        "Of evaluations; calibration is predicted over observed clicks.",
        low=None,
        queries=[
            ("myriad_evaluation_log_loss", "{{split}}, log loss"),
            ("myriad_evaluation_calibration_ratio", "{{split}}, calibration"),
        ],
    ),
    Lines("Skew", "Largest over mean of all shards: 1 is balance.", [("myriad_skew_ratio", "{{kind}}")]),
    Row("Workers' time"),
    Lines(
        "All workers",
        "Shares of their time.",
        unit="percentunit",
        stacked=True,
        high=1,
        queries=[
            (
                "sum by (phase) (rate(myriad_worker_seconds_total[r])) / ignoring (phase) group_left sum (rate(myriad_worker_seconds_total[r]))",
                "{{phase}}",
            ),
        ],
    ),
    Lines(
        "Waiting, by worker",
        "Share of a worker's time; near 1 it is bound by servers or by a slower worker.",
        unit="percentunit",
        high=1,
        queries=[
            (
                'sum by (worker) (rate(myriad_worker_seconds_total{phase="wait"}[r])) / sum by (worker) (rate(myriad_worker_seconds_total[r]))',
                "worker {{worker}}",
            ),
        ],
    ),
    Lines(
        "Who is waited for",
        "Seconds a second in which a shard was the last to answer, all workers together.",
        stacked=True,
        queries=[
            ("rate(myriad_shard_blocking_seconds_total[r])", "shard {{shard}}"),
        ],
    ),
    Lines(
        "A step",
        "From one step's values to the next step's.",
        unit="s",
        queries=[
            ("histogram_quantile(0.5, sum by (le) (rate(myriad_step_duration_seconds_bucket[r])))", "median"),
            ("histogram_quantile(0.99, sum by (le) (rate(myriad_step_duration_seconds_bucket[r])))", "99 %"),
        ],
    ),
    Lines(
        "A worker's pull",
        "From the pull to the last shard's values.",
        unit="s",
        queries=[
            ("histogram_quantile(0.5, sum by (le) (rate(myriad_worker_pull_duration_seconds_bucket[r])))", "median"),
            ("histogram_quantile(0.99, sum by (le) (rate(myriad_worker_pull_duration_seconds_bucket[r])))", "99 %"),
        ],
    ),
    Lines(
        "Deduplication",
        "Ids of samples by row pulled.",
        queries=[
            (
                "sum by (worker) (rate(myriad_id_references_total[r])) / sum by (worker) (rate(myriad_worker_pulled_rows_total[r]))",
                "worker {{worker}}",
            ),
        ],
    ),
    Row("Shards"),
    Lines("Rows", "By shard.", [("sum by (shard) (myriad_rows)", "shard {{shard}}")]),
    Lines(
        "Work",
        "Share of a shard's thread that is not idle.",
        unit="percentunit",
        high=1,
        queries=[
            ("sum by (shard) (rate(myriad_shard_busy_seconds_total[r]))", "shard {{shard}}"),
        ],
    ),
    Lines(
        "Work, by kind",
        "All shards together, in threads.",
        stacked=True,
        queries=[
            ("sum by (work) (rate(myriad_shard_busy_seconds_total[r]))", "{{work}}"),
        ],
    ),
    Lines("Queue", "Messages that wait.", [("myriad_queue_depth", "shard {{shard}}")]),
    Lines("Parked pulls", "Pulls that wait for a step.", [("myriad_parked_pulls", "shard {{shard}}")]),
    Lines(
        "Oldest parked pull",
        "For how long it has waited.",
        unit="s",
        queries=[
            ("myriad_parked_pull_oldest_seconds", "shard {{shard}}"),
        ],
    ),
    Row("Traffic"),
    Lines(
        "Requests a second",
        "Pulls answered and pushes held, all shards.",
        unit="reqps",
        queries=[
            ("sum(rate(myriad_pull_requests_total[r]))", "pulls"),
            ("sum(rate(myriad_push_requests_total[r]))", "pushes"),
        ],
    ),
    Lines(
        "Rows a second",
        "In answers and in pushes.",
        queries=[
            ("sum by (shard) (rate(myriad_pulled_rows_total[r]))", "pulled, shard {{shard}}"),
            ("sum by (shard) (rate(myriad_pushed_rows_total[r]))", "pushed, shard {{shard}}"),
        ],
    ),
    Lines(
        "Misses",
        "Share of pulled rows that were not stored yet, by table.",
        unit="percentunit",
        high=1,
        queries=[
            (
                "sum by (table) (rate(myriad_row_misses_total[r])) / sum by (table) (rate(myriad_table_pulled_rows_total[r]))",
                "{{table}}",
            ),
        ],
    ),
    Lines(
        "Received by shards",
        "Bytes a second, headers included.",
        unit="Bps",
        stacked=True,
        queries=[
            ("sum by (kind) (rate(myriad_shard_receive_bytes_total[r]))", "{{kind}}"),
        ],
    ),
    Lines(
        "Sent by shards",
        "Bytes a second.",
        unit="Bps",
        stacked=True,
        queries=[
            ("sum by (kind) (rate(myriad_shard_transmit_bytes_total[r]))", "{{kind}}"),
        ],
    ),
    Lines(
        "Hottest id",
        "Its share in all ids counted, by table; `myriad hotkeys` names it.",
        unit="percentunit",
        queries=[
            ("myriad_hottest_id_ratio", "{{table}}"),
        ],
    ),
    Row("Latency of shards"),
    Heat(
        "Pulls",
        "From arrival, or release, to the answer.",
        width=12,
        queries=[
            ("sum by (le) (increase(myriad_pull_duration_seconds_bucket[r]))", "{{le}}"),
        ],
    ),
    Heat(
        "Pushes",
        "From arrival to the acknowledgement.",
        width=12,
        queries=[
            ("sum by (le) (increase(myriad_push_duration_seconds_bucket[r]))", "{{le}}"),
        ],
    ),
    Lines(
        "Pulls, 99 %",
        "By shard.",
        unit="s",
        width=6,
        queries=[
            (
                "histogram_quantile(0.99, sum by (le, shard) (rate(myriad_pull_duration_seconds_bucket[r])))",
                "shard {{shard}}",
            ),
        ],
    ),
    Lines(
        "Pushes, 99 %",
        "By shard.",
        unit="s",
        width=6,
        queries=[
            (
                "histogram_quantile(0.99, sum by (le, shard) (rate(myriad_push_duration_seconds_bucket[r])))",
                "shard {{shard}}",
            ),
        ],
    ),
    Lines(
        "Updates, 99 %",
        "Once a step, by shard.",
        unit="s",
        width=6,
        queries=[
            (
                "histogram_quantile(0.99, sum by (le, shard) (rate(myriad_apply_duration_seconds_bucket[r])))",
                "shard {{shard}}",
            ),
        ],
    ),
    Lines(
        "Parked, 99 %",
        "Of pulls that had to wait, by shard.",
        unit="s",
        width=6,
        queries=[
            (
                "histogram_quantile(0.99, sum by (le, shard) (rate(myriad_parked_duration_seconds_bucket[r])))",
                "shard {{shard}}",
            ),
        ],
    ),
    Row("Staleness and lag"),
    Heat(
        "Staleness",
        "Pulls by steps that their values were behind.",
        unit="short",
        queries=[
            ("sum by (le) (increase(myriad_staleness_steps_bucket[r]))", "{{le}}"),
        ],
    ),
    Lines(
        "Mean staleness",
        "In steps, by shard.",
        queries=[
            ("rate(myriad_staleness_steps_sum[r]) / rate(myriad_staleness_steps_count[r])", "shard {{shard}}"),
        ],
    ),
    Lines(
        "Lag",
        "Steps by which a worker is behind at the shard where it is furthest.",
        queries=[
            ("myriad_worker_lag_steps", "worker {{worker}}"),
        ],
    ),
    Row("Memory"),
    Lines(
        "Rows, by kind",
        "All shards.",
        unit="bytes",
        stacked=True,
        queries=[
            ("sum by (kind) (myriad_row_bytes)", "{{kind}}"),
            ("sum(myriad_dense_bytes)", "dense parameters"),
        ],
    ),
    Lines(
        "Rows, by table",
        "All shards.",
        unit="bytes",
        stacked=True,
        queries=[
            ("sum by (table) (myriad_row_bytes)", "{{table}}"),
        ],
    ),
    Lines(
        "Processes",
        "Resident; in `myriad train` all nodes are one process.",
        unit="bytes",
        queries=[
            ("myriad_process_resident_memory_bytes", "{{role}} {{index}}"),
        ],
    ),
    Lines(
        "Rows and ids, by table",
        "All shards, and an estimate of the distinct ids ever pulled.",
        queries=[
            ("sum by (table) (myriad_rows)", "{{table}}"),
            ("myriad_distinct_ids_estimate", "{{table}}, distinct ids"),
        ],
    ),
    Lines("Processor", "Cores used.", [("rate(myriad_process_cpu_seconds_total[r])", "{{role}} {{index}}")]),
    Lines("Open files", "", [("myriad_process_open_fds", "{{role}} {{index}}")]),
    Row("Faults"),
    Lines(
        "Retries and duplicates",
        "A second.",
        width=6,
        queries=[
            ("sum(rate(myriad_request_retries_total[r]))", "retries"),
            ("sum(rate(myriad_push_duplicates_total[r]))", "duplicates"),
        ],
    ),
    Lines(
        "Refused requests",
        "A second, by reason.",
        width=6,
        queries=[
            ("sum by (reason) (rate(myriad_refused_requests_total[r]))", "{{reason}}"),
        ],
    ),
    Lines(
        "Broken messages",
        "A second: malformed by worker, and without a header.",
        width=6,
        queries=[
            ("rate(myriad_worker_malformed_messages_total[r])", "worker {{worker}}"),
            ("sum(rate(myriad_garbage_messages_total[r]))", "nobody's"),
        ],
    ),
    Lines(
        "Refused rows",
        "Gradients dropped a second, because the table is at its limit.",
        width=6,
        queries=[
            ("sum by (table) (rate(myriad_rows_refused_total[r]))", "{{table}}"),
        ],
    ),
    Lines("Nodes, by state", "", [("sum by (state) (myriad_node_state)", "{{state}}")], stacked=True, width=6),
    Lines("Restarts", "In ten minutes.", [("changes(myriad_incarnation[10m])", "{{role}} {{index}}")], width=6),
    Lines(
        "Warnings",
        "Log lines in five minutes.",
        width=6,
        queries=[
            ("increase(myriad_warnings_total[5m])", "{{role}} {{index}}"),
        ],
    ),
    Lines("Longest wait", "By node.", [("myriad_node_wait_seconds", "{{role}} {{index}}")], unit="s", width=6),
    Row("Checkpoints"),
    Lines(
        "Age",
        "Since the newest one was complete.",
        unit="s",
        width=6,
        queries=[
            ("time() - myriad_checkpoint_last_success_timestamp_seconds", "age"),
        ],
    ),
    Lines(
        "Duration",
        "Of the newest one, and of each shard's part.",
        unit="s",
        width=6,
        queries=[
            ("myriad_checkpoint_last_duration_seconds", "all"),
            ("myriad_shard_checkpoint_duration_seconds", "shard {{shard}}"),
        ],
    ),
    Lines("Size", "", [("myriad_checkpoint_last_bytes", "newest")], unit="bytes", width=6),
    Lines("Failures", "Since the start.", [("myriad_checkpoint_failures_total", "failures")], width=6),
]
