import Parameters
import Telemetry
import Tensors
import Wire

/// What a shard counts: plain numbers that its thread alone touches, copied into a report once a second.
final class ShardStatistics {
    /// Counters without the tables and without what is read off the shard when a report is made.
    var counts = ShardReport()
    private let isOn: Bool
    private let workers: Int
    private var tables: [TableCounts]
    /// Time of the updates that belong to the push in work.
    private var applying = Duration.zero

    private struct TableCounts {
        var report = TableReport()
        var hot = HotIds()
        var distinct = DistinctCount()
    }

    /// - Parameters:
    ///   - workers: ranks from there on are nobody's.
    ///   - isOn: whether times, hot and distinct ids are counted too.
    init(tables: Int, workers: Int, isOn: Bool) {
        self.tables = (0..<tables).map { _ in TableCounts() }
        self.workers = workers
        self.isOn = isOn
    }

    /// The time, if times are counted.
    var now: ContinuousClock.Instant? { isOn ? .now : nil }

    // MARK: Messages

    func received(_ message: Message) {
        switch message.header.kind {
        case .pull: counts.pullBytes += message.byteCount
        case .push: counts.pushBytes += message.byteCount
        default: break
        }
    }

    func refused(_ reason: Refusal.Reason, with answer: Message) {
        counts.refused[reason.rawValue, default: 0] += 1
        counts.otherBytes += answer.byteCount
    }

    func malformed(_ header: Header) {
        let rank = Int(header.rank)
        counts.malformed[rank < workers ? rank : -1, default: 0] += 1
        withPlace(of: header) { $0.malformed += 1 }
    }

    func duplicate(_ header: Header) {
        counts.duplicates += 1
        withPlace(of: header) { $0.duplicates += 1 }
    }

    // MARK: Pulls

    /// Rows were copied out of a table.
    func pulled(_ table: Table, rows: Int) {
        let index = Int(table.index)
        tables[index].report.pulledRows += rows
        if isOn { tables[index].distinct.add(hashes: table.hashes.base, count: rows) }
    }

    /// A pull was answered from the state after a step.
    func answered(_ pull: PullView, with answer: Message, state: Int, since began: ContinuousClock.Instant?) {
        counts.pulls += 1
        counts.pulledRows += pull.ids.count
        counts.valueBytes += answer.byteCount
        if !pull.header.flags.contains(.evaluation) {
            withPlace(of: pull.header) { $0.pulled = max($0.pulled, Int(pull.header.step)) }
            let rank = Int(pull.header.rank)
            let behind = rank < counts.workers.count ? max(0, counts.workers[rank].pushed - state) : 0
            while counts.staleness.count <= min(behind, 63) { counts.staleness.append(0) }
            counts.staleness[min(behind, 63)] += 1
        }
        guard let began else { return }
        let time = began.duration(to: .now)
        counts.pullSeconds.add(time)
        counts.gatherSeconds += time / .seconds(1)
    }

    /// A pull that waited goes on.
    func released(_ since: ContinuousClock.Instant) {
        if isOn { counts.parkedSeconds.add(since.duration(to: .now)) }
    }

    // MARK: Pushes

    /// A contribution counts.
    func held(_ push: PushView) {
        counts.pushes += 1
        counts.pushedRows += push.rowSamples.count
        withPlace(of: push.header) { $0.pushed = max($0.pushed, Int(push.header.step)) }
    }

    /// A table got the sums of a complete step.
    func updated(_ table: Int, _ rows: RowGradients) {
        tables[table].report.updatedRows += rows.count
        if isOn { tables[table].hot.add(ids: rows.ids, counts: rows.counts, count: rows.count) }
    }

    /// A step was applied.
    func applied(_ regularization: Double, since began: ContinuousClock.Instant?) {
        // The term of a state that diverges may be beyond all numbers; those of a report are not.
        counts.regularization = regularization < 0x1p50 ? regularization : 0x1p50
        guard let began else { return }
        applying = began.duration(to: .now)
        counts.applySeconds.add(applying)
        counts.updateSeconds += applying / .seconds(1)
    }

    /// A push is dealt with, the update that it completed included.
    func pushed(since began: ContinuousClock.Instant?) {
        guard let began else { return }
        let time = began.duration(to: .now)
        counts.pushSeconds.add(time)
        counts.mergeSeconds += (time - applying) / .seconds(1)
        applying = .zero
    }

    private func withPlace(of header: Header, _ change: (inout WorkerPlace) -> Void) {
        let rank = Int(header.rank)
        guard rank < workers else { return }
        while counts.workers.count <= rank { counts.workers.append(WorkerPlace()) }
        change(&counts.workers[rank])
    }

    // MARK: Report

    /// The counters, and what their tables hold; of hot ids so many as anybody looks at every second.
    func report(of tables: [Table], hotIds: Int) -> ShardReport {
        var report = counts
        report.tables = zip(tables, self.tables).map { table, counts in
            var part = counts.report
            part.name = table.options.name
            part.width = table.layout.width
            part.rows = table.rowCount
            part.missedRows = table.missedCount
            part.refusedRows = table.refusedCount
            let bytes = table.bytes
            part.bytes.weights = table.rowCount * table.layout.width * 4
            part.bytes.optimizer = bytes.payload - part.bytes.weights
            part.bytes.counts = bytes.header
            part.bytes.index = bytes.index
            part.bytes.slack = bytes.slack
            part.distinct = counts.distinct.estimate
            part.hot = counts.hot.top(hotIds)
            part.hotTotal = counts.hot.total
            return part
        }
        return report
    }
}
