import Foundation
import Telemetry
import Testing

/// Roles started one by one: what they take from flags and from the environment.
@Suite struct RolesTests {
    @Test(
        "address, rank, shards and job come from variables, ranks also from Slurm and Kubernetes; over IPv4 and IPv6",
        arguments: ["127.0.0.1", "[::1]"])
    func environment(host: String) throws {
        let cluster = try FaultyCluster()
        let address = "\(host):\(try Local.freePort())"
        let scheduler = try cluster.start(
            ["scheduler", "job.yaml", "--run", "run", "cluster.workers=3", "cluster.shards=2"],
            after: "export MYRIAD_LISTEN=\(address) MYRIAD_JOB=alpha")
        let common = "export MYRIAD_SCHEDULER=\(address) MYRIAD_JOB=alpha MYRIAD_WAIT=60"
        let batch = "SLURM_PROCID=0"
        let nodes = try [
            ("server", "MYRIAD_SHARDS=2 MYRIAD_RANK=0 MYRIAD_CHECKPOINTS=run/checkpoints"),
            ("worker", "SLURM_STEP_ID=3 SLURM_PROCID=2"), ("worker", "JOB_COMPLETION_INDEX=1 \(batch)"),
            // In a batch script, outside of a step, Slurm's rank means nothing: the lowest that is free is left.
            ("worker", "\(batch) MYRIAD_RANK=0 JOB_COMPLETION_INDEX=9"),
        ].map { role, variables in
            try cluster.start([role], after: "\(common) \(variables)")
        }
        #expect(cluster.end(of: scheduler) == 0, "\(cluster.errors(of: scheduler))")
        for node in nodes { #expect(cluster.end(of: node) == 0, "\(cluster.errors(of: node))") }
        let status = try cluster.program.run("status", "run", "-o", "json")
        let read = try TelemetryJSON.decode(ClusterStatus.self, from: Data(status.output.utf8))
        for (place, node) in zip([1, 4, 3, 2], nodes) {
            #expect(read.nodes[place].pid == Int(cluster.pid(of: node)), "\(read.nodes[place].role)")
        }
        #expect(read.nodes[1].endpoints.count == 2)
        #expect(read.nodes[1].endpoints.allSatisfy { $0.hasPrefix("tcp://\(host):") })
        #expect(read.nodes[1].address == host.trimmingCharacters(in: ["[", "]"]))
        #expect(try cluster.program.run("train", "job.yaml", "--run", "alone").code == 0)
        #expect(try cluster.program.digest("run") == (try cluster.program.digest("alone")))
    }

    @Test("a node of another job and a server of another shape are refused, and told what to do")
    func refused() throws {
        let cluster = try FaultyCluster()
        let address = "127.0.0.1:\(try Local.freePort())"
        let scheduler = try cluster.start(["scheduler", "job.yaml", "--run", "alpha", "--listen", address])
        let other = try cluster.program.run("worker", "--scheduler", address, "--job", "beta", "--wait", "60")
        #expect(other.code == 65 && other.errors.contains("started for job 'beta'"), "\(other)")
        #expect(other.errors.contains("runs job 'alpha'"))
        let shape = try cluster.program.run("server", "--scheduler", address, "--shards", "3", "--wait", "60")
        #expect(shape.code == 65 && shape.errors.contains("start it with --shards 1"), "\(shape)")
        #expect(Local.wait { cluster.errors(of: scheduler).contains("was refused: it has 3 shards") })
        for (arguments, words) in [
            (["worker"], "--scheduler (or MYRIAD_SCHEDULER) has to give the scheduler's address"),
            (["worker", "--scheduler", "nonsense"], "'nonsense' is no endpoint"),
            (["server", "--scheduler", "ipc:///tmp/x"], "--listen has to say where the shards listen"),
        ] {
            let result = try cluster.program.run(arguments)
            #expect([64, 65].contains(result.code) && result.errors.contains(words), "\(result)")
        }
    }

    @Test("nothing leaves this machine in plaintext unless that is said")
    func plaintext() throws {
        let program = try Program()
        try program.prepareWorld()
        // Neither needs a network: an address of documentation, and all addresses of this machine.
        let node = try program.run(["worker", "--scheduler", "192.0.2.77:5555"], environment: ["HOME": "/nowhere"])
        #expect(node.code == 77 && node.errors.contains("--insecure"), "\(node)")
        let scheduler = try program.run(
            ["scheduler", "job.yaml", "--run", "run", "--listen", "0.0.0.0:0"], environment: ["HOME": "/nowhere"])
        #expect(scheduler.code == 77 && scheduler.errors.contains("myriad keys create"), "\(scheduler)")
        try FileManager.default.createDirectory(
            atPath: program.directory + "/open", withIntermediateDirectories: true)
        #expect(try program.run("keys", "create", "--keys", "open/keys").code == 0)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: program.directory + "/open/keys/scheduler.key")
        let exposed = try program.run(
            "scheduler", "job.yaml", "--run", "run2", "--listen", "127.0.0.1:0", "--keys", "open/keys")
        #expect(exposed.code == 77 && exposed.errors.contains("chmod 600"), "\(exposed)")
    }
}
