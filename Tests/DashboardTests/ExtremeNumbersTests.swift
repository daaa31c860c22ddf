import Foundation
import Synchronization
import Telemetry
import Testing

@testable import Cluster
@testable import Display

/// Any number in any field of what a run leaves behind: a page, a table or a message, never a trap.
@Suite("Numbers that no counter can have", .serialized)
struct ExtremeNumbersTests {
    /// What is put in place of a field: JSON, because some of it is no number.
    static let values: [String] = [
        "-9223372036854775808", "-1", "9223372036854775807", "1e308", "\"nan\"", "null", "\"x\"",
    ]

    /// A place in JSON: names and numbers from the outside in.
    typealias Path = [any Sendable]

    /// Every number of a value, of lists those of the first entry.
    static func numbers(in value: Any, at path: Path = []) -> [Path] {
        switch value {
        case let object as [String: Any]:
            object.sorted { $0.key < $1.key }.flatMap { numbers(in: $0.value, at: path + [$0.key]) }
        case let list as [Any]: list.prefix(1).indices.flatMap { numbers(in: list[$0], at: path + [$0]) }
        case is NSNumber: [path]
        default: []
        }
    }

    /// A value with another one at a place.
    static func replaced(_ value: Any, at path: Path, by new: Any) -> Any {
        guard let first = path.first else { return new }
        let rest = Array(path.dropFirst())
        if let name = first as? String, var object = value as? [String: Any], let old = object[name] {
            object[name] = replaced(old, at: rest, by: new)
            return object
        }
        if let place = first as? Int, var list = value as? [Any] {
            list[place] = replaced(list[place], at: rest, by: new)
            return list
        }
        return value
    }

    /// The smallest status in which everything is there.
    static func status() throws -> ClusterStatus {
        var status = SimulatedCluster(shards: 1, workers: 1).status(after: 125)
        status.failure = AnswerTests.failure
        status.job.scheduler = ""
        status.job.auxiliaryLoss = 0.5
        for shard in status.shards.indices {
            status.shards[shard].report.refused = ["stepPassed": 3, "another": 4]
            status.shards[shard].report.malformed = [-1: 2, 0: 3, 1: 2]
            status.shards[shard].report.parked = [ParkedPull(worker: 0, step: 7, seconds: 2)]
            status.shards[shard].report.missing = [0, 2, 4, 8]
            status.shards[shard].report.microBatches = 8
            status.shards[shard].report.checkpoint = status.job.checkpoint
            for table in status.shards[shard].report.tables.indices {
                status.shards[shard].report.tables[table].hot = Array(
                    status.shards[shard].report.tables[table].hot.prefix(2))
            }
        }
        status.shards[0].report.tables = Array(status.shards[0].report.tables.prefix(1))
        status.tables = Array(status.tables.prefix(1))
        for table in status.tables.indices { status.tables[table].hot = Array(status.tables[table].hot.prefix(2)) }
        for node in status.nodes.indices { status.nodes[node].turnedAway = ["plaintext": 1, "garbage": 2] }
        status.events = Array(status.events.prefix(3))
        status.evaluations = Array(status.evaluations.prefix(2))
        return status
    }

    /// Shows a status in every way that there is.
    ///
    /// - Returns: what is not whole.
    static func show(_ status: ClusterStatus, before: ClusterStatus) -> [String] {
        let moment = Moment(now: 1_764_087_990, isLive: false)
        // Given up: what follows from the reports is made anew.
        let closed = Abandonment.closed(status, at: 1_900_000_000) ?? status
        var lines = Scene(closed, at: moment, width: 200).whole
        lines += Scene(closed, at: moment, width: 200).shards + Scene(status, at: moment, width: 200).whole
        lines += Scene(status, at: moment, width: 200).shards + Scene(status, width: 200).workers
        lines += Scene(status, width: 100).waits
        for shard in status.shards { lines += Scene(status, at: moment, width: 120).shard(shard) }
        for table in status.tables { lines += Scene(status, width: 80).hotIds(table, count: 5) }
        lines.append(StatView.line(StatPoint(status, since: before), width: 200))
        var view = TopView()
        lines += view.frame(Scene(status, at: moment, width: 120), series: [], height: 40)
        let whole = StatusJSON.whole(status) { StatusJSON.section($0, of: status) }
        let run = RecordedRun(name: "run", status: status, points: [], config: "")
        return [
            lines.count > 20 ? nil : "views", Page(status).markup.text.hasSuffix("</html>\n") ? nil : "page",
            Prometheus.text(status).hasSuffix("\n") ? nil : "metrics",
            (try? JSONSerialization.jsonObject(with: whole)) != nil ? nil : "json",
            Report([run]).html.hasSuffix("</html>\n") ? nil : "report",
        ].compactMap(\.self)
    }

    @Test("Each number of a status.json at each extreme, through every view, page, text and report")
    func everyNumberOfAStatus() throws {
        let before = try Self.status()
        nonisolated(unsafe) let object = try JSONSerialization.jsonObject(with: TelemetryJSON.encode(before))
        let paths = Self.numbers(in: object)
        #expect(paths.count > 190)
        let tried = Mutex<(shown: Int, refused: Int, problems: [String])>((0, 0, []))
        DispatchQueue.concurrentPerform(iterations: paths.count) { index in
            for text in Self.values {
                guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed),
                    let data = try? JSONSerialization.data(
                        withJSONObject: Self.replaced(object, at: paths[index], by: value))
                else { continue }
                do {
                    let status = try TelemetryJSON.decode(ClusterStatus.self, from: data)
                    let complaints = Self.show(status, before: before)
                    tried.withLock {
                        $0.shown += 1
                        $0.problems += complaints
                    }
                } catch {
                    let name = paths[index].last { $0 is String }.map { "\($0)" } ?? ""
                    let problem = TelemetryJSON.problem(error)
                    // Of a number that fits no integer the decoder does not say where it stands.
                    let isTold =
                        problem.replacing("_", with: "").lowercased().contains(
                            name.replacing("_", with: "").lowercased())
                        || problem.contains("a number that does not fit")
                    tried.withLock {
                        $0.refused += 1
                        if !isTold { $0.problems.append("\(paths[index]) = \(text): \(problem)") }
                    }
                }
            }
        }
        let (shown, refused, problems) = tried.withLock { $0 }
        #expect(shown > 500 && refused > 500)
        #expect(problems == [])
    }

    @Test("All numbers of a status.json at one extreme: sums do not overflow, and the program says what it sees")
    func allNumbersAtOnce() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let object = try JSONSerialization.jsonObject(with: TelemetryJSON.encode(try Self.status()))
        for text in Self.values.prefix(4) + ["0", "9007199254740992"] {
            let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            var changed = object
            for path in Self.numbers(in: object) {
                let one = Self.replaced(changed, at: path, by: value)
                let data = try JSONSerialization.data(withJSONObject: one)
                if (try? TelemetryJSON.decode(ClusterStatus.self, from: data)) != nil { changed = one }
            }
            let data = try JSONSerialization.data(withJSONObject: changed)
            #expect(
                Self.show(try TelemetryJSON.decode(ClusterStatus.self, from: data), before: try Self.status()) == [])
            try data.write(to: directory.appending(path: "status.json"))
            for command in ["status", "shards", "waits"] {
                let result = try Tool.run([LiveWorld.program, command, directory.path])
                #expect(result.code == 0, "\(command) with \(text): \(result.output)")
            }
        }
        try Data(#"{"schema":2,"time":"noon"}"#.utf8).write(to: directory.appending(path: "status.json"))
        let result = try Tool.run([LiveWorld.program, "status", directory.path])
        #expect(result.code == 65 && result.output.contains("time: "), "\(result.output)")
    }

    @Test("Each number of each line of metrics.jsonl at each extreme, as a report and as curves")
    func everyNumberOfARecord() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let lines = [
            #"{"event":"started","time":1764087970,"nodes":4}"#,
            #"{"event":"progress","time":1764087971,"step":3,"samples":96,"samples_per_second":96,"loss":0.6,"auxiliary_loss":0.1,"auc":0.6,"rows":90,"received_bytes_per_second":1000,"sent_bytes_per_second":2000,"read":0.1,"wait":0.2,"compute":0.6,"push":0.1}"#,
            #"{"event":"progress","time":1764087972,"step":6,"samples":192,"samples_per_second":96,"loss":0.5,"auxiliary_loss":0.1,"auc":0.7,"rows":95,"received_bytes_per_second":1000,"sent_bytes_per_second":2000,"read":0.1,"wait":0.2,"compute":0.6,"push":0.1}"#,
            #"{"event":"evaluated","time":1764087973,"split":"validation","step":6,"samples":192,"auc":0.7,"gauc":0.6,"log_loss":0.5,"calibration":1}"#,
            #"{"event":"checkpoint","time":1764087974,"step":6,"path":"step-6","seconds":0.1,"bytes":1000}"#,
            #"{"event":"finished","time":1764087975,"step":6,"samples_per_second":96,"test_auc":0.7}"#,
        ]
        for (number, line) in lines.enumerated() {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            for path in Self.numbers(in: object) {
                for text in Self.values {
                    let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
                    var all = lines
                    all[number] = String(
                        decoding: try JSONSerialization.data(
                            withJSONObject: Self.replaced(object, at: path, by: value)),
                        as: UTF8.self)
                    try all.joined(separator: "\n").write(
                        to: directory.appending(path: "metrics.jsonl"), atomically: false, encoding: .utf8)
                    let run = try RecordedRun(directory: directory.path)
                    #expect(Report([run]).html.hasSuffix("</html>\n"))
                    if let curve = try? Curves.Curve(run: directory.path) {
                        #expect(Curves.draw([curve]).hasSuffix("</svg>\n"))
                    }
                    _ = Record.series(in: directory.path)
                }
            }
        }
    }
}
