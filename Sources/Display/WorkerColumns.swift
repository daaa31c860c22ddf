package import Telemetry

/// What is shown of a worker.
package enum WorkerColumns {
    /// Its figures now.
    package static let main: [Column<WorkerStatus>] = [
        Column("Worker", 100) { worker, _ in Cell(worker.rank < 0 ? "all" : String(worker.rank)) },
        .state("State", 90, \.state.rawValue), .text("Host", 15, \.host, shortest: 8),
        .exact("Step", 75, \.report.step, hint: "in work", name: "step"),
        Column("Samples", unit: "/s", 95, hint: "below: in all", name: "samples") { worker, _ in
            let all = worker.report.samples
            return Cell(Quantity.rate(worker.samplesPerSecond), exact: all, note: Quantity.count(all))
        },
        Column("Time", hint: "shares over the last seconds", kind: .text) { worker, _ in
            .bar(worker.phases, colors, of: 1, as: Quantity.percent)
        },
        share("Read", 60, \.read, \.readSeconds), share("Wait", 85, \.wait, \.waitSeconds, warning: 0.5),
        share("Compute", 82, \.compute, \.computeSeconds), share("Push", 58, \.push, \.pushSeconds),
        Column("Dedup", 45, hint: "ids that samples contain by row pulled") { worker, _ in
            let factor = worker.report.dedupFactor
            return Cell(factor > 0 ? "× \(Quantity.ratio(factor))" : Quantity.none)
        },
        Column("Pull", unit: "p50/p99/max ms", 55, hint: "from a pull to the last shard's values") { worker, _ in
            Cell(ShardColumns.quantiles(worker.report.pullSeconds, max: true))
        },
        Column("Step", unit: "p50/p99/max ms", hint: "from one step's values to the next step's") { worker, _ in
            Cell(ShardColumns.quantiles(worker.report.stepSeconds, max: true))
        },
        .fault("Retries", 40, \.report.retries, name: "retries"),
        .traffic("Out", 50, \.sentBytesPerSecond, \.report.sentBytes),
        .traffic("In", 52, \.receivedBytesPerSecond, \.report.receivedBytes),
        .count("Threads", 10, \.report.threads),
        .fault("Nonfinite", 20, \.report.nonfinite, hint: "steps whose loss was not finite", name: "nonfinite"),
        .text("Blocked by", 70, blocker, hint: "the shard that most of its waiting was for"),
    ]

    /// Where its time went and what it did since its start.
    package static let groups: ColumnGroups<WorkerStatus> = [
        "Time": [
            Column("Share of its time", kind: .text) { worker, _ in
                .bar(worker.report.phases, colors, of: worker.report.seconds, as: Quantity.duration)
            }
        ]
            + WorkerReport().phases.enumerated().map { place, phase in
                Column(phase.0.capital) { worker, _ in
                    let (part, all) = (worker.report.phases[place].1, worker.report.seconds)
                    return Cell(all > 0 ? Quantity.percent(part / all) : Quantity.none)
                }
            },
        "Work": [
            .exact("Steps", 0, \.report.steps, hint: "finished since its start", name: "steps"),
            .count("Samples", 0, \.report.samples),
            .count("Scored", 0, \.report.scored, hint: "samples of validation and test"),
            Column("Ids a row") { worker, _ in
                let factor = worker.report.dedupFactor
                return Cell(factor > 0 ? Quantity.ratio(factor) : Quantity.none)
            }, .bytes("Received", 0, \.report.receivedBytes), .bytes("Sent", 0, \.report.sentBytes),
        ],
        "Latency": Column.times("Pull", \.report.pullSeconds) + Column.times("Step", \.report.stepSeconds),
        "Waits": [
            Column("Longest", hint: "by the shard that answered last", kind: .text) { worker, _ in
                .bar([("", worker.report.waitByShard.max() ?? 0)], [4], as: Quantity.duration)
            }, .text("For", 0, waits, kind: .words),
        ],
    ]

    /// All of several: what their times add up to, at a rank that no worker has.
    package static func sum(_ workers: [WorkerStatus]) -> WorkerStatus {
        var all = WorkerStatus()
        all.rank = -1
        for worker in workers {
            all.report.readSeconds += worker.report.readSeconds
            all.report.waitSeconds += worker.report.waitSeconds
            all.report.computeSeconds += worker.report.computeSeconds
            all.report.pushSeconds += worker.report.pushSeconds
        }
        return all
    }

    /// The colors of what a worker does with its time.
    private static let colors = [5, 4, 0, 3]

    private static func share(
        _ title: String, _ importance: Int, _ share: @escaping @Sendable (WorkerStatus) -> Double,
        _ seconds: @escaping @Sendable (WorkerReport) -> Double, warning: Double = .infinity
    ) -> Column<WorkerStatus> {
        Column(title, importance, hint: "share over the last seconds; below: in all") { worker, _ in
            Cell(
                Quantity.percent(share(worker)), share(worker) > warning ? .warning : .plain,
                note: Quantity.duration(seconds(worker.report)))
        }
    }

    /// "shard 1 71 %": who answered last most of its waiting time.
    @Sendable private static func blocker(_ worker: WorkerStatus) -> String {
        guard let share = worker.blockedBy.max(), share > 0, let shard = worker.blockedBy.firstIndex(of: share) else {
            return Quantity.none
        }
        return "shard \(shard) \(Quantity.percent(share))"
    }

    /// The three shards that it waited for longest.
    @Sendable private static func waits(_ worker: WorkerStatus) -> String {
        worker.report.waitByShard.enumerated().filter { $0.element > 0 }
            .sorted { ($0.element, $1.offset) > ($1.element, $0.offset) }.prefix(3)
            .map { "shard \($0.offset) \(Quantity.duration($0.element))" }.joined(separator: ", ")
    }
}
