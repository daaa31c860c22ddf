package import Telemetry

/// What is shown of a shard.
package enum ShardColumns {
    /// Its figures now.
    package static let main: [Column<ShardStatus>] = [
        .id("Shard", 100, \.report.shard), .id("Server", 12, \.server), .state("State", 90, \.state.rawValue),
        .text("Address", 8, \.endpoint, shortest: 12), .exact("Step", 50, \.report.step, name: "step"),
        .count("Rows", 95, \.report.rows, hint: "of all tables", name: "rows"),
        .bytes(
            "Memory", 88, \.report.memory, hint: "all tables and the dense slice, without free room", name: "memory"),
        Column("Pull", unit: "/s", 80, hint: "below: rows a second") { shard, _ in
            Cell(Quantity.rate(shard.pullsPerSecond), note: Quantity.rate(shard.pulledRowsPerSecond))
        },
        Column("Push", unit: "/s", 78, hint: "below: rows a second") { shard, _ in
            Cell(Quantity.rate(shard.pushesPerSecond), note: Quantity.rate(shard.pushedRowsPerSecond))
        },
        .traffic("In", 60, \.receivedBytesPerSecond, \.report.receivedBytes),
        .traffic("Out", 62, \.sentBytesPerSecond, \.report.sentBytes),
        Column("Pull", unit: "p50/p99 ms", 76, hint: "from a pull's arrival or release to its answer") { shard, _ in
            Cell(quantiles(shard.report.pullSeconds))
        },
        Column("Apply", unit: "p99 ms", 58, hint: "regularizing and updating once a step") { shard, _ in
            Cell(Quantity.milliseconds(shard.report.applySeconds.p99))
        },
        Column("Queue", 70, hint: "messages waiting; below: the most") { shard, _ in
            let (now, peak) = (shard.report.queue, shard.report.queuePeak)
            return Cell(
                Quantity.count(now), now > 100 ? .warning : .plain, exact: now, note: "max \(Quantity.count(peak))")
        },
        Column("Parked", 68, hint: "pulls that wait for a step; below: in all") { shard, _ in
            let (now, all) = (shard.report.parked.count, shard.report.parkings)
            return Cell(
                Quantity.count(now), now > 0 ? .accent : .plain, exact: now,
                note: all > 0 ? "\(Quantity.count(all)) in all" : "")
        },
        Column("Stale", 40, hint: "steps that 99 % of answers were behind at most; below: all") { shard, _ in
            let most = shard.report.staleness.lastIndex { $0 > 0 }
            return Cell(staleness(shard.report.staleness), note: most.map { "at most \($0)" } ?? "")
        },
        Column("Lag", 45, hint: "steps that the slowest worker is behind") { Cell(lag($0, $1.status)) },
        Column("Busy", 85, hint: "share of its thread's time that is work") { shard, _ in
            .share(shard.busy, shard.busy > 0.9 ? .warning : .plain, note: shares(shard))
        },
        Column("Checkpoint", 35, hint: "age of its part") { shard, context in
            let part = shard.report.checkpoint
            return Cell(
                part.map { context.moment.ago($0.time) } ?? Quantity.none,
                note: part.map { "step \(Quantity.exact($0.step))" } ?? "")
        },
        .fault(
            "Dup", 30, \.report.duplicates, hint: "pushes of something already covered, ignored", name: "duplicates"),
        .fault("Malformed", 28, \.report.malformations, hint: "messages, of known senders and of none"),
        .text("Waits for", 0, \.waitsFor, kind: .words),
    ]

    /// What it holds, carried and did since its start.
    package static let groups: ColumnGroups<ShardStatus> = [
        "Memory": [
            Column("Bytes by kind", kind: .text) { shard, _ in
                let kinds = shard.report.bytes.kinds + [("dense", shard.report.denseBytes)]
                return .bar(kinds.map { ($0.0, Double($0.1)) }, [0, 1, 3, 5, 2], as: Quantity.bytes)
            },
            .bytes("Weights", 0, \.report.bytes.weights, name: "weights"),
            .bytes("Optimizer", 0, \.report.bytes.optimizer, name: "optimizer"),
            .bytes("Counts", 0, \.report.bytes.counts, name: "counts"),
            .bytes("Index", 0, \.report.bytes.index, name: "index"),
            .bytes("Dense", 0, \.report.denseBytes, name: "dense_bytes"),
        ],
        "Traffic": [
            Column("Bytes", kind: .text) { shard, _ in
                let (received, sent) = (Double(shard.report.receivedBytes), Double(shard.report.sentBytes))
                return .bar([("received", received), ("sent", sent)], [0, 4], as: Quantity.bytes)
            },
            .bytes("Received", 0, \.report.receivedBytes), .bytes("Sent", 0, \.report.sentBytes),
            .bytes("In pulls", 0, \.report.pullBytes, hint: "headers included", name: "pull_bytes"),
            .bytes("In pushes", 0, \.report.pushBytes, hint: "headers included", name: "push_bytes"),
            .bytes("In values", 0, \.report.valueBytes, hint: "sent as answers", name: "value_bytes"),
            .bytes(
                "Other", 0, \.report.otherBytes, hint: "sent: acknowledgements and refusals", name: "other_bytes"),
        ],
        "Time": [
            Column("Busy, by kind", kind: .text) { shard, _ in
                .bar(shard.report.work, [0, 4, 2, 3], as: Quantity.duration)
            },
            Column("Busy") { shard, _ in Cell(Quantity.duration(shard.report.busySeconds)) },
            Column("Share of training") { shard, context in
                let busy = shard.report.busySeconds
                let whole = context.status.trainingSeconds
                return Cell(whole > 0 ? Quantity.percent(busy / max(whole, busy)) : Quantity.none)
            },
        ],
        "Requests": [
            .exact("Pulls", 0, \.report.pulls, hint: "answered with values", name: "pulls"),
            .exact("Pulled rows", 0, \.report.pulledRows, name: "pulled_rows"),
            .exact("Pushes", 0, \.report.pushes, hint: "held or applied", name: "pushes"),
            .exact("Pushed rows", 0, \.report.pushedRows, name: "pushed_rows"),
            .exact("Parkings", 0, \.report.parkings, hint: "pulls that had to wait for a step", name: "parkings"),
            .exact("Longest queue", 0, \.report.queuePeak),
            .fault("Refused", 0, \.report.refused.values.total, hint: "messages, for any reason", name: "refused"),
            .fault(
                "Malformed", 0, \.report.malformed.values.total, hint: "messages of a known sender",
                name: "malformed"),
            .fault("Garbage", 0, \.report.garbage, hint: "messages without a readable header", name: "garbage"),
        ],
        "Latency": Column.times("Pull", \.report.pullSeconds) + Column.times("Push", \.report.pushSeconds)
            + Column.times("Update", \.report.applySeconds) + Column.times("Parked", \.report.parkedSeconds),
    ]

    /// "0.21/0.94".
    static func quantiles(_ histogram: LatencyHistogram, max: Bool = false) -> String {
        guard histogram.count > 0 else { return Quantity.none }
        return ([histogram.p50, histogram.p99] + (max ? [histogram.max] : [])).map(Quantity.milliseconds)
            .joined(separator: "/")
    }

    /// "gather 20 %, merge 8 %, …".
    package static func shares(_ shard: ShardStatus) -> String {
        shard.work.map { "\($0.0) \(Quantity.percent($0.1))" }.joined(separator: ", ")
    }

    /// Steps that 99 of 100 pulls were behind at most.
    private static func staleness(_ counts: [Int]) -> String {
        let all = counts.total
        guard all > 0 else { return Quantity.none }
        var seen = 0
        for (steps, count) in counts.enumerated() {
            seen = seen.plus(count)
            if Double(seen) >= 0.99 * Double(all) { return String(steps) }
        }
        return String(counts.count - 1)
    }

    private static func lag(_ shard: ShardStatus, _ status: ClusterStatus) -> String {
        let number = shard.report.shard
        let most = status.lag.compactMap { $0.indices.contains(number) ? $0[number] : nil }.max() ?? -1
        return most >= 0 ? String(most) : Quantity.none
    }
}

extension ShardReport {
    /// Bytes of all rows and of the dense slice.
    package var memory: Int { bytes.used.plus(denseBytes) }

    /// Messages that could not be read.
    fileprivate var malformations: Int { garbage.plus(malformed.values.total) }
}
