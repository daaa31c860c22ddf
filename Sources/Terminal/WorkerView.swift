package import Telemetry

/// One row a worker: its speed, where its time goes, and which shard it waits for.
package enum WorkerView {
    private static let columns: [TextTable.Column] = [
        .number("WORKER", 100), .text("STATE", 90), .text("HOST", 15, shortest: 8), .number("STEP", 75),
        .number("SAMPLES/s", 95), .number("READ", 60), .number("WAIT", 85), .number("COMPUTE", 82),
        .number("PUSH", 58), .number("DEDUP", 45), .number("PULL p50/p99/max ms", 55), .number("RETRIES", 40),
        .number("OUT MB/s", 50), .number("IN MB/s", 52), .number("THREADS", 10), .number("NONFINITE", 20),
        .text("BLOCKED BY", 70),
    ]

    /// The table.
    package static func lines(_ status: ClusterStatus, width: Int) -> [Line] {
        TextTable(columns, status.workers.map(row)).lines(width: width)
    }

    private static func row(_ worker: WorkerStatus) -> [Span] {
        let report = worker.report
        return [
            Span(String(worker.rank)), Span(state: worker.state), Span(worker.host),
            Span(Quantity.exact(report.step)), Span(Quantity.rate(worker.samplesPerSecond)),
            Span(Quantity.percent(worker.read)),
            Span(Quantity.percent(worker.wait), worker.wait > 0.5 ? .warning : .plain),
            Span(Quantity.percent(worker.compute)), Span(Quantity.percent(worker.push)),
            Span(report.dedupFactor > 0 ? "× \(Quantity.ratio(report.dedupFactor))" : Quantity.none),
            Span(latency(report.pullSeconds)), Span(fault: report.retries),
            Span(Quantity.megabytes(worker.sentBytesPerSecond)),
            Span(Quantity.megabytes(worker.receivedBytesPerSecond)),
            Span(String(report.threads)), Span(fault: report.nonfinite),
            Span(blocker(worker)),
        ]
    }

    private static func latency(_ histogram: LatencyHistogram) -> String {
        guard histogram.count > 0 else { return Quantity.none }
        return "\(ShardView.quantiles(histogram))/\(Quantity.milliseconds(histogram.max))"
    }

    /// "shard 1 71 %": who answered last most of its waiting time.
    static func blocker(_ worker: WorkerStatus) -> String {
        guard let share = worker.blockedBy.max(), share > 0, let shard = worker.blockedBy.firstIndex(of: share) else {
            return Quantity.none
        }
        return "shard \(shard) \(Quantity.percent(share))"
    }
}
