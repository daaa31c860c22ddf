import Foundation
import Telemetry
import Testing

/// Encrypted clusters of real processes: to the same bits, and closed to whoever has no key.
@Suite struct SecurityTests {
    @Test("a cluster with keys trains to the same bits, and is looked at by its directory or with a key")
    func sameBits() throws {
        let program = try Program()
        try program.prepareWorld()
        #expect(try program.run("keys", "create", "--keys", "keys", "--name", "lab").code == 0)
        #expect(try program.run("train", "job.yaml", "--run", "plain").code == 0)
        let result = try program.run(
            "launch", "job.yaml", "--servers", "2", "--workers", "3", "cluster.transport=tcp", "--keys", "keys",
            "--run", "secured")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try program.digest("secured") == (try program.digest("plain")))
        let status = try program.run("status", "secured", "-o", "json")
        let read = try TelemetryJSON.decode(ClusterStatus.self, from: Data(status.output.utf8))
        #expect(read.job.isEncrypted == true && read.job.state == .finished)
        // Nothing that is printed or kept beside the keys is a secret.
        let secrets = try ["scheduler", "node"].map { name in
            try String(contentsOfFile: "\(program.directory)/keys/\(name).key", encoding: .utf8)
                .split(separator: "\n").last.map(String.init) ?? ""
        }
        let files = FileManager.default.enumerator(atPath: program.directory + "/secured")?.allObjects ?? []
        for case let file as String in files {
            guard let data = FileManager.default.contents(atPath: "\(program.directory)/secured/\(file)") else {
                continue
            }
            for secret in secrets { #expect(data.range(of: Data(secret.utf8)) == nil, "\(file)") }
        }
        for secret in secrets { #expect(!(result.output + result.errors).contains(secret)) }
    }

    @Test("wrong keys are named on both sides, counted, and end with code 77; the right ones then train")
    func wrongKeys() throws {
        let cluster = try FaultyCluster()
        let program = cluster.program
        for name in ["keys", "other"] { #expect(try program.run("keys", "create", "--keys", name).code == 0) }
        let port = try Local.freePort()
        let scheduler = try cluster.start(
            ["scheduler", "job.yaml", "--run", "run", "--listen", "127.0.0.1:\(port)", "--keys", "keys"])
        #expect(Local.wait { cluster.errors(of: scheduler).contains("(encrypted)") })
        let mine = try String(contentsOfFile: program.directory + "/keys/scheduler.pub", encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        let joined = try program.run("keys", "create", "--keys", "unknown", "--scheduler-key", mine)
        let words = joined.output.split(whereSeparator: \.isWhitespace).map(String.init)
        let unknown = try #require(words.first { $0.count == 64 })

        let address = ["--scheduler", "127.0.0.1:\(port)"]
        let wrong = try program.run(["worker"] + address + ["--keys", "other"])
        #expect(wrong.code == 77 && wrong.errors.contains("hung up on every handshake"), "\(wrong)")
        let refused = try program.run(["server"] + address + ["--keys", "unknown"])
        #expect(refused.code == 77 && refused.errors.contains("myriad keys allow \(unknown)"), "\(refused)")
        let plain = try program.run(["worker"] + address)
        #expect(plain.code == 77 && plain.errors.contains("this node has no keys"), "\(plain)")
        #expect(
            Local.wait {
                let told = cluster.errors(of: scheduler)
                return told.contains("with the key \(unknown) was refused")
                    && told.contains("it holds another public key")
            }, "\(cluster.errors(of: scheduler))")

        // What is refused is counted, and who may look sees it.
        func counted() -> Bool {
            guard let status = try? program.run("status", "127.0.0.1:\(port)", "--keys", "keys", "-o", "json"),
                let read = try? TelemetryJSON.decode(ClusterStatus.self, from: Data(status.output.utf8))
            else { return false }
            let counts = read.nodes[0].turnedAway ?? [:]
            return (counts["unknownKey"] ?? 0) >= 1 && (counts["wrongServerKey"] ?? 0) >= 1
        }
        #expect(Local.wait(counted))
        let blind = try program.run("status", "127.0.0.1:\(port)")
        #expect(blind.code == 77 && blind.errors.contains("--keys"), "\(blind)")

        // Allowed while the scheduler runs.
        #expect(try program.run("keys", "allow", unknown, "--keys", "keys", "--name", "late").code == 0)
        let nodes = try [
            ["server", "--keys", "unknown", "--checkpoints", "run/checkpoints"], ["worker", "--keys", "keys"],
        ].map { try cluster.start([$0[0]] + address + $0.dropFirst()) }
        #expect(cluster.end(of: scheduler) == 0, "\(cluster.errors(of: scheduler))")
        for node in nodes { #expect(cluster.end(of: node) == 0, "\(cluster.errors(of: node))") }
    }

    @Test("a node that is given a shard's port is told so")
    func wrongDoor() throws {
        let cluster = try FaultyCluster()
        let (port, door) = (try Local.freePort(), try Local.freePort())
        let scheduler = try cluster.start(
            [
                "scheduler", "job.yaml", "--run", "run", "--listen", "127.0.0.1:\(port)", "train.max_steps=0",
                "train.epochs=100000",
            ])
        try cluster.start(
            ["server", "--scheduler", "127.0.0.1:\(port)", "--listen", "127.0.0.1:\(door)", "--wait", "60"])
        try cluster.start(["worker", "--scheduler", "127.0.0.1:\(port)", "--wait", "60"])
        #expect(Local.wait { cluster.errors(of: scheduler).contains("step ") })
        let lost = try cluster.program.run("worker", "--scheduler", "127.0.0.1:\(door)")
        #expect(lost.code == 65 && lost.errors.contains("this is shard 0 of a server, not a scheduler"), "\(lost)")
        cluster.killAll()
    }
}
