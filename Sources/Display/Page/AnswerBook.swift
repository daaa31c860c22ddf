import Foundation
import Synchronization
import Telemetry

/// Bytes made of a board's status, each kind once a version.
///
/// What is quick is made when it is asked for, and is always the newest. What takes long (hundreds of shards and workers)
/// is made anew in the background while somebody asks for it, so that a request never waits for it; and now and then while
/// nobody does, so that the first to come gets an answer at once: of some seconds ago, with its time in it.
final class AnswerBook: Sendable {
    /// What can be made of a status.
    enum Kind: String, Hashable, CaseIterable {
        case page, metrics, status, job, nodes, shards, workers, tables, waits, events, evaluations, config, lag
        case failure
    }

    private struct Entry {
        var version = -1
        var state = JobStatus.State.waiting
        var data = Data()
        var made = ContinuousClock.now
        var cost = Duration.zero
        var asked: ContinuousClock.Instant?
        /// When it was first asked for after a pause.
        var woken = ContinuousClock.now
    }

    private struct Contents {
        var entries: [Kind: Entry] = [:]
        var isTicking = false
        var renewed = ContinuousClock.now
        /// What the last renewal while nobody asked has cost.
        var renewalCost = Duration.zero
    }

    /// Above this an answer is made in the background.
    private static let quick = Duration.milliseconds(8)
    /// How old an answer from the background may be while somebody goes on asking.
    private static let oldest = Duration.milliseconds(2500)
    /// How old the first answer after a pause may be.
    private static let oldestFirst = Duration.seconds(30)
    /// How long after a request the background goes on.
    private static let interest = Duration.seconds(5)
    private static let period = DispatchTimeInterval.milliseconds(50)
    /// Renewals while nobody asks take at most one part in so many of one core.
    private static let thrift = 100
    /// Workers × shards from which on the first answers are made before anybody asks.
    private static let large = 1024
    private static let renewedKinds: [Kind] = StatusJSON.sections + [.status, .page, .metrics]

    private let board: StatusBoard
    private let series: SeriesBook
    private let contents = Mutex(Contents())
    private let queue = DispatchQueue(label: "page answers", qos: .utility)

    init(board: StatusBoard, series: SeriesBook) {
        self.board = board
        self.series = series
        queue.async { [weak self] in self?.beat() }
    }

    /// The newest bytes of a kind.
    func data(_ kind: Kind) -> Data {
        let (status, version) = board.newest
        let now = ContinuousClock.now
        let known = contents.withLock { contents -> Entry? in
            guard var entry = contents.entries[kind] else { return nil }
            if entry.asked.map({ $0.duration(to: now) > Self.interest }) ?? true { entry.woken = now }
            entry.asked = now
            contents.entries[kind] = entry
            let isSlow = entry.cost > Self.quick
            if isSlow, !contents.isTicking {
                contents.isTicking = true
                schedule(after: .milliseconds(1))
            }
            if entry.version == version { return entry }
            // How a job ends is shown at once.
            guard isSlow, entry.state == status.job.state else { return nil }
            let isFirst = entry.woken.duration(to: now) < Self.oldest
            return entry.made.duration(to: now) < (isFirst ? Self.oldestFirst : Self.oldest) ? entry : nil
        }
        return known?.data ?? make(kind, of: status, version, asked: now)
    }

    /// Makes and keeps the bytes of a status.
    private func make(_ kind: Kind, of status: ClusterStatus, _ version: Int, asked: ContinuousClock.Instant?) -> Data {
        let began = ContinuousClock.now
        let data = encode(kind, status, version)
        contents.withLock { contents in
            var entry = contents.entries[kind] ?? Entry()
            entry.asked = [entry.asked, asked].compactMap(\.self).max()
            if entry.version <= version {
                entry.version = version
                entry.state = status.job.state
                entry.data = data
                entry.made = began
                entry.cost = began.duration(to: .now) + (kind == .status ? Self.cost(of: contents) : .zero)
            }
            contents.entries[kind] = entry
        }
        return data
    }

    /// What the sections take of which a whole status is made, even where they were there already.
    private static func cost(of contents: Contents) -> Duration {
        StatusJSON.sections.reduce(.zero) { $0 + (contents.entries[$1]?.cost ?? .zero) }
    }

    private func schedule(after interval: DispatchTimeInterval) {
        queue.asyncAfter(deadline: .now() + interval) { [weak self] in self?.tick() }
    }

    /// Makes anew what is slow, wanted and old.
    private func tick() {
        let (status, version) = board.newest
        let now = ContinuousClock.now
        let wanted = contents.withLock { contents in
            let wanted = contents.entries.filter { _, entry in
                entry.cost > Self.quick && entry.asked.map { $0.duration(to: now) < Self.interest } ?? false
            }
            contents.isTicking = !wanted.isEmpty
            return wanted
        }
        for (kind, entry) in wanted where entry.version != version { _ = make(kind, of: status, version, asked: nil) }
        if !wanted.isEmpty { schedule(after: Self.period) }
    }

    /// Once a second: whether it is time to renew what nobody asks for.
    private func beat() {
        // An hour of curves takes a while too; point by point it is nothing.
        series.update()
        let (status, version) = board.newest
        let began = ContinuousClock.now
        let wanted = contents.withLock { contents -> [Kind] in
            let rest = max(.seconds(2), contents.renewalCost * Self.thrift)
            guard status.shards.count * status.workers.count >= Self.large,
                contents.entries.isEmpty || contents.renewed.duration(to: began) > rest
            else { return [] }
            contents.renewed = began
            return Self.renewedKinds.filter { contents.entries[$0]?.version != version }
        }
        for kind in wanted { _ = make(kind, of: status, version, asked: nil) }
        if !wanted.isEmpty {
            let cost = began.duration(to: .now)
            contents.withLock { $0.renewalCost = cost }
        }
        queue.asyncAfter(deadline: .now() + 1) { [weak self] in self?.beat() }
    }

    private func encode(_ kind: Kind, _ status: ClusterStatus, _ version: Int) -> Data {
        switch kind {
        case .page: Data(Page(status).markup.text.utf8)
        case .metrics: Data(Prometheus.text(status).utf8)
        case .config: StatusJSON.json(["yaml": status.job.config])
        case .status:
            StatusJSON.whole(status) { section in
                let known = contents.withLock { $0.entries[section] }
                return known?.version == version
                    ? known?.data ?? Data() : make(section, of: status, version, asked: nil)
            }
        default: StatusJSON.section(kind, of: status)
        }
    }
}
