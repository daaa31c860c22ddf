import Display
package import Telemetry

/// What `myriad stat` prints a line of: the job between two moments.
package struct StatPoint: Codable, Sendable, Equatable {
    /// Seconds since 1970.
    package let time: Double
    /// The step, and how many were finished since the line before.
    package let step: Int
    package let steps: Int
    package let samplesPerSecond: Double
    package let loss: Double?
    package let auc: Double?
    package let rows: Int
    /// Rows that came since the line before.
    package let newRows: Int
    package let pullsPerSecond: Double
    package let pushesPerSecond: Double
    /// Of all shards.
    package let receivedBytesPerSecond: Double
    package let sentBytesPerSecond: Double
    /// Mean over workers of the share of time spent waiting.
    package let wait: Double
    package let limitedBy: String
    package let state: JobStatus.State

    /// From the counters of two moments; with one moment only, from its own rates.
    ///
    /// - Parameter before: an earlier status of the same job.
    package init(_ status: ClusterStatus, since before: ClusterStatus?) {
        let job = status.job
        let usable = before.flatMap { $0.job.id == job.id && status.time > $0.time ? $0 : nil }
        let seconds = usable.map { status.time - $0.time }
        func rate(_ count: (ShardReport) -> Int, or own: (ShardStatus) -> Double) -> Double {
            func total(_ status: ClusterStatus) -> Int { status.shards.total { count($0.report) } }
            guard let usable, let seconds, total(status) >= total(usable) else {
                return status.shards.reduce(0) { $0 + own($1) }
            }
            return Double(total(status).minus(total(usable))) / seconds
        }
        time = status.time
        state = job.state
        step = job.step
        steps = usable.map { job.step.minus($0.job.step) } ?? 0
        samplesPerSecond =
            if let usable, let seconds, job.samples >= usable.job.samples {
                Double(job.samples.minus(usable.job.samples)) / seconds
            } else {
                job.samplesPerSecond
            }
        loss = job.loss
        auc = job.auc
        rows = status.rows
        newRows = usable.map { status.rows.minus($0.rows) } ?? 0
        pullsPerSecond = rate(\.pulls, or: \.pullsPerSecond)
        pushesPerSecond = rate(\.pushes, or: \.pushesPerSecond)
        receivedBytesPerSecond = rate(\.receivedBytes, or: \.receivedBytesPerSecond)
        sentBytesPerSecond = rate(\.sentBytes, or: \.sentBytesPerSecond)
        wait = status.workers.reduce(0) { $0 + $1.wait } / Double(max(1, status.workers.count))
        limitedBy = status.limitedBy
    }
}

/// The lines of `myriad stat`: fixed columns, because the rows to come are not known yet.
package enum StatView {
    private typealias Figure = @Sendable (StatPoint) -> String
    private static let columns: [(title: String, width: Int, importance: Int, text: Figure)] = [
        ("TIME UTC", 8, 60, { Quantity.clock($0.time) }), ("STEP", 9, 100, { Quantity.exact($0.step) }),
        ("+STEPS", 7, 55, { Quantity.signed($0.steps) }), ("SAMPLES/s", 9, 95, { Quantity.rate($0.samplesPerSecond) }),
        ("LOSS", 7, 90, { Quantity.metric($0.loss) }), ("AUC", 6, 85, { Quantity.metric($0.auc) }),
        ("ROWS", 7, 70, { Quantity.count($0.rows) }), ("+ROWS", 7, 40, { Quantity.signed($0.newRows) }),
        ("PULL/s", 7, 65, { Quantity.rate($0.pullsPerSecond) }),
        ("PUSH/s", 7, 64, { Quantity.rate($0.pushesPerSecond) }),
        ("IN MB/s", 7, 50, { Quantity.megabytes($0.receivedBytesPerSecond) }),
        ("OUT MB/s", 8, 51, { Quantity.megabytes($0.sentBytesPerSecond) }),
        ("WAIT", 6, 80, { Quantity.percent($0.wait) }),
    ]
    /// Room for the sentence at the end, and the least that is worth showing.
    private static let sentence = (width: 30, importance: 75)

    /// Which columns fit, and what is left for the sentence.
    private static func fit(_ width: Int) -> (columns: [Int], sentence: Int) {
        var kept = Set(columns.indices)
        var sentence = Self.sentence.width
        func used() -> Int { kept.reduce(0) { $0 + columns[$1].width + 2 } - 2 }
        while used() + (sentence > 0 ? sentence + 2 : 0) > width {
            let least = kept.min { columns[$0].importance < columns[$1].importance } ?? 0
            if sentence > 0, columns[least].importance > Self.sentence.importance || kept.count == 1 {
                sentence = 0
            } else if kept.count > 1 {
                kept.remove(least)
            } else {
                break
            }
        }
        return (kept.sorted(), sentence > 0 ? max(0, width - used() - 2) : 0)
    }

    /// The titles.
    package static func header(width: Int) -> Line {
        let (kept, sentence) = fit(width)
        var line = Line()
        for column in kept { append(columns[column].title, columns[column].width, .bold, to: &line) }
        if sentence > 0 { line.add("  LIMITED BY", .bold) }
        return line.clipped(to: width)
    }

    /// A moment.
    package static func line(_ point: StatPoint, width: Int) -> Line {
        let (kept, sentence) = fit(width)
        var line = Line()
        for column in kept { append(columns[column].text(point), columns[column].width, .plain, to: &line) }
        if sentence > 0 {
            let text = point.state == .running ? point.limitedBy : "(\(point.state.rawValue)) \(point.limitedBy)"
            line.add("  " + Glyphs.clipped(text, to: sentence))
        }
        return line.clipped(to: width)
    }

    private static func append(_ text: String, _ width: Int, _ style: Style, to line: inout Line) {
        let space = (line.spans.isEmpty ? 0 : 2) + max(0, width - Glyphs.width(of: text))
        if space > 0 { line.add(String(repeating: " ", count: space)) }
        line.add(text, style)
    }
}
