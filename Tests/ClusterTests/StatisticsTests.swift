import Foundation
import Telemetry
import Testing

/// A job whose counts are known beforehand, and everything that shows them.
@Suite(.serialized) struct StatisticsTests {
    /// Few enough ids that every count is exact, and nothing but training.
    private static let overrides = [
        "data.validation=", "data.test=", "checkpoint.last=false", "cluster.servers=2", "cluster.workers=3",
        "train.max_steps=30",
    ]

    private func status(_ program: Program, _ run: String) throws -> ClusterStatus {
        let path = "\(program.directory)/\(run)/status.json"
        return try TelemetryJSON.decode(
            ClusterStatus.self, from: try #require(FileManager.default.contents(atPath: path)))
    }

    @Test("a counted workload is reported exactly: pulls, pushes, rows, bytes by kind, updates, hot ids")
    func counted() throws {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let expected = try CountedWorkload(
            config: program.directory + "/job.yaml",
            overrides: Self.overrides + ["data.directory=\(program.directory)/world"])
        let result = try program.run(["launch", "job.yaml", "--run", "run"] + Self.overrides)
        #expect(result.code == 0, "\(result.errors)")
        let status = try status(program, "run")
        #expect(CountedWorkload.workers(status) == expected.workers)
        for (found, wanted) in zip(CountedWorkload.shards(status), expected.shards) {
            #expect((found.pulls, found.pulledRows) == (wanted.pulls, wanted.pulledRows))
            #expect((found.pushes, found.pushedRows) == (wanted.pushes, wanted.pushedRows))
            #expect((found.pullBytes, found.pushBytes) == (wanted.pullBytes, wanted.pushBytes))
            #expect((found.valueBytes, found.otherBytes) == (wanted.valueBytes, wanted.otherBytes))
            #expect(found.updatedRows == wanted.updatedRows)
        }
        for shard in status.shards {
            let wanted = expected.shards[shard.report.shard]
            #expect(shard.report.duplicates == 0 && shard.report.malformed.isEmpty && shard.report.garbage == 0)
            for (index, table) in shard.report.tables.enumerated() {
                #expect(table.rows == wanted.hot[index].count)
                #expect(table.hotTotal == wanted.hot[index].values.reduce(0, +))
                for entry in table.hot {
                    let truth = wanted.hot[index][entry.id] ?? 0
                    #expect(entry.count - entry.error <= truth && truth <= entry.count)
                }
                // Up to 64 ids nothing is estimated.
                if wanted.hot[index].count <= 64 {
                    #expect(Dictionary(uniqueKeysWithValues: table.hot.map { ($0.id, $0.count) }) == wanted.hot[index])
                }
            }
        }
        #expect(status.job.state == .finished && status.job.step == 30)
    }

    @Test("a scripted worker's messages are shown alike by terminal, JSON, metrics and page, while they run and after")
    func agreement() throws {
        let cluster = try FaultyCluster()
        let overrides = [
            "data.directory=\(cluster.directory)/world", "data.validation=", "data.test=", "cluster.servers=2",
            "monitor.page=127.0.0.1:\(try Local.freePort())", "train.epochs=1000", "train.max_steps=0",
        ]
        let scheduler = "ipc://\(cluster.directory)/s"
        let job = ["scheduler", "job.yaml"] + overrides
        try cluster.start(job + ["--listen", scheduler, "--run", "run"])
        for rank in 0..<2 {
            try cluster.start([
                "server", "--scheduler", scheduler, "--rank", "\(rank)", "--listen",
                "ipc://\(cluster.directory)/s\(rank)", "--checkpoints", "run/checkpoints",
            ])
        }
        let worker = try ScriptedWorker(
            config: cluster.directory + "/job.yaml", overrides: overrides, scheduler: scheduler)
        try worker.run()
        let port = try #require(UInt16(overrides[4].split(separator: ":")[1]))
        let wanted = worker.counts
        var status = ClusterStatus()
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            try worker.beat()
            status = try TelemetryJSON.decode(ClusterStatus.self, from: Data(try Web.get(port, "/api/v1/status").utf8))
            if status.shards.count == 2, status.shards.allSatisfy({ $0.report.step == worker.steps }),
                status.workers.first?.report.samples == worker.samples
            {
                break
            }
            Thread.sleep(forTimeInterval: 0.2)
        }
        // The API.
        for (shard, wanted) in zip(status.shards.map(\.report), wanted) {
            #expect((shard.pulls, shard.pulledRows, shard.rows) == (wanted.pulls, wanted.pulledRows, wanted.rows))
            #expect((shard.pushes, shard.pushedRows) == (wanted.pushes, wanted.pushedRows))
            #expect((shard.pullBytes, shard.pushBytes) == (wanted.pullBytes, wanted.pushBytes))
            #expect((shard.valueBytes, shard.otherBytes) == (wanted.valueBytes, wanted.otherBytes))
            #expect(shard.duplicates == wanted.duplicates && wanted.duplicates == 6)
            #expect((shard.malformed[0] ?? 0) == wanted.malformed)
            for (table, hot) in zip(shard.tables, wanted.hot) {
                #expect(table.hotTotal == hot.values.reduce(0, +))
                for entry in table.hot {
                    let truth = hot[entry.id] ?? 0
                    #expect(entry.count - entry.error <= truth && truth <= entry.count)
                }
            }
        }
        #expect(wanted[0].malformed == 2 && status.job.state == .running)
        try worker.beat()
        try compare(Surfaces(program: cluster.program, target: scheduler, port: port), wanted, worker, status)

        // The run's files, when nobody is left: the scheduler leaves its status every ten seconds.
        #expect(
            Local.wait {
                try? worker.beat()
                let stored = try? self.status(cluster.program, "run")
                return stored?.shards.map(\.report.step) == [worker.steps, worker.steps]
                    && stored?.workers.first?.report.samples == worker.samples
            })
        cluster.killAll()
        let dashboard = try cluster.start(["dashboard", "run", "--port", "\(port)"])
        #expect(Local.wait { (try? Web.get(port, "/healthz")) != nil }, "\(cluster.errors(of: dashboard))")
        try compare(Surfaces(program: cluster.program, target: "run", port: port), wanted, worker, status)
    }

    /// Where the same numbers have to show.
    private struct Surfaces {
        let program: Program
        let target: String
        let port: UInt16
    }

    private func compare(
        _ surfaces: Surfaces, _ wanted: [ScriptedWorker.Counts], _ worker: ScriptedWorker, _ status: ClusterStatus
    ) throws {
        let program = surfaces.program
        let metrics = try Web.get(surfaces.port, "/metrics")
        let page = try Web.get(surfaces.port, "/")
        for (shard, wanted) in wanted.enumerated() {
            // The terminal, as table and as JSON.
            let detail = try program.run("shards", surfaces.target, "--shard", "\(shard)").output
            let lines = detail.replacingOccurrences(of: ",", with: "").split(separator: "\n")
            for (name, numbers) in [
                ("pulls ", ["\(wanted.pulls) ", "\(wanted.pulledRows) rows"]),
                ("pushes ", ["\(wanted.pushes) ", "\(wanted.pushedRows) rows", "\(wanted.duplicates) duplicates"]),
                ("received ", ["\(wanted.pullBytes + wanted.pushBytes) B"]),
                ("sent ", ["\(wanted.valueBytes + wanted.otherBytes) B"]),
            ] {
                let line = lines.first { $0.hasPrefix(name) } ?? ""
                for number in numbers { #expect(line.contains(" \(number)"), "\(number) in \(line)") }
            }
            // Prometheus.
            for (name, value) in [
                ("myriad_pull_requests_total", wanted.pulls), ("myriad_pulled_rows_total", wanted.pulledRows),
                ("myriad_push_requests_total", wanted.pushes), ("myriad_pushed_rows_total", wanted.pushedRows),
                ("myriad_push_duplicates_total", wanted.duplicates),
                ("myriad_malformed_messages_total", wanted.malformed),
            ] {
                #expect(metrics.contains("\(name){shard=\"\(shard)\"} \(value)\n"), "\(name) \(value)")
            }
            // The page, in the cells of this shard.
            let cells = Web.values(in: page, row: "data-shard=\"\(shard)\"")
            #expect(
                cells.filter { Self.counted.contains($0.key) } == [
                    "pulls": wanted.pulls, "pulled_rows": wanted.pulledRows, "pushes": wanted.pushes,
                    "pushed_rows": wanted.pushedRows, "pull_bytes": wanted.pullBytes, "push_bytes": wanted.pushBytes,
                    "value_bytes": wanted.valueBytes, "other_bytes": wanted.otherBytes,
                    "duplicates": wanted.duplicates, "malformed": wanted.malformed, "rows": wanted.rows,
                ])
        }
        let cells = Web.values(in: page, row: "data-worker=\"0\"")
        #expect(cells["samples"] == worker.samples && cells["steps"] == worker.steps)
        try compareHotIds(surfaces, wanted, page, status)
        let json = try program.run("shards", surfaces.target, "-o", "json").output
        #expect(json.contains("\"push_bytes\" : \(wanted[0].pushBytes)"))
    }

    /// Cells of the page whose counts the script knows.
    private static let counted: Set = [
        "pulls", "pulled_rows", "pushes", "pushed_rows", "pull_bytes", "push_bytes", "value_bytes", "other_bytes",
        "duplicates", "malformed", "rows",
    ]

    /// The hottest ids: of their true counts, wherever they are shown.
    private func compareHotIds(
        _ surfaces: Surfaces, _ wanted: [ScriptedWorker.Counts], _ page: String, _ status: ClusterStatus
    ) throws {
        let table = try #require(status.tables.firstIndex { $0.name == "item" })
        let truth = wanted.map { $0.hot[table] }.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
        let hottest = truth.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5)
        let lines = try surfaces.program.run("hotkeys", surfaces.target, "--table", "item", "-k", "5").output
        let answer = try Web.get(surfaces.port, "/api/v1/hotkeys?table=item&k=5")
        for (id, count) in hottest {
            #expect(
                lines.split(separator: "\n").contains { $0.contains(" \(id) ") && $0.contains(" \(count) ") },
                "\(lines)")
            #expect(answer.contains("\"count\":\(count),\"error\":0,\"id\":\"\(id)\""), "\(answer)")
            #expect(Web.values(in: page, row: "data-table=\"item\" data-id=\"\(id)\"")["count"] == count)
        }
    }
}
