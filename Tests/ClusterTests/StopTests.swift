import Foundation
import Telemetry
import Testing

@testable import Cluster

/// Real processes that are stopped in order and go on.
///
/// No test knows how fast the machine is: training has no end of its own until it was stopped often enough, and then gets
/// one a few steps ahead.
@Suite(.serialized) struct StopTests {
    /// Training that does not end by itself, scored every 10 steps, with a checkpoint every 35.
    private static let endless = [
        "train.max_steps=0", "train.epochs=100000", "train.evaluate_every=10", "checkpoint.every=35",
        "monitor.page=off",
    ]

    /// What a job says of its best state, without its speed.
    private func verdict(_ output: String) -> [String] {
        output.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("finished after") || $0.hasPrefix("best validation") || $0.hasPrefix("test:")
        }
    }

    /// The step at which a process says that it stopped.
    private func step(_ errors: String) throws -> Int {
        let line = try #require(
            errors.split(separator: "\n").first { $0.hasPrefix("stopped after step ") }, "\(errors)")
        return try #require(Int(line.dropFirst(19).prefix { $0.isNumber }))
    }

    private func status(_ cluster: FaultyCluster, _ run: String = "run") throws -> ClusterStatus {
        let data = try #require(FileManager.default.contents(atPath: "\(cluster.directory)/\(run)/status.json"))
        return try TelemetryJSON.decode(ClusterStatus.self, from: data)
    }

    /// Starts a command on the run, or goes on with it, and waits until it has scored something.
    private func begin(_ cluster: FaultyCluster, _ arguments: [String]) throws -> Int {
        let before = cluster.lines("evaluated").count
        let number = try cluster.start(arguments + Self.endless + ["--run", "run", "--continue"])
        try #require(Local.wait { cluster.lines("evaluated").count > before }, "\(cluster.errors(of: number))")
        return number
    }

    /// Goes on to `steps` after the last stop and compares with a run that nobody interrupted.
    private func finish(_ cluster: FaultyCluster, after step: Int, _ arguments: [String] = ["launch"]) throws {
        let last = "train.max_steps=\(step + 13)"
        let command = arguments + ["job.yaml"] + Self.endless + [last, "--run", "run", "--continue"]
        let end = try cluster.program.run(command)
        #expect(end.code == 0, "\(end.errors)")
        let reference = try cluster.program.run(
            ["train", "job.yaml"] + Self.endless + [last, "--run", "reference"])
        #expect(reference.code == 0, "\(reference.errors)")
        let digest = try cluster.program.digest("reference")
        #expect(try cluster.program.digest("run") == digest && digest.hasPrefix("sha256"), "\(digest)")
        #expect(verdict(end.output) == verdict(reference.output) && verdict(end.output).count == 3, "\(end.output)")
        let again = try cluster.program.run(command)
        #expect(again.code == 0 && again.output.hasPrefix("run is finished\nfinished after step \(step + 13)\n"))
        #expect(again.output.contains("best validation: AUC") && again.output.contains("\ntest: AUC"))
    }

    @Test("a job that is stopped again and again, on other clusters each time, ends with the same bits and verdicts")
    func again() throws {
        let cluster = try FaultyCluster()
        var last = 0
        let attempts: [(arguments: [String], signal: Int32, code: Int32, words: String)] = [
            (["launch", "job.yaml", "--servers", "2", "--workers", "2"], SIGTERM, 143, "at SIGTERM"),
            (["train", "job.yaml", "cluster.servers=3"], SIGINT, 130, "by Ctrl-C"),
            (["launch", "job.yaml", "--servers", "1", "--workers", "3"], SIGINT, 130, "by Ctrl-C"),
            (["train", "job.yaml"], SIGHUP, 143, "at SIGHUP"),
        ]
        for attempt in attempts {
            let number = try begin(cluster, attempt.arguments)
            kill(cluster.pid(of: number), attempt.signal)
            #expect(cluster.end(of: number) == attempt.code, "\(cluster.errors(of: number))")
            let errors = cluster.errors(of: number)
            let step = try step(errors)
            #expect(step > last)
            last = step
            #expect(
                errors.contains(
                    "stopped after step \(step) \(attempt.words); run keeps the checkpoint of step \(step)\n"))
            #expect(errors.contains("\ncontinue with: myriad \(attempt.arguments[0]) job.yaml "))
            let status = try status(cluster)
            #expect(status.job.state == .stopped && status.job.step == step && status.failure == nil)
            #expect(status.job.reason == "stopped after step \(step) \(attempt.words)")
            #expect(!FileManager.default.fileExists(atPath: cluster.directory + "/run/failure.json"))
        }
        #expect(cluster.lines("stopped").count == 4 && cluster.lines("failed").isEmpty)
        let limited = try cluster.start(
            ["train", "job.yaml"] + Self.endless + ["--run", "run", "--continue", "--time-limit", "3"])
        #expect(cluster.end(of: limited) == 143)
        let errors = cluster.errors(of: limited)
        #expect(errors.contains("at the time limit of 3 s; run keeps the checkpoint of step "), "\(errors)")
        last = try #require(number(after: "the checkpoint of step ", in: errors))
        try finish(cluster, after: last, ["launch", "--servers", "2", "--workers", "1"])
        // Every state was scored once, and every second start is told of.
        let steps = cluster.lines("evaluated").filter { $0.contains("\"split\":\"validation\"") }
            .compactMap { number(after: "\"step\":", in: $0) }
        #expect(steps == steps.sorted() && Set(steps).count == steps.count)
        let report = try cluster.program.run("report", "run", "-o", "report.html")
        #expect(report.code == 0, "\(report.errors)")
    }

    @Test(
        "a signal to every process of a cluster at once, and again a moment later, stops it in order all the same",
        arguments: [SIGTERM, SIGHUP])
    func group(signal: Int32) throws {
        let cluster = try FaultyCluster()
        let number = try begin(cluster, ["launch", "job.yaml", "--servers", "2", "--workers", "2"])
        let children = Local.children(of: cluster.pid(of: number))
        #expect(children.count == 4)
        // As `timeout`, batch systems and a terminal that is closed do: to each process, and to the group.
        for _ in 0..<2 {
            for process in children + [cluster.pid(of: number)] { kill(process, signal) }
            Thread.sleep(forTimeInterval: 0.005)
        }
        #expect(cluster.end(of: number) == 143)
        let step = try step(cluster.errors(of: number))
        let status = try status(cluster)
        #expect(status.job.state == .stopped && status.events.allSatisfy { $0.kind != .lost && $0.kind != .failed })
        #expect(cluster.lines("lost").isEmpty, "\(cluster.lines("lost"))")
        #expect(!children.contains(where: Local.isAlive))
        try finish(cluster, after: step)
    }

    @Test("a terminal that is closed means nothing to a job under nohup")
    func nohup() throws {
        let cluster = try FaultyCluster()
        let number = try cluster.start(
            ["train", "job.yaml", "--run", "run", "--continue"] + Self.endless, after: "trap '' HUP")
        try #require(Local.wait { !cluster.lines("evaluated").isEmpty }, "\(cluster.errors(of: number))")
        kill(cluster.pid(of: number), SIGHUP)
        let before = cluster.lines("evaluated").count
        #expect(Local.wait { cluster.lines("evaluated").count > before + 1 })
        kill(cluster.pid(of: number), SIGTERM)
        #expect(cluster.end(of: number) == 143 && cluster.errors(of: number).contains("at SIGTERM"))
    }

    @Test(
        "SIGTERM to one node of roles started by hand stops the job in order, and the others leave with 0",
        arguments: ["server", "worker"])
    func node(role: String) throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let shape = ["cluster.servers=1", "cluster.workers=2"]
        let server = try cluster.start(["server", "--scheduler", endpoint, "--checkpoints", "run/checkpoints"])
        let workers = try (0..<2).map { _ in try cluster.start(["worker", "--scheduler", endpoint]) }
        let scheduler = try begin(cluster, ["scheduler", "job.yaml", "--listen", endpoint] + shape)
        let victim = role == "server" ? server : workers[1]
        kill(cluster.pid(of: victim), SIGTERM)
        #expect(cluster.end(of: scheduler) == 143, "\(cluster.errors(of: scheduler))")
        for node in [server] + workers {
            #expect(cluster.end(of: node) == (node == victim ? 143 : 0), "\(cluster.errors(of: node))")
        }
        let errors = cluster.errors(of: scheduler)
        let step = try step(errors)
        #expect(errors.contains("stopped after step \(step) at SIGTERM to \(role) "), "\(errors)")
        try finish(cluster, after: step, ["train"])
    }

    @Test(
        "a second signal ends the process at once, whoever keeps the first from being done",
        arguments: [SIGTERM, SIGINT])
    func second(signal: Int32) throws {
        let cluster = try FaultyCluster()
        let number = try begin(
            cluster, ["launch", "job.yaml", "--servers", "1", "--workers", "2", "cluster.silence=120"])
        let children = Local.children(of: cluster.pid(of: number))
        let worker = try #require(FaultyCluster.child(of: cluster.pid(of: number), with: "worker"))
        kill(worker, SIGSTOP)
        defer { for child in children { kill(child, SIGKILL) } }
        kill(cluster.pid(of: number), signal)
        // For its step, for it to reach a step of decision, or for its scores.
        #expect(Local.wait { cluster.errors(of: number).contains("waiting for ") })
        kill(cluster.pid(of: number), signal)
        #expect(cluster.end(of: number) == 128 + signal)
        #expect(cluster.lines("stopped").isEmpty)
        kill(worker, SIGCONT)
        #expect(Local.wait { !children.contains(where: Local.isAlive) })
    }

    @Test("before training a stop comes at once, for the scheduler and for who waits for it")
    func early() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let alone = try cluster.start(["worker", "--scheduler", endpoint])
        #expect(Local.wait { cluster.errors(of: alone).contains("waits for the scheduler") })
        kill(cluster.pid(of: alone), SIGTERM)
        #expect(cluster.end(of: alone) == 143, "\(cluster.errors(of: alone))")

        let scheduler = try cluster.start(
            ["scheduler", "job.yaml", "--listen", endpoint, "--run", "run", "--continue"] + Self.endless)
        let worker = try cluster.start(["worker", "--scheduler", endpoint])
        #expect(Local.wait { !cluster.lines("joined").isEmpty })
        kill(cluster.pid(of: scheduler), SIGTERM)
        #expect(cluster.end(of: scheduler) == 143)
        #expect(cluster.end(of: worker) == 0, "\(cluster.errors(of: worker))")
        let errors = cluster.errors(of: scheduler)
        #expect(errors.contains("stopped before the first step at SIGTERM; run keeps no checkpoint"), "\(errors)")
        #expect(try status(cluster).job.state == .stopped)
        // There is nothing to go on from: the same command starts.
        let number = try begin(cluster, ["train", "job.yaml"])
        #expect(cluster.errors(of: number).contains("run goes on from the start: it has no checkpoint"))
        kill(cluster.pid(of: number), SIGTERM)
        #expect(cluster.end(of: number) == 143)
    }

    @Test("a node whose scheduler does not answer leaves by itself")
    func noAnswer() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let server = try cluster.start(["server", "--scheduler", endpoint, "--checkpoints", "run/checkpoints"])
        let worker = try cluster.start(["worker", "--scheduler", endpoint])
        let scheduler = try begin(
            cluster, ["scheduler", "job.yaml", "--listen", endpoint, "cluster.servers=1", "cluster.workers=1"])
        kill(cluster.pid(of: scheduler), SIGSTOP)
        for node in [server, worker] { kill(cluster.pid(of: node), SIGTERM) }
        for node in [server, worker] {
            #expect(cluster.end(of: node) == 143)
            let errors = cluster.errors(of: node)
            #expect(errors.contains("left at SIGTERM, without an answer of the scheduler at \(endpoint)"), "\(errors)")
        }
    }

    @Test("a checkpoint that cannot be written is named, and the job stops with the one before")
    func unwritable() throws {
        let cluster = try FaultyCluster()
        let number = try cluster.start(
            ["launch", "job.yaml"] + Self.endless + ["checkpoint.best=false", "checkpoint.every=0", "--run", "run"])
        try #require(Local.wait { !cluster.lines("evaluated").isEmpty }, "\(cluster.errors(of: number))")
        // A plain file where the next directory would be made.
        let checkpoints = cluster.directory + "/run/checkpoints"
        try FileManager.default.removeItem(atPath: checkpoints)
        _ = FileManager.default.createFile(atPath: checkpoints, contents: nil)
        kill(cluster.pid(of: number), SIGTERM)
        #expect(cluster.end(of: number) == 143)
        let errors = cluster.errors(of: number)
        let step = try step(errors)
        #expect(errors.contains("checkpoint of step \(step) failed: "), "\(errors)")
        #expect(errors.contains("at SIGTERM; run keeps no checkpoint\n"), "\(errors)")
        #expect(try status(cluster).job.state == .stopped)
        #expect(try status(cluster).job.checkpointFailures == 1)
    }

    @Test("after a crash, with half a checkpoint and a damaged one about, the newest that is whole is used")
    func crash() throws {
        let cluster = try FaultyCluster()
        let files = FileManager.default
        let checkpoints = cluster.directory + "/run/checkpoints"
        func complete() -> [String] {
            ((try? files.contentsOfDirectory(atPath: checkpoints)) ?? []).filter {
                $0.hasPrefix("step-") && !$0.hasSuffix(".partial")
            }.sorted()
        }
        let number = try begin(cluster, ["launch", "job.yaml", "--servers", "2", "--workers", "2"])
        let children = Local.children(of: cluster.pid(of: number))
        #expect(Local.wait { complete().count >= 3 })
        kill(cluster.pid(of: number), SIGKILL)
        _ = cluster.end(of: number)
        #expect(Local.wait { !children.contains(where: Local.isAlive) })
        let newest = try #require(complete().last)
        try files.createDirectory(atPath: checkpoints + "/step-00999999.partial", withIntermediateDirectories: true)
        let file = try #require(FileHandle(forUpdatingAtPath: "\(checkpoints)/\(newest)/dense.safetensors"))
        try file.seek(toOffset: 2000)
        try file.write(contentsOf: Data([1, 2, 3, 4, 5, 6, 7, 8]))
        try file.close()
        let again = try begin(cluster, ["launch", "job.yaml", "--servers", "1", "--workers", "2"])
        let errors = cluster.errors(of: again)
        #expect(errors.contains("warning: ") && errors.contains("run/checkpoints/damaged-\(newest)"), "\(errors)")
        #expect(!files.fileExists(atPath: checkpoints + "/step-00999999.partial"))
        kill(cluster.pid(of: again), SIGTERM)
        #expect(cluster.end(of: again) == 143)
        try finish(cluster, after: try step(cluster.errors(of: again)))
    }

    @Test("--continue is explained where it is used wrongly, and refuses a run of another configuration")
    func wrongUse() throws {
        let program = try Program()
        try program.prepareWorld()
        var result = try program.run("train", "job.yaml", "--continue")
        #expect(result.code == 64 && result.errors.contains("--continue needs --run DIR"), "\(result.errors)")
        result = try program.run(["train", "job.yaml"], environment: ["MYRIAD_CONTINUE": "1"])
        #expect(result.code == 64 && result.errors.contains("--continue needs --run DIR"))
        result = try program.run("train", "job.yaml", "--continue", "--run", "run", "--resume", "other")
        #expect(result.code == 64 && result.errors.contains("--resume begins with the state of another one"))
        result = try program.run(["train", "job.yaml"], environment: ["MYRIAD_TIME_LIMIT": "soon"])
        #expect(result.code == 64 && result.errors.contains("MYRIAD_TIME_LIMIT is 'soon'"))
        result = try program.run("train", "job.yaml", "--time-limit", "0")
        #expect(result.code == 64 && result.errors.contains("expected a number of seconds above 0"))

        let environment = ["MYRIAD_CONTINUE": "1", "MYRIAD_TIME_LIMIT": "3600"]
        result = try program.run(["train", "job.yaml", "--run", "run", "monitor.page=off"], environment: environment)
        #expect(result.code == 0, "\(result.errors)")
        let written = try String(contentsOfFile: program.directory + "/run/metrics.jsonl", encoding: .utf8)
        result = try program.run(["launch", "job.yaml", "--run", "run"], environment: environment)
        #expect(result.code == 0 && result.output.hasPrefix("run is finished\nfinished after step 50\n"))
        #expect(try String(contentsOfFile: program.directory + "/run/metrics.jsonl", encoding: .utf8) == written)
        result = try program.run("train", "job.yaml", "--continue", "--run", "run", "train.batch=32")
        #expect(
            result.code == 65 && result.errors.contains("run holds a run of another configuration: 'batch: 64' there"),
            "\(result.errors)")
        result = try program.run("train", "job.yaml", "--run", "run")
        #expect(result.code == 65 && result.errors.contains("continue it with --continue"))
    }

    private func number(after words: String, in text: String) -> Int? {
        text.firstRange(of: words).flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) }
    }
}
