import Foundation
import Testing

/// `launch --hosts` through logins that take their time: a script stands for ssh, and each login waits until it may pass.
@Suite struct SlowLoginTests {
    /// Servers pass at once, workers when the file `gate` is there; each leaves a file named after its process.
    private static let script = """
        #!/bin/bash
        case " $* " in *" -G "*) exit 0 ;; esac
        command=${!#}
        case $command in
        *" worker "*)
            touch "logins/$$"
            until [ -e gate ]; do sleep 0.05; done ;;
        esac
        echo "$command" >>commands
        exec bash -c "$command"
        """

    private func cluster() throws -> FaultyCluster {
        let cluster = try FaultyCluster()
        try Self.script.write(toFile: cluster.directory + "/ssh", atomically: true, encoding: .utf8)
        try "127.0.0.1 slots=10\n".write(toFile: cluster.directory + "/hosts", atomically: true, encoding: .utf8)
        try FileManager.default.createDirectory(
            atPath: cluster.directory + "/logins", withIntermediateDirectories: true)
        return cluster
    }

    private func launch(_ cluster: FaultyCluster, wait: Int, workers: Int) throws -> Int {
        try cluster.start([
            "launch", "job.yaml", "--hosts", "hosts", "--ssh", "bash \(cluster.directory)/ssh", "--wait", "\(wait)",
            "--servers", "1", "--workers", "\(workers)", "--run", "run", "cluster.threads=1",
        ])
    }

    private func logins(_ cluster: FaultyCluster) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: cluster.directory + "/logins").count) ?? 0
    }

    @Test("the first node joins while the last are logging in, no more than eight at once, and all then train")
    func trains() throws {
        let cluster = try cluster()
        let number = try launch(cluster, wait: 77, workers: 9)
        // The ninth login begins when one of the eight has passed: nobody waits for it.
        try #require(Local.wait { !cluster.lines("joined").isEmpty }, "\(cluster.errors(of: number))")
        #expect(Local.wait { logins(cluster) == 8 })
        _ = FileManager.default.createFile(atPath: cluster.directory + "/gate", contents: nil)
        #expect(cluster.end(of: number) == 0, "\(cluster.errors(of: number))")
        #expect(logins(cluster) == 9)
        let commands = try String(contentsOfFile: cluster.directory + "/commands", encoding: .utf8)
        #expect(commands.split(separator: "\n").filter { $0.contains("--wait 77.0 ") }.count == 10, "\(commands)")
        #expect(try cluster.program.run("train", "job.yaml", "--run", "alone").code == 0)
        #expect(try cluster.program.digest("run") == (try cluster.program.digest("alone")))
    }

    @Test("Ctrl-C and SIGTERM are heard while nodes are logging in", arguments: [SIGINT, SIGTERM])
    func interrupted(signal: Int32) throws {
        let cluster = try cluster()
        let number = try launch(cluster, wait: 60, workers: 9)
        try #require(Local.wait { !cluster.lines("joined").isEmpty && logins(cluster) == 8 })
        kill(cluster.pid(of: number), signal)
        #expect(cluster.end(of: number) == 128 + signal, "\(cluster.errors(of: number))")
        #expect(cluster.errors(of: number).contains("stopped before the first step"))
        #expect(logins(cluster) == 8)
    }

    @Test("a login that does not come through is named with its host and what to do")
    func tooSlow() throws {
        let cluster = try cluster()
        let number = try launch(cluster, wait: 1, workers: 1)
        #expect(cluster.end(of: number) == 69)
        let errors = cluster.errors(of: number)
        #expect(errors.contains("worker 0 has not begun on 127.0.0.1 within 1 s"), "\(errors)")
        #expect(errors.contains("--wait"), "\(errors)")
    }
}
