import Display
import Foundation
import Processes
import Telemetry
import Testing

/// The commands that look at a job, on real runs: what they print is what `status.json` and the scheduler say.
@Suite(.serialized) struct LookTests {
    private func status(_ text: String) throws -> ClusterStatus {
        try TelemetryJSON.decode(ClusterStatus.self, from: Data(text.utf8))
    }

    /// The cells of the row that begins with a text.
    private func row(_ first: String, of text: String) throws -> [String] {
        let rows = text.split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        return try #require(rows.first { $0.first == first }, "no row \(first) in \(text)")
    }

    @Test("of a finished run, table and JSON show the numbers of its status.json")
    func finished() throws {
        let program = try Program()
        try program.prepareWorld()
        var result = try program.run("launch", "job.yaml", "--servers", "2", "--workers", "2", "--run", "runs/a")
        try #require(result.code == 0, "\(result.errors)")
        let stored = try status(try String(contentsOfFile: program.directory + "/runs/a/status.json", encoding: .utf8))
        #expect(stored.job.state == .finished && stored.shards.count == 2 && stored.workers.count == 2)

        // Named, or the newest: the same.
        for target in [["runs/a"], []] {
            result = try program.run(["status"] + target + ["-o", "json"])
            #expect(result.code == 0)
            #expect(try status(result.output) == stored)
        }
        result = try program.run("status")
        #expect(result.output.hasPrefix("a  finished  step 50 of 50"))
        #expect(result.output.contains("finished at \(Quantity.date(stored.job.ended))"))
        #expect(result.output.contains("limited by   \(stored.limitedBy)"))

        let shards = try program.run("shards").output
        for shard in stored.shards {
            let cells = try row(String(shard.report.shard), of: shards)
            let report = shard.report
            for cell in [
                Quantity.count(report.rows), Quantity.bytes(report.bytes.used + report.denseBytes),
                Quantity.rate(shard.pullsPerSecond), Quantity.rate(shard.pushesPerSecond),
                Quantity.megabytes(shard.receivedBytesPerSecond), Quantity.percent(shard.busy),
                "\(Quantity.milliseconds(report.pullSeconds.p50))/\(Quantity.milliseconds(report.pullSeconds.p99))",
            ] {
                #expect(cells.contains(cell), "\(cell) in \(cells)")
            }
            let detail = try program.run("shards", "--shard", String(report.shard)).output
            for part in [
                "pulls        \(Quantity.exact(report.pulls)) (", "\(Quantity.exact(report.pulledRows)) rows, ",
                "pushes       \(Quantity.exact(report.pushes)) (", "\(Quantity.exact(report.duplicates)) duplicates",
                "received     \(Quantity.exact(report.receivedBytes)) B", "\(Quantity.exact(report.sentBytes)) B",
            ] + report.tables.map({ Quantity.exact($0.rows) }) {
                #expect(detail.contains(part), "\(part) in \(detail)")
            }
        }
        #expect(shards.contains("skew (largest/mean): rows \(Quantity.ratio(stored.skew.rows))"))

        let workers = try program.run("workers").output
        for worker in stored.workers {
            let cells = try row(String(worker.rank), of: workers)
            #expect(
                cells.contains(Quantity.rate(worker.samplesPerSecond)) && cells.contains(Quantity.percent(worker.wait)))
        }
        let hot = try program.run("hotkeys", "--table", "item", "-k", "3").output.split(separator: "\n")
        let item = try #require(stored.tables.first { $0.name == "item" })
        #expect(hot.count == 2 + 1 + 3)
        for (line, id) in zip(hot.suffix(3), item.hot) {
            #expect(line.contains(id.id) && line.contains(Quantity.exact(id.count)), "\(line) \(id)")
        }

        result = try program.run("stat", "-o", "json")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 1 && result.errors.contains("rates are means over"))
        let point = try TelemetryJSON.decode(StatPoint.self, from: Data(try #require(lines.first).utf8))
        #expect(point.step == 50 && point.rows == stored.shards.reduce(0) { $0 + $1.report.rows })
        #expect(point.pullsPerSecond == stored.shards.reduce(0) { $0 + $1.pullsPerSecond })

        // Without a terminal top prints once, without colors, within COLUMNS.
        let narrow = try program.run(["top"], environment: ["COLUMNS": "60"])
        #expect(narrow.code == 0 && narrow.output.contains("SHARD") && !narrow.output.contains("\u{1b}"))
        for line in narrow.output.split(separator: "\n") { #expect(Glyphs.width(of: String(line)) <= 60) }
        try mistakes(program)
    }

    private func mistakes(_ program: Program) throws {
        for (arguments, code, text) in [
            (["status", "nowhere"], 65, "nowhere: holds no readable status.json"),
            (["shards", "tcp://127.0.0.1:1"], 69, "does not answer"),
            (["workers", "tcp//127.0.0.1"], 65, "holds no readable status.json"),
            (["top", "strange://x"], 65, "an endpoint is tcp://host:port"),
            (["shards", "--shard", "7"], 64, "there is no shard 7: they are 0 to 1"),
            (["hotkeys", "--table", "none"], 64, "there is no table 'none': they are user, item, category"),
            (["logs", "--grep", "(unclosed"], 64, "'(unclosed' is no regular expression: expected ')'"),
            (["logs", "--role", "boss"], 64, "--role is scheduler, server or worker"),
            (["stat", "-i", "0"], 64, "--interval has to be between"),
        ] as [([String], Int32, String)] {
            let result = try program.run(arguments)
            #expect(result.code == code && result.errors.contains(text), "\(arguments): \(result)")
            #expect(result.output.isEmpty)
        }
    }

    @Test("what is no file in a file's place is named in our words, and neither waited for nor removed")
    func places() throws {
        let program = try Program()
        for run in ["pipes", "directories"] {
            try FileManager.default.createDirectory(
                atPath: "\(program.directory)/\(run)", withIntermediateDirectories: true)
            for name in ["status.json", "metrics.jsonl", "config.yaml"] {
                let path = "\(program.directory)/\(run)/\(name)"
                if run == "pipes" { #expect(mkfifo(path, 0o600) == 0) } else { #expect(mkdir(path, 0o700) == 0) }
            }
        }
        try FileManager.default.createDirectory(
            atPath: program.directory + "/plain", withIntermediateDirectories: true)
        for (name, text) in [
            ("a.inter", ""), ("job.yaml", "data: {directory: nowhere}"),
            (
                "plain/metrics.jsonl",
                #"{"event": "evaluated", "time": 1, "split": "validation", "samples": 1, "auc": 1}"#
            ),
        ] {
            try text.write(toFile: program.directory + "/" + name, atomically: true, encoding: .utf8)
        }
        for run in ["pipes", "directories"] {
            for (arguments, code, text) in [
                (["status", run], 65, "\(run)/status.json is not a regular file"),
                (["report", run], 65, "\(run)/metrics.jsonl is not a regular file"),
                (["curves", run], 65, "\(run)/metrics.jsonl is not a regular file"),
                (["config", "check", run + "/config.yaml"], 65, "\(run)/config.yaml is not a regular file"),
                (
                    ["prepare", "delimited", "a.inter", "-o", "o", "--schema", run + "/config.yaml"], 65,
                    "\(run)/config.yaml is not a regular file"
                ),
                (["curves", "plain", "-o", run], 65, "\(run): cannot be written: Is a directory"),
                (["report", "plain", "-o", run], 65, "\(run): cannot be written: Is a directory"),
                (["render", "kubernetes", "job.yaml", "-o", run], 65, "\(run): cannot be written: Is a directory"),
            ] as [([String], Int32, String)] {
                let result = try program.run(arguments)
                #expect(result.code == code && result.errors.contains(text), "\(arguments): \(result)")
            }
            #expect(FileManager.default.fileExists(atPath: "\(program.directory)/\(run)/status.json"))
        }
        let homeless = try program.run("keys", "create", "--keys", "/dev/null/keys")
        #expect(homeless.code == 77 && homeless.errors.contains("/dev/null/keys: cannot be made ("), "\(homeless)")
    }

    @Test("a running job is shown live: stat's lines go on, logs follow until it ends, its end is told")
    func live() throws {
        let program = try Program()
        try program.prepareWorld()
        let job = try program.start([
            "launch", "job.yaml", "--run", "runs/b", "--servers", "1", "--workers", "2", "train.max_steps=0",
            "train.epochs=100000",
        ])
        defer { job.terminate() }
        let deadline = ContinuousClock.now + .seconds(60)
        var now = ClusterStatus()
        // Rates need two reports of a node.
        func isUnderWay() -> Bool { now.job.step >= 10 && now.shards.contains { $0.pullsPerSecond > 0 } }
        while !isUnderWay(), .now < deadline {
            if let text = try? program.run("status", "runs/b", "-o", "json").output, let read = try? status(text) {
                now = read
            }
        }
        try #require(isUnderWay() && now.job.state == .running)
        // Its own address serves as well as its directory.
        #expect(try status(try program.run("status", now.job.scheduler, "-o", "json").output).job.id == now.job.id)
        // A second may pass without a pull, in a checkpoint say: the lines go on until they show some.
        var points: [StatPoint] = []
        repeat {
            let lines = try program.run("stat", "-i", "0.2", "--count", "3", "-o", "json").output
            points = try lines.split(separator: "\n").map {
                try TelemetryJSON.decode(StatPoint.self, from: Data($0.utf8))
            }
            try #require(points.count == 3)
            #expect(points[0].time < points[1].time && points[1].time < points[2].time)
        } while !points.contains { $0.samplesPerSecond > 0 && $0.pullsPerSecond > 0 } && .now < deadline
        #expect(points.contains { $0.samplesPerSecond > 0 && $0.pullsPerSecond > 0 })
        #expect(points[0].step >= 10 && points[0].step <= points[2].step)

        let log = program.directory + "/runs/b/logs"
        try "first line\n\u{1b}[2Jsecond warning\n".write(
            toFile: log + "/worker-7.log", atomically: true, encoding: .utf8)
        let output = program.directory + "/follow.txt"
        try Data().write(to: URL(filePath: output))
        let handle = try FileHandle(forWritingTo: URL(filePath: output))
        let follow = try program.start(["logs", "-f", "--grep", "warn|late", "--tail", "1"], output: handle)
        func followed(_ text: String) -> Bool {
            let deadline = ContinuousClock.now + .seconds(30)
            while .now < deadline {
                if (try? String(contentsOfFile: output, encoding: .utf8))?.contains(text) == true { return true }
                Thread.sleep(forTimeInterval: 0.05)
            }
            return false
        }
        #expect(followed("worker 7  | ␛[2Jsecond warning\n"))
        // A file that appears later.
        try "too late\n".write(toFile: log + "/server-9.log", atomically: true, encoding: .utf8)
        #expect(followed("server 9  | too late\n"))
        // What comes between two looks is shown whole: --tail is of what was there before.
        let more = try FileHandle(forWritingTo: URL(filePath: log + "/server-9.log"))
        try more.seekToEnd()
        try more.write(contentsOf: Data("late a\nlate b\nlate c\n".utf8))
        #expect(followed("server 9  | late a\nserver 9  | late b\nserver 9  | late c\n"))
        job.terminate()
        job.waitUntilExit()
        follow.waitUntilExit()
        #expect(follow.terminationStatus == 0)
        #expect(try program.run("status").output.hasPrefix("b  stopped  step "))
        #expect(
            try program.run("logs", "--role", "worker", "--rank", "7", "--tail", "1").output
                == "worker 7 | ␛[2Jsecond warning\n")
    }
}
