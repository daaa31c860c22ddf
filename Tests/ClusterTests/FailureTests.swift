import CZeroMQ
import Cluster
import Foundation
import Telemetry
import TestMachine
import Testing
import Transport
import Wire

/// Failures that are brought about: each report has to name the true cause, who was first, and what helps.
@Suite(.serialized) struct FailureTests {
    /// Starts a scheduler, a server and worker 0 by hand; returns their numbers.
    private func byHand(
        _ cluster: FaultyCluster, _ overrides: [String] = [], workers: Int = 2
    ) throws -> (scheduler: Int, server: Int, worker: Int, endpoint: String) {
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let scheduler = try cluster.start(
            ["scheduler", "job.yaml", "--listen", endpoint, "--run", "run", "cluster.workers=\(workers)"]
                + FaultyCluster.endless + overrides)
        let server = try cluster.start(
            ["server", "--scheduler", endpoint, "--checkpoints", "run/checkpoints", "--rank", "0"])
        let worker = try cluster.start(["worker", "--scheduler", endpoint, "--rank", "0"])
        return (scheduler, server, worker, endpoint)
    }

    @Test("1: a worker that was started with another dataset is the one that failed, for its configuration")
    func badConfiguration() throws {
        let cluster = try FaultyCluster()
        let other = try Program()
        try other.run(
            "prepare", "synthetic", "--world", "interests", "--output", "world", "--users", "50", "--items", "100",
            "--categories", "10", "--impressions", "40")
        let (scheduler, _, _, endpoint) = try byHand(cluster)
        let worker = try cluster.start(
            ["worker", "--scheduler", endpoint, "--rank", "1"], in: other.directory)
        #expect(cluster.end(of: worker) == 65)
        #expect(cluster.errors(of: worker).contains("is another dataset than the job's"))
        #expect(cluster.end(of: scheduler) == 65)
        let report = try cluster.failure()
        #expect(report.cause == .config && report.first == "worker 1" && report.pid == Int(cluster.pid(of: worker)))
        #expect(report.what.contains("\(other.directory)/world: is another dataset"))
        #expect(report.followers.sorted() == ["server 0 (told to stop)", "worker 0 (told to stop)"])
        #expect(cluster.errors(of: scheduler).contains("FAILED before the first step: worker 1:"))
    }

    @Test("1: a worker with a number that the job does not have is refused, and both sides say why")
    func badRank() throws {
        let cluster = try FaultyCluster()
        let (scheduler, _, _, endpoint) = try byHand(cluster)
        let worker = try cluster.start(["worker", "--scheduler", endpoint, "--rank", "7"])
        #expect(cluster.end(of: worker) == 65)
        #expect(cluster.errors(of: worker).contains("worker 7 is not one of the 2 that this job has"))
        #expect(
            Local.wait {
                cluster.errors(of: scheduler).contains(
                    "(process \(cluster.pid(of: worker))) was refused: worker 7 is not one of the 2")
            })
    }

    @Test("2: a port that is taken is named, with code 69 and who can tell who holds it")
    func takenPort() throws {
        let cluster = try FaultyCluster()
        let (descriptor, port) = try LocalPort.listen()
        defer { close(descriptor) }
        let endpoint = "tcp://127.0.0.1:\(port)"
        let scheduler = try cluster.start(["scheduler", "job.yaml", "--listen", endpoint, "--run", "run"])
        #expect(cluster.end(of: scheduler) == 69)
        let report = try cluster.failure()
        #expect(report.cause == .port && report.first == "scheduler" && report.remedy.contains("ss -ltnp"))
        #expect(report.what.contains("cannot listen on \(endpoint): Address already in use"))
        #expect(cluster.lines("failed").first?.contains("\"cause\":\"port\"") == true)
        let server = try cluster.start(["server", "--scheduler", "tcp://127.0.0.1:1", "--listen", endpoint])
        #expect(cluster.end(of: server) == 69)
        #expect(cluster.errors(of: server).contains("cannot listen on \(endpoint): Address already in use"))
        #expect(cluster.errors(of: server).contains("what to do: choose another port"))
    }

    @Test("3: a server that is killed is first, everybody else followed")
    func killedServer() throws {
        let cluster = try FaultyCluster()
        let launcher = try cluster.launch()
        let victim = try #require(FaultyCluster.child(of: cluster.pid(of: launcher), with: " server "))
        kill(victim, SIGKILL)
        #expect(cluster.end(of: launcher) == 70)
        let report = try cluster.failure()
        #expect(report.cause == .killed && report.first == "server 0" && report.pid == Int(victim))
        #expect(report.what == "server 0 was killed by signal 9 (SIGKILL)")
        #expect(report.log.hasSuffix("run/logs/server-0.log") && report.remedy.contains("dmesg"))
        #expect(
            report.remedy.contains("continue with: myriad launch job.yaml")
                && report.remedy.contains("--run run --continue"))
        #expect(report.followers == ["worker 0 (told to stop)", "worker 1 (told to stop)"])
        #expect(cluster.lines("lost").first?.contains("server 0") == true)
        #expect(cluster.errors(of: launcher).contains("followed: worker 0 (told to stop), worker 1 (told to stop)"))
    }

    @Test("3: a server that is killed where nobody launched it is missed within seconds, and known to be gone")
    func vanishedServer() throws {
        let cluster = try FaultyCluster()
        let (scheduler, server, worker, _) = try byHand(cluster, workers: 1)
        try #require(Local.wait { !cluster.lines("started").isEmpty }, "\(cluster.errors(of: scheduler))")
        kill(cluster.pid(of: server), SIGKILL)
        #expect(cluster.end(of: scheduler) == 70)
        let report = try cluster.failure()
        #expect(report.cause == .killed && report.first == "server 0")
        #expect(report.what.contains("process \(cluster.pid(of: server)) ended without a word"))
        #expect(cluster.end(of: worker) == 0)
    }

    @Test("3: a scheduler whose job has failed goes on answering who looks, for monitor.linger, and then ends")
    func linger() throws {
        let cluster = try FaultyCluster()
        let (scheduler, server, _, endpoint) = try byHand(cluster, ["monitor.linger=2"], workers: 1)
        try #require(Local.wait { !cluster.lines("started").isEmpty }, "\(cluster.errors(of: scheduler))")
        let source = try StatusSource(endpoint)
        #expect(Local.wait { (try? source.read().status.job.state) == .running })
        kill(cluster.pid(of: server), SIGKILL)
        var answers = 0
        var report: FailureReport?
        let isOver = Local.wait {
            guard let status = try? source.read().status, source.isLive else { return true }
            guard status.job.state == .failed else { return false }
            answers += 1
            report = status.failure
            return false
        }
        #expect(isOver && answers >= 5, "\(answers)")
        #expect(report?.first == "server 0" && report?.cause == .killed)
        #expect(cluster.end(of: scheduler) == 70)
    }

    @Test("5: a file of the dataset that only one worker misses is named with that worker")
    func missingFile() throws {
        let cluster = try FaultyCluster()
        let place = cluster.directory + "/elsewhere"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: cluster.directory + "/world", toPath: place + "/world")
        try FileManager.default.removeItem(atPath: place + "/world/train-00000.safetensors")
        let (scheduler, _, _, endpoint) = try byHand(cluster)
        let worker = try cluster.start(["worker", "--scheduler", endpoint, "--rank", "1"], in: place)
        #expect(cluster.end(of: scheduler) == 65)
        let report = try cluster.failure()
        #expect(report.cause == .data && report.first == "worker 1" && report.pid == Int(cluster.pid(of: worker)))
        #expect(report.what.contains("world/train-00000.safetensors"))
        #expect(report.remedy.contains("same dataset"))
        #expect(cluster.end(of: worker) == 65)
    }

    @Test("5: the same in a launched cluster and in one process", arguments: ["launch", "train"])
    func missingFileOfAll(command: String) throws {
        let cluster = try FaultyCluster()
        try FileManager.default.removeItem(atPath: cluster.directory + "/world/train-00000.safetensors")
        let number = try cluster.start([command, "job.yaml", "--run", "run", "cluster.workers=2"])
        #expect(cluster.end(of: number) == 65)
        let report = try cluster.failure()
        #expect(report.cause == .data && report.first.hasPrefix("worker "))
        #expect(report.what.contains("world/train-00000.safetensors"))
        #expect(report.followers.contains("server 0 (told to stop)"))
        #expect(cluster.errors(of: number).contains("FAILED before the first step: \(report.what)"))
    }

    @Test("6: a node whose scheduler does not answer says what it waits for, and gives up in time")
    func unreachable() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let nodes = try ["server", "worker"].map { role in
            (role, try cluster.start([role, "--scheduler", endpoint, "--rank", "0", "--wait", "6"]))
        }
        for (role, node) in nodes {
            #expect(
                Local.wait {
                    cluster.errors(of: node).contains(
                        "\(role) 0 waits for the scheduler at \(endpoint) and its welcome (5 s)")
                })
        }
        for (_, node) in nodes {
            #expect(cluster.end(of: node) == 69)
            let errors = cluster.errors(of: node)
            #expect(errors.contains("the scheduler at \(endpoint) has been silent for 6 s"))
            #expect(errors.contains("what to do: check that the scheduler runs"))
        }
    }

    @Test("6: a scheduler whose nodes do not come says who is missing, and gives up in time")
    func nobodyComes() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let scheduler = try cluster.start([
            "scheduler", "job.yaml", "--listen", endpoint, "--run", "run", "cluster.start_timeout=6",
        ])
        #expect(
            Local.wait {
                cluster.errors(of: scheduler).contains("waiting for server 1 of 1, worker 1 of 1 to join (5 s)")
            })
        #expect(cluster.end(of: scheduler) == 69)
        let report = try cluster.failure()
        #expect(report.cause == .unreachable && report.first == "scheduler")
        #expect(report.what == "server 1 of 1, worker 1 of 1 did not join within 6 s")
    }

    @Test(
        "7: a table at its limit is named once, with the limit, and training goes on", arguments: ["launch", "train"])
    func fullTable(command: String) throws {
        let cluster = try FaultyCluster()
        let number = try cluster.start([
            command, "job.yaml", "--run", "run", "rows.limit=20", "train.max_steps=0", "train.epochs=6",
        ])
        #expect(cluster.end(of: number) == 0)
        let warning = "has reached its limit of 20 rows (rows.limit)"
        #expect(
            cluster.errors(of: number).contains("warning: table 'item' \(warning)"), "\(cluster.errors(of: number))")
        #expect(cluster.errors(of: number).components(separatedBy: "'item' \(warning)").count == 2)
        #expect(cluster.lines("warning").contains { $0.contains(warning) && $0.contains("raise rows.limit") })
    }

    @Test("8: a loss that is no number ends the job as diverged, with the step", arguments: ["launch", "train"])
    func diverged(command: String) throws {
        let cluster = try FaultyCluster()
        let number = try cluster.start(
            [command, "job.yaml", "--run", "run", "rows.optimizer.rate=1e30", "dense.optimizer.rate=1e30"])
        #expect(cluster.end(of: number) == 70)
        let report = try cluster.failure()
        #expect(report.cause == .diverged && report.first == "worker 0" && report.step > 0)
        #expect(report.what.contains("the loss of step \(report.step)"), "\(report)")
        #expect(report.remedy.contains("rows.optimizer.rate"))
    }

    @Test("9: a process that somebody stopped is told from one that hangs")
    func stopped() throws {
        // Both at once: what takes time here is silence.
        let clusters = try ["server", "worker"].map { role in (role: role, cluster: try FaultyCluster()) }
        let stopped = try clusters.map { role, cluster in
            let launcher = try cluster.launch(["cluster.silence=4"])
            let victim = try #require(FaultyCluster.child(of: cluster.pid(of: launcher), with: " \(role) "))
            kill(victim, SIGSTOP)
            return (launcher: launcher, victim: victim)
        }
        for ((role, cluster), (launcher, victim)) in zip(clusters, stopped) {
            #expect(cluster.end(of: launcher) == 70)
            let report = try cluster.failure()
            #expect(report.cause == .stopped && report.first.hasPrefix(role) && report.pid == Int(victim))
            #expect(report.what.contains("is stopped (state T)") && report.remedy.contains("kill -CONT \(victim)"))
            #expect(Local.wait { kill(victim, 0) != 0 })
        }
    }

    /// What a scheduler answers to a message.
    private func answer(to message: Message, at endpoint: String) throws -> Stop? {
        let socket = try Socket.connect(to: endpoint, in: try Context())
        socket.send(message)
        var stop: Stop?
        _ = Local.wait {
            guard case .message(let answer, _) = socket.receive() else { return false }
            if case .stop(let body) = try? Control(decoding: answer, limits: Limits()) { stop = body }
            return stop != nil
        }
        return stop
    }

    @Test("10: a node of another version is refused with both versions, and named when the job does not start")
    func otherVersion() throws {
        let cluster = try FaultyCluster()
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        let scheduler = try cluster.start([
            "scheduler", "job.yaml", "--listen", endpoint, "--run", "run", "cluster.start_timeout=3",
        ])
        let hello = Hello(
            role: .worker, wantedRank: 0, host: "far", pid: 4242, processor: "p", blas: "b", version: "0.0.9")
        let header = Header(.hello, role: .worker, rank: 0, incarnation: 1, job: 0, epoch: 0)
        let stop = try answer(to: Control.hello(hello).message(header), at: endpoint)
        #expect(stop?.reason.contains("runs version 0.0.9 of myriad, the scheduler 0.") == true)
        #expect(cluster.end(of: scheduler) == 65)
        let report = try cluster.failure()
        #expect(report.cause == .version && report.what.contains("worker 0 on far (process 4242) was refused"))
        #expect(report.what.contains("0.0.9") && report.remedy.contains("same release"))
    }

    @Test("10: another version of the protocol is refused on both sides")
    func otherProtocol() throws {
        let cluster = try FaultyCluster()
        let port = try Local.freePort()
        let endpoint = "tcp://127.0.0.1:\(port)"
        let scheduler = try cluster.start(["scheduler", "job.yaml", "--listen", endpoint, "--run", "run"])
        let context = try #require(zmq_ctx_new())
        // What nobody takes does not hold the end of a test.
        zmq_ctx_set(context, ZMQ_BLOCKY, 0)
        let dealer = try #require(zmq_socket(context, ZMQ_DEALER))
        defer {
            zmq_close(dealer)
            zmq_ctx_term(context)
        }
        #expect(zmq_connect(dealer, endpoint) == 0)
        var header = Header(.hello, role: .worker, rank: 0, incarnation: 1, job: 0, epoch: 0).encode()
        header[4] = 9
        #expect(zmq_send(dealer, header, header.count, 0) == header.count)
        var bytes = [UInt8](repeating: 0, count: 64)
        #expect(Local.wait { zmq_recv(dealer, &bytes, bytes.count, ZMQ_DONTWAIT) == 64 })
        // The answer is of this version: the other one knows by it what the scheduler speaks.
        #expect(bytes[4] == Header.version)
        #expect(
            Local.wait {
                cluster.errors(of: scheduler).contains(
                    "it speaks version 9 of the protocol, the scheduler \(Header.version)")
            })
    }

    @Test("10: a node whose scheduler speaks another version of the protocol says both versions")
    func otherScheduler() throws {
        let cluster = try FaultyCluster()
        let context = try #require(zmq_ctx_new())
        // What nobody takes does not hold the end of a test.
        zmq_ctx_set(context, ZMQ_BLOCKY, 0)
        let router = try #require(zmq_socket(context, ZMQ_ROUTER))
        defer {
            zmq_close(router)
            zmq_ctx_term(context)
        }
        let endpoint = "tcp://127.0.0.1:\(try Local.freePort())"
        try #require(zmq_bind(router, endpoint) == 0)
        let worker = try cluster.start(["worker", "--scheduler", endpoint])
        var name = [UInt8](repeating: 0, count: 256)
        var length: Int32 = -1
        #expect(
            Local.wait {
                length = zmq_recv(router, &name, name.count, ZMQ_DONTWAIT)
                return length > 0
            })
        var header = Header(.stop, role: .scheduler, rank: 0, incarnation: 1, job: 1, epoch: 1).encode()
        header[4] = 9
        zmq_send(router, name, Int(length), ZMQ_SNDMORE)
        zmq_send(router, header, header.count, 0)
        #expect(cluster.end(of: worker) == 65)
        #expect(
            cluster.errors(of: worker).contains(
                "speaks version 9 of the protocol, this process \(Header.version): run the same release everywhere"))
    }
}
