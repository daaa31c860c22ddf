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
        case .lag: lag(status.lag)
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
        let holes: [(String, (inout [UInt8]) -> Void)] = shards.flatMap { shard in
            shard.report.tables.map { table in ("hot", { hot(table.hot, into: &$0) }) }
                + [("workers", { places(shard.report.workers, into: &$0) })]
        }
        return filled(json(bare), holes) ?? json(shards)
    }

    private static func workers(_ workers: [WorkerStatus]) -> Data {
        var bare = workers
        for index in bare.indices {
            bare[index].blockedBy = []
            bare[index].report.waitByShard = []
        }
        let holes: [(String, (inout [UInt8]) -> Void)] = workers.flatMap { worker in
            [
                ("blocked_by", { numbers(worker.blockedBy, into: &$0) }),
                ("wait_by_shard", { numbers(worker.report.waitByShard, into: &$0) }),
            ]
        }
        return filled(json(bare), holes) ?? json(workers)
    }

    private static func lag(_ rows: [[Int]]) -> Data {
        var bytes: [UInt8] = []
        list(rows, into: &bytes) { row, bytes in list(row, into: &bytes) { digits($0, into: &$1) } }
        return Data(bytes)
    }

    /// Puts what is written by hand where empty lists stand under its name, one after the other.
    ///
    /// Within a text the quotes would be escaped: what looks like a member is one.
    private static func filled(_ data: Data, _ holes: [(name: String, write: (inout [UInt8]) -> Void)]) -> Data? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count * 4)
        let isWhole = data.withUnsafeBytes { source in
            var start = 0
            for hole in holes {
                guard let end = self.end(of: Array("\"\(hole.name)\":[]".utf8), in: source, from: start) else {
                    return false
                }
                bytes += source[start..<end - 2]
                hole.write(&bytes)
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

    private static func list<T>(_ values: [T], into bytes: inout [UInt8], _ write: (T, inout [UInt8]) -> Void) {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(value, &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private static func places(_ places: [WorkerPlace], into bytes: inout [UInt8]) {
        list(places, into: &bytes) { place, bytes in
            bytes += "{\"duplicates\":".utf8
            digits(place.duplicates, into: &bytes)
            bytes += ",\"malformed\":".utf8
            digits(place.malformed, into: &bytes)
            bytes += ",\"pulled\":".utf8
            digits(place.pulled, into: &bytes)
            bytes += ",\"pushed\":".utf8
            digits(place.pushed, into: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func hot(_ ids: [HotId], into bytes: inout [UInt8]) {
        list(ids, into: &bytes) { hot, bytes in
            bytes += "{\"count\":".utf8
            digits(hot.count, into: &bytes)
            bytes += ",\"error\":".utf8
            digits(hot.error, into: &bytes)
            bytes += ",\"id\":\"\(hot.id)\"}".utf8
        }
    }

    private static func numbers(_ values: [Double], into bytes: inout [UInt8]) {
        list(values, into: &bytes) { value, bytes in
            if value.isFinite {
                let text = value.description
                bytes += text.hasSuffix(".0") ? text.dropLast(2).utf8 : text[...].utf8
            } else {
                bytes += value.isNaN ? "\"nan\"".utf8 : value > 0 ? "\"inf\"".utf8 : "\"-inf\"".utf8
            }
        }
    }

    private static func digits(_ value: Int, into bytes: inout [UInt8]) { bytes += String(value).utf8 }
}
