import Foundation
import Synchronization
import Telemetry

/// Bytes made of a board's status, each kind once a version.
///
/// What takes long (hundreds of shards and workers) is made anew in the background while somebody asks for it, so that
/// a request never waits for it; what is quick is made when it is asked for, and is always the newest.
final class AnswerBook: Sendable {
    /// What can be made of a status.
    enum Kind: String, Hashable, CaseIterable {
        case page, metrics, status, job, nodes, shards, workers, tables, waits, events, evaluations, config, lag
        case failure
    }

    private struct Entry {
        var version = -1
        var data = Data()
        var made = ContinuousClock.now
        var cost = Duration.zero
        var asked = ContinuousClock.now
    }

    private struct Contents {
        var entries: [Kind: Entry] = [:]
        var isTicking = false
    }

    /// Above this an answer is made in the background.
    private static let quick = Duration.milliseconds(8)
    /// How old an answer from the background may be.
    private static let oldest = Duration.milliseconds(2500)
    /// How long after a request the background goes on.
    private static let interest = Duration.seconds(5)
    private static let period = DispatchTimeInterval.milliseconds(50)

    private let board: StatusBoard
    private let metrics: @Sendable (ClusterStatus) -> String
    private let contents = Mutex(Contents())
    private let queue = DispatchQueue(label: "page answers", qos: .utility)

    init(board: StatusBoard, metrics: @escaping @Sendable (ClusterStatus) -> String) {
        self.board = board
        self.metrics = metrics
    }

    /// The newest bytes of a kind.
    func data(_ kind: Kind) -> Data {
        let version = board.version
        let now = ContinuousClock.now
        let known = contents.withLock { contents -> Entry? in
            contents.entries[kind]?.asked = now
            guard let entry = contents.entries[kind] else { return nil }
            let isSlow = entry.cost > Self.quick
            if isSlow, !contents.isTicking {
                contents.isTicking = true
                schedule()
            }
            return entry.version == version || (isSlow && entry.made.duration(to: now) < Self.oldest) ? entry : nil
        }
        return known?.data ?? make(kind, version: version, asked: now)
    }

    /// Makes and keeps the bytes of the status as it is now.
    private func make(_ kind: Kind, version: Int, asked: ContinuousClock.Instant) -> Data {
        let began = ContinuousClock.now
        let data = encode(kind, board.status)
        var entry = Entry(version: version, data: data, made: began, cost: began.duration(to: .now), asked: asked)
        contents.withLock {
            if let old = $0.entries[kind] {
                entry.asked = max(asked, old.asked)
                guard old.version <= version else { return }
            }
            $0.entries[kind] = entry
        }
        return data
    }

    private func schedule() {
        queue.asyncAfter(deadline: .now() + Self.period) { [weak self] in self?.tick() }
    }

    /// Makes anew what is slow, wanted and old.
    private func tick() {
        let version = board.version
        let now = ContinuousClock.now
        let wanted = contents.withLock { contents in
            let wanted = contents.entries.filter {
                $0.value.cost > Self.quick && $0.value.asked.duration(to: now) < Self.interest
            }
            contents.isTicking = !wanted.isEmpty
            return wanted
        }
        for (kind, entry) in wanted where entry.version != version {
            _ = make(kind, version: version, asked: entry.asked)
        }
        if !wanted.isEmpty { schedule() }
    }

    private func encode(_ kind: Kind, _ status: ClusterStatus) -> Data {
        switch kind {
        case .page: Data(Page(status).markup.source.utf8)
        case .metrics: Data(metrics(status).utf8)
        case .status: Self.json(status)
        case .job: Self.json(status.job)
        case .nodes: Self.json(status.nodes)
        case .shards: Self.json(status.shards)
        case .workers: Self.json(status.workers)
        case .tables: Self.json(status.tables)
        case .waits: Self.json(status.waits)
        case .events: Self.json(status.events)
        case .evaluations: Self.json(status.evaluations)
        case .config: Self.json(["yaml": status.job.config])
        case .lag: Self.json(status.lag)
        case .failure: status.failure.map(Self.json) ?? Data("null".utf8)
        }
    }

    /// The bytes of a value; `null` for one that JSON cannot hold, which no status is.
    static func json(_ value: some Encodable) -> Data { (try? TelemetryJSON.encode(value)) ?? Data("null".utf8) }
}
