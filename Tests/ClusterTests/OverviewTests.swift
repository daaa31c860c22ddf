import Foundation
import Job
import Telemetry
import Testing
import Wire

@testable import Cluster
@testable import Scheduler

/// The one table of all processes, and the states in it, of clusters however they were started.
@Suite(.serialized) struct OverviewTests {
    /// The tables in what a process printed: the cells of each row by their title.
    private func tables(in text: String) -> [[[String: String]]] {
        var tables: [[[String: String]]] = []
        var header = ""
        for line in text.split(separator: "\n").map(String.init) {
            if line.hasPrefix("ROLE  ") {
                header = line
                tables.append([])
            } else if ["scheduler ", "server ", "worker "].contains(where: line.hasPrefix), !tables.isEmpty {
                tables[tables.count - 1].append(row(line, header))
            }
        }
        return tables
    }

    /// Numbers end where their title does, texts begin there; between two columns are two spaces.
    private func row(_ line: String, _ header: String) -> [String: String] {
        var row: [String: String] = [:]
        for title in header.split(separator: " ") {
            let begin = header.distance(from: header.startIndex, to: title.startIndex)
            if ["RANK", "PID", "INC", "STEP", "MEMORY"].contains(title) {
                let cells = line.prefix(begin + title.count).split(separator: "  ")
                row[String(title)] = cells.last.map { $0.trimmingCharacters(in: .whitespaces) }
            } else {
                let rest = line.dropFirst(begin)
                row[String(title)] = rest.hasPrefix(" ") ? "" : rest.split(separator: "  ").first.map(String.init) ?? ""
            }
        }
        return row
    }

    private func names(_ table: [[String: String]]) -> [String] {
        table.map { "\($0["ROLE"] ?? "") \($0["RANK"] ?? "")" }
    }

    private static let all = ["scheduler 0", "server 0", "server 1", "worker 0", "worker 1"]

    @Test("launch prints every process when training begins and at the end; a continued run's are restarted")
    func launch() throws {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let cluster = ["--servers", "2", "--workers", "2"]
        let first = try program.run(["launch", "job.yaml", "--run", "run", "train.max_steps=10"] + cluster)
        try #require(first.code == 0, "\(first.errors)")
        var tables = tables(in: first.errors)
        try #require(tables.count >= 2, "\(first.errors)")
        for table in [tables[0], tables[tables.count - 1]] {
            #expect(names(table) == Self.all, "\(first.errors)")
            #expect(table.allSatisfy { $0["INC"] == "1" && $0["HOST"]?.isEmpty == false }, "\(table)")
            #expect(Set(table.compactMap { $0["PID"] }).count == 5, "\(table)")
        }
        #expect(tables[0].allSatisfy { $0["STATE"] == "running" }, "\(first.errors)")
        #expect(tables[tables.count - 1].allSatisfy { $0["STATE"] == "done" && $0["STEP"] == "10" }, "\(first.errors)")
        #expect(tables[tables.count - 1].allSatisfy { $0["MEMORY"]?.contains("MB") == true }, "\(first.errors)")

        let second = try program.run(
            ["launch", "job.yaml", "--run", "run", "--continue", "train.max_steps=20"] + cluster)
        try #require(second.code == 0, "\(second.errors)")
        tables = self.tables(in: second.errors)
        try #require(tables.count >= 2, "\(second.errors)")
        #expect(names(tables[0]) == Self.all)
        #expect(tables[0].allSatisfy { $0["STATE"] == "restarted" && $0["INC"] == "2" }, "\(second.errors)")
        #expect(tables[tables.count - 1].allSatisfy { $0["STATE"] == "done" && $0["INC"] == "2" }, "\(second.errors)")
        // The same table, by another command.
        let status = try program.run("status", "run").output
        #expect(names(self.tables(in: status).first ?? []) == Self.all, "\(status)")

        let quiet = try program.run(["launch", "job.yaml", "--run", "quiet", "--quiet", "train.max_steps=5"] + cluster)
        #expect(quiet.code == 0 && self.tables(in: quiet.errors).isEmpty, "\(quiet.errors)")
    }

    @Test("a worker that is killed is lost in the last table, the others are done")
    func lost() throws {
        let cluster = try FaultyCluster()
        let launcher = try cluster.launch()
        let worker = try #require(FaultyCluster.child(of: cluster.pid(of: launcher), with: "worker --scheduler"))
        kill(worker, SIGKILL)
        #expect(cluster.end(of: launcher) == 70)
        let tables = tables(in: cluster.errors(of: launcher))
        let table = try #require(tables.last)
        let lost = table.filter { $0["STATE"] == "lost" }
        #expect(lost.map { $0["PID"] } == ["\(worker)"], "\(table)")
        #expect(table.count { $0["STATE"] == "done" } == 3, "\(table)")
    }

    @Test("a worker that dies before training begins is lost, and the one that takes its place is its second start")
    func takesThePlace() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let scheduler = try cluster.start([
            "scheduler", "job.yaml", "--listen", endpoint, "--run", "run", "cluster.servers=1", "cluster.workers=1",
        ])
        let first = try cluster.start(["worker", "--scheduler", endpoint, "--rank", "0"])
        try #require(Local.wait { cluster.lines("joined").count == 1 }, "\(cluster.errors(of: scheduler))")
        // While it lives it keeps its place.
        let other = try cluster.start(["worker", "--scheduler", endpoint, "--rank", "0"])
        #expect(cluster.end(of: other) != 0)
        #expect(
            cluster.errors(of: other).contains(
                "worker 0 has joined already, from \(ProcessInfo.processInfo.hostName), "
                    + "process \(cluster.pid(of: first))"), "\(cluster.errors(of: other))")
        kill(cluster.pid(of: first), SIGKILL)
        #expect(cluster.end(of: first) == SIGKILL)
        #expect(
            Local.wait {
                tables(in: cluster.errors(of: scheduler)).contains { table in
                    table.contains { $0["STATE"] == "lost" && $0["PID"] == "\(cluster.pid(of: first))" }
                }
            }, "\(cluster.errors(of: scheduler))")
        let second = try cluster.start(["worker", "--scheduler", endpoint, "--rank", "0"])
        try #require(Local.wait { cluster.lines("restarted").count == 1 }, "\(cluster.errors(of: scheduler))")
        let words =
            "worker 0 restarted: process \(cluster.pid(of: second)) takes the place of \(cluster.pid(of: first))"
        #expect(cluster.lines("restarted")[0].contains(words))
        #expect(
            Local.wait {
                tables(in: cluster.errors(of: scheduler)).contains { table in
                    table.contains { $0["ROLE"] == "server" && $0["STATE"] == "waiting" }
                        && table.contains { $0["ROLE"] == "worker" && $0["STATE"] == "restarted" && $0["INC"] == "2" }
                }
            }, "\(cluster.errors(of: scheduler))")
        try cluster.start(["server", "--scheduler", endpoint, "--rank", "0", "--checkpoints", "run/checkpoints"])
        #expect(cluster.end(of: scheduler) == 0, "\(cluster.errors(of: scheduler))")
        let errors = cluster.errors(of: scheduler)
        #expect(errors.contains(words))
        let last = try #require(tables(in: errors).last)
        #expect(names(last) == ["scheduler 0", "server 0", "worker 0"] && last.map { $0["INC"] } == ["1", "1", "2"])
        #expect(last.allSatisfy { $0["STATE"] == "done" }, "\(last)")
        #expect(last.map { $0["ADDRESS"] } == ["", "127.0.0.1", "127.0.0.1"], "\(last)")
    }

    @Test("the books show each member's state, address and start")
    func book() throws {
        let program = try Program()
        try program.prepareWorld(model: "base")
        let path = program.directory + "/job.yaml"
        let job = try Job(
            try ConfigReader.read(
                path: path,
                overrides: ["data.directory=\(program.directory)/world", "cluster.servers=1", "cluster.workers=4"]))
        let book = ClusterBook(job)
        #expect(book.status.nodes.map(\.state) == [.running] + Array(repeating: .waiting, count: 5))
        book.announce(attempt: 2)
        func pulse(_ role: Role, _ rank: Int, starts: Int, hasLeft: Bool = false, isLost: Bool = false) -> MemberPulse {
            let hello = Hello(role: role, host: "b", pid: 7, processor: "p", blas: "b", version: "1")
            return MemberPulse(
                member: Member(role: role, rank: rank), hello: hello, address: "10.0.0.\(rank)", starts: starts,
                step: 3, activity: "computes", silentSeconds: 0.1, hasLeft: hasLeft, isLost: isLost)
        }
        let members = [
            pulse(.server, 0, starts: 1), pulse(.worker, 0, starts: 2), pulse(.worker, 1, starts: 2, hasLeft: true),
            pulse(.worker, 2, starts: 3, isLost: true),
        ]
        _ = book.take(.pulse(members, waits: [], turnedAway: [:]))
        #expect(book.status.nodes.map(\.state) == [.restarted, .running, .restarted, .done, .lost, .waiting])
        #expect(book.status.nodes.map(\.incarnation) == [2, 1, 2, 2, 3, 0])
        #expect(book.status.nodes.map(\.address) == ["", "10.0.0.0", "10.0.0.0", "10.0.0.1", "10.0.0.2", ""])
        // Shards and workers say the same of themselves.
        var report = NodeReport()
        report.worker = WorkerReport()
        _ = book.take(.counters(Member(role: .worker, rank: 0), report))
        _ = book.take(.pulse(members, waits: [], turnedAway: [:]))
        #expect(book.status.workers.map(\.state) == [.restarted])
        _ = book.take(
            .finished(
                Outcome(
                    step: 3, reason: "all steps done", bestStep: nil, bestValidation: nil, test: nil, reports: [:])))
        #expect(book.status.nodes.map(\.state) == [.done, .done, .done, .done, .lost, .waiting])
        // A second may still pass until all have taken their leave.
        _ = book.take(.pulse(members, waits: [], turnedAway: [:]))
        #expect(book.status.nodes.map(\.state) == [.done, .done, .done, .done, .lost, .waiting])
    }

    @Test("a run knows how often it was started, also one whose number is lost")
    func starts() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(try (1...3).map { _ in try RunDirectory.countStart(in: directory) } == [1, 2, 3])
        let lines = ["joined", "started", "progress", "started"].map { "{\"event\":\"\($0)\",\"time\":1}\n" }
        try lines.joined().write(toFile: directory + "/metrics.jsonl", atomically: true, encoding: .utf8)
        for damage in ["", "many", "-1"] {
            try damage.write(toFile: directory + "/starts", atomically: true, encoding: .utf8)
            #expect(try RunDirectory.countStart(in: directory) == 3)
        }
        #expect(try RunDirectory.countStart(in: directory) == 4)
    }
}
