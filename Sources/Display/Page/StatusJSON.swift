import Foundation
import Telemetry

/// A status as JSON, the same bytes as `TelemetryJSON`'s.
///
/// What grows as workers × shards (where each worker is at each shard, for whom it waits, how far it lags), and hot ids, are written by
/// hand: the general encoder takes a quarter of a second for it in a cluster of 64 shards and 256 workers.
enum StatusJSON {
    /// The sections that stand for themselves; a whole status is made of them.
    static let sections: [AnswerBook.Kind] = [
        .evaluations, .events, .failure, .job, .lag, .nodes, .shards, .tables, .waits, .workers,
    ]

    /// One section.
    static func section(_ kind: AnswerBook.Kind, of status: ClusterStatus) -> Data {
        switch kind {
        case .shards: shards(status.shards)
        case .workers: workers(status.workers)
        case .lag: Data(list(status.lag) { list($0, String.init) }.utf8)
        case .job: json(status.job)
        case .nodes: json(status.nodes)
        case .tables: json(status.tables)
        case .waits: json(status.waits)
        case .events: json(status.events)
        case .evaluations: json(status.evaluations)
        case .failure: status.failure.map(json) ?? Data("null".utf8)
        case .page, .metrics, .status, .config: Data("null".utf8)
        }
    }

    /// The whole status, of sections that are made already.
    static func whole(_ status: ClusterStatus, _ section: (AnswerBook.Kind) -> Data) -> Data {
        var rest: [(name: String, value: Data)] = [
            ("limited_by", json(status.limitedBy)), ("schema", json(status.schema)), ("skew", json(status.skew)),
            ("time", json(status.time)),
        ]
        for kind in sections where kind != .failure || status.failure != nil {
            rest.append((kind.rawValue, section(kind)))
        }
        if let leftOut = status.evaluationsLeftOut { rest.append(("evaluations_left_out", json(leftOut))) }
        rest.sort { $0.name < $1.name }
        var data = Data(capacity: rest.reduce(0) { $0 + $1.value.count + 32 })
        for (index, part) in rest.enumerated() {
            data.append(contentsOf: "\(index == 0 ? "{" : ",")\"\(part.name)\":".utf8)
            data.append(part.value)
        }
        data.append(UInt8(ascii: "}"))
        return data
    }

    /// The bytes of a value; `null` for one that JSON cannot hold, which no status is.
    static func json(_ value: some Encodable) -> Data { (try? TelemetryJSON.encode(value)) ?? Data("null".utf8) }

    private static func shards(_ shards: [ShardStatus]) -> Data {
        var bare = shards
        for index in bare.indices {
            bare[index].report.workers = []
            for table in bare[index].report.tables.indices { bare[index].report.tables[table].hot = [] }
        }
        let holes = shards.flatMap { shard in
            shard.report.tables.map { ("hot", list($0.hot, hot)) } + [("workers", list(shard.report.workers, place))]
        }
        return filled(json(bare), holes) ?? json(shards)
    }

    private static func workers(_ workers: [WorkerStatus]) -> Data {
        var bare = workers
        for index in bare.indices {
            bare[index].blockedBy = []
            bare[index].report.waitByShard = []
        }
        let holes = workers.flatMap { worker in
            [
                ("blocked_by", list(worker.blockedBy, number)),
                ("wait_by_shard", list(worker.report.waitByShard, number)),
            ]
        }
        return filled(json(bare), holes) ?? json(workers)
    }

    /// Puts what is written by hand where empty lists stand under its name, one after the other.
    ///
    /// Within a text the quotes would be escaped: what looks like a member is one.
    private static func filled(_ data: Data, _ holes: [(name: String, text: String)]) -> Data? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count * 4)
        let isWhole = data.withUnsafeBytes { source in
            var start = 0
            for hole in holes {
                guard let end = self.end(of: Array("\"\(hole.name)\":[]".utf8), in: source, from: start) else {
                    return false
                }
                bytes += source[start..<end - 2]
                bytes += hole.text.utf8
                start = end
            }
            bytes += source[start...]
            return true
        }
        return isWhole ? Data(bytes) : nil
    }

    /// Where a mark ends that comes next.
    private static func end(of mark: [UInt8], in source: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        while place + mark.count <= source.count {
            if source[place] == mark[0], source[place..<place + mark.count].elementsEqual(mark) {
                return place + mark.count
            }
            place += 1
        }
        return nil
    }

    private static func list<T>(_ values: [T], _ text: (T) -> String) -> String {
        "[\(values.map(text).joined(separator: ","))]"
    }

    private static func place(_ at: WorkerPlace) -> String {
        """
        {"duplicates":\(at.duplicates),"malformed":\(at.malformed),"pulled":\(at.pulled),"pushed":\(at.pushed)}
        """
    }

    private static func hot(_ id: HotId) -> String {
        "{\"count\":\(id.count),\"error\":\(id.error),\"id\":\"\(id.id)\"}"
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
