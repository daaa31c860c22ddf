import Foundation
import Wire

/// How fast bytes go between everybody who measured and every shard.
struct SpeedMatrix: Codable, Sendable, Equatable {
    /// What one process measured.
    struct Row: Codable, Sendable, Equatable {
        /// "doctor", "worker 3".
        var who: String
        var host: String
        /// By shard.
        var paths: [PathSpeed] = []
        /// Why it did not measure.
        var problem: String?
        /// MB a second of training with all shards over the last seconds, as a worker reports it.
        var trafficMegabytesPerSecond: Double?
        /// Share of its waiting in which each shard was the last to answer, as a worker reports it.
        var blockedBy: [Double]?
    }

    /// By who measured.
    var rows: [Row] = []

    /// One way of one row.
    private typealias Pair = (row: Row, path: PathSpeed)

    private var pairs: [Pair] { rows.flatMap { row in row.paths.map { (row, $0) } } }

    /// Adds a row, or the better figures of a row that has been measured before.
    mutating func take(_ row: Row) {
        guard let index = rows.firstIndex(where: { $0.who == row.who }) else {
            rows.append(row)
            return
        }
        for path in row.paths {
            guard let place = rows[index].paths.firstIndex(where: { $0.shard == path.shard }) else { continue }
            rows[index].paths[place].better(path)
        }
    }

    /// Who has ways that are much slower than others.
    var suspects: Set<String> {
        Set((slow(\.sentMegabytesPerSecond) + slow(\.receivedMegabytesPerSecond)).map(\.pair.row.who))
    }

    // MARK: Judgement

    /// What is wrong with ways, or that nothing is.
    var findings: [Finding] {
        var found = rows.compactMap { row in
            row.problem.map { problem in
                Finding(
                    row.who, .fail, "on \(row.host) did not measure: \(problem)",
                    remedy: "look at its log (`myriad logs`) and at what it waits for (`myriad stat`), and ask again")
            }
        }
        found += pairs.filter { $0.path.roundTripMicroseconds == nil }.map { row, path in
            Finding(
                "shard \(path.shard)", .fail, "\(path.endpoint) does not answer \(row.who) on \(row.host)",
                remedy: "look whether its server lives (`myriad stat`), at the address it was given with --listen, "
                    + "and at firewalls between the two machines")
        }
        for (way, speeds) in [("to", \PathSpeed.sentMegabytesPerSecond), ("from", \.receivedMegabytesPerSecond)] {
            found += slow(speeds).map { pair, speed, median in
                Finding(
                    pair.row.who, .warn,
                    "\(number(speed)) MB/s \(way) shard \(pair.path.shard) (\(pair.row.host), \(pair.path.endpoint)), "
                        + "but \(number(median)) MB/s is the median",
                    remedy: "look at the network between the two, and at what else runs on both machines")
            }
        }
        let measured = pairs.count { $0.path.roundTripMicroseconds != nil }
        if found.isEmpty, measured > 0 {
            found.append(Finding("speeds", .pass, "\(measured) ways to shards answer, none far slower than the others"))
        }
        return found
    }

    /// The ways at less than a third of the median.
    private func slow(_ speed: KeyPath<PathSpeed, Double?>) -> [(pair: Pair, speed: Double, median: Double)] {
        let known = pairs.compactMap { pair in pair.path[keyPath: speed].map { (pair: pair, speed: $0) } }
        let sorted = known.map(\.speed).sorted()
        guard sorted.count > 1 else { return [] }
        let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        return known.filter { $0.speed < median / 3 }.map { ($0.pair, $0.speed, median) }
    }

    // MARK: Print

    /// The matrix as a person reads it.
    var lines: [String] {
        let shards = rows.map(\.paths.count).max() ?? 0
        guard shards > 0 else { return [] }
        let width = max(12, 2 + (rows.map(\.who.count).max() ?? 0))
        var lines = ["MB/s to each shard / from it, round trip (one way at a time, best of several messages)"]
        lines.append(
            "".padding(to: width) + (0..<shards).map { "shard \($0)".padding(to: 26) }.joined()
                + "training now")
        for row in rows {
            let cells = (0..<shards).map { shard in
                row.paths.first { $0.shard == shard }.map(cell) ?? "-"
            }
            let traffic = row.trafficMegabytesPerSecond.map { "\(number($0)) MB/s in all" } ?? ""
            lines.append(row.who.padding(to: width) + cells.map { $0.padding(to: 26) }.joined() + traffic)
        }
        return lines.map { String($0.reversed().drop { $0 == " " }.reversed()) }
    }

    private func cell(_ path: PathSpeed) -> String {
        func speed(_ value: Double?) -> String { value.map { number($0) } ?? "-" }
        guard let trip = path.roundTripMicroseconds else { return "no answer" }
        return "\(speed(path.sentMegabytesPerSecond)) / \(speed(path.receivedMegabytesPerSecond)), "
            + (trip < 10_000 ? "\(Int(trip)) µs" : "\(Int(trip / 1000)) ms")
    }

    private func number(_ value: Double) -> String { String(format: value < 10 ? "%.1f" : "%.0f", value) }
}

extension PathSpeed {
    /// Keeps the better of two measurements of the same way.
    mutating func better(_ other: PathSpeed) {
        let all = [self, other]
        sentMegabytesPerSecond = all.compactMap(\.sentMegabytesPerSecond).max()
        receivedMegabytesPerSecond = all.compactMap(\.receivedMegabytesPerSecond).max()
        roundTripMicroseconds = all.compactMap(\.roundTripMicroseconds).min()
    }
}
