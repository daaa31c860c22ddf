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
    private typealias Column = (title: String, width: Int, importance: Int, text: @Sendable (StatPoint) -> String)
    private static let gap = 2
    private static let columns: [Column] = [
        ("TIME UTC", 8, 60, { Quantity.clock($0.time) }), ("STEP", 9, 100, { Quantity.exact($0.step) }),
        ("+STEPS", 7, 55, { Quantity.signed($0.steps) }), ("SAMPLES/s", 9, 95, { Quantity.rate($0.samplesPerSecond) }),
        ("LOSS", 7, 90, { Quantity.metric($0.loss) }), ("AUC", 6, 85, { Quantity.metric($0.auc) }),
        ("ROWS", 7, 70, { Quantity.count($0.rows) }), ("+ROWS", 7, 40, { Quantity.signed($0.newRows) }),
        ("PULL/s", 7, 65, { Quantity.rate($0.pullsPerSecond) }),
        ("PUSH/s", 7, 64, { Quantity.rate($0.pushesPerSecond) }),
        ("IN MB/s", 7, 50, { Quantity.megabytes($0.receivedBytesPerSecond) }),
        ("OUT MB/s", 8, 51, { Quantity.megabytes($0.sentBytesPerSecond) }),
        ("WAIT", 6, 80, { Quantity.percent($0.wait) }), ("LIMITED BY", 30, 75, sentence),
    ]

    /// What stands at the end and gets all room that is left.
    @Sendable private static func sentence(_ point: StatPoint) -> String {
        point.state == .running ? point.limitedBy : "(\(point.state.rawValue)) \(point.limitedBy)"
    }

    /// The titles.
    package static func header(width: Int) -> Line { line(width, .bold, \.title) }

    /// A moment.
    package static func line(_ point: StatPoint, width: Int) -> Line { line(width, .plain) { $0.text(point) } }

    /// The most important columns that fit, one at least, each at its place; a number at its right edge.
    private static func line(_ width: Int, _ style: Tone, _ text: (Column) -> String) -> Line {
        var room = width + gap
        var kept: [Int] = []
        for place in columns.indices.sorted(by: { columns[$0].importance > columns[$1].importance }) {
            let next = columns[place].width + gap
            guard kept.isEmpty || next <= room else { break }
            kept.append(place)
            room -= next
        }
        var line = Line()
        for place in kept.sorted() {
            let column = columns[place]
            let isSentence = place == columns.count - 1
            let words = isSentence ? Glyphs.clipped(text(column), to: column.width + max(0, room)) : text(column)
            let missing = isSentence ? 0 : max(0, column.width - Glyphs.width(of: words))
            line.add(String(repeating: " ", count: missing + (line.spans.isEmpty ? 0 : gap)))
            line.add(words, style)
        }
        return line.clipped(to: width)
    }
}
