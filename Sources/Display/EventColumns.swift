package import Telemetry

/// What is shown of what happened, of what was scored, of who waits and of who sent what it should not have.
package enum EventColumns {
    /// Something that happened.
    package static let events: [Column<EventStatus>] = [
        Column("Time", unit: "UTC", hint: "below: since the job's start", kind: .text) { event, context in
            let began = context.status.job.started
            return Cell(
                Quantity.clock(event.time),
                note: began > 0 ? "after \(Quantity.duration(max(0, event.time - began)))" : "")
        },
        .state("Kind", 0, \.kind.rawValue),
        .text("What", 0, \.text, kind: .words), .exact("Step", 0, \.step),
    ]

    /// A split that was scored.
    package static let evaluations: [Column<EvaluationStatus>] = [
        .text("Split", 0, \.split), .exact("Step", 0, \.step),
        .count("Samples", 0, \.samples, hint: "trained on until then"), .metric("AUC", \.auc),
        .metric("GAUC", \.gauc, hint: "AUC of each user, weighted by samples"), .metric("Log loss", \.logLoss),
        .metric("Calibration", \.calibration, hint: "mean prediction by mean label: 1 is right"),
        .state("Best", 0, { $0.isBest ? "best" : "" }),
        .text("Time", 0, { Quantity.date($0.time) }),
    ]

    /// Who waits for what.
    package static let waits: [Column<WaitStatus>] = [
        .text("Who", 100, \.who),
        Column("Since", 90) { wait, _ in
            Cell(Quantity.duration(wait.seconds), wait.seconds > 5 ? .warning : .plain)
        }, .text("Waits for", 95, \.name, shortest: 12, kind: .words),
        .count("Times", 40, \.count, hint: "how often since its start"),
    ]

    /// A worker's place at a shard: the steps that it has pulled and pushed.
    package static let places: [Column<(rank: Int, lag: Int, place: WorkerPlace)>] = [
        .id("Worker", 100, \.rank), .exact("Pulled step", 80, \.place.pulled),
        .exact("Pushed step", 85, \.place.pushed),
        Column("Lag", 70) { row, _ in Cell(row.lag >= 0 ? String(row.lag) : Quantity.none) },
        .fault("Duplicates", 50, \.place.duplicates), .fault("Malformed", 45, \.place.malformed),
    ]

    /// A kind of times at a shard.
    package static let times: [Column<(name: String, times: LatencyHistogram)>] = [
        .text("Of", 100, \.name), .exact("Count", 80, \.times.count),
        Column("", unit: "p50", 90) { row, _ in Cell(Quantity.milliseconds(row.times.p50)) },
        Column("", unit: "p99", 95) { row, _ in Cell(Quantity.milliseconds(row.times.p99)) },
        Column("Max", 85) { row, _ in Cell(Quantity.milliseconds(row.times.max)) },
    ]
}
