import Foundation
import Testing

@Suite struct CutControlTests {
    @Test(
        "control connections that are cut again and again change no bit and end no job",
        arguments: [false, true])
    func cut(withKeys: Bool) throws {
        let cluster = try FaultyCluster()
        let program = cluster.program
        let more = ["train.max_steps=300", "train.epochs=100", "train.evaluations=1", "checkpoint.every=40"]
        #expect(try program.run(["train", "job.yaml", "--run", "plain"] + more).code == 0)
        var keys: [String] = []
        if withKeys {
            #expect(try program.run("keys", "create", "--keys", "keys").code == 0)
            keys = ["--keys", "keys"]
        }
        let port = try Local.freePort()
        let proxy = try CutProxy(to: port, cutsEvery: .milliseconds(700))
        let scheduler = try cluster.start(
            ["scheduler", "job.yaml", "--run", "run", "--listen", "127.0.0.1:\(port)", "cluster.workers=3"]
                + ["cluster.servers=2"] + keys + more)
        let address = ["--scheduler", "127.0.0.1:\(proxy.port)", "--wait", "60"] + keys
        let nodes =
            try (0..<2).map { rank in
                try cluster.start(["server", "--rank", "\(rank)", "--checkpoints", "run/checkpoints"] + address)
            } + (0..<3).map { rank in try cluster.start(["worker", "--rank", "\(rank)"] + address) }
        #expect(cluster.end(of: scheduler) == 0, "\(cluster.errors(of: scheduler))")
        for node in nodes { #expect(cluster.end(of: node) == 0, "\(cluster.errors(of: node))") }
        proxy.stop()
        #expect(proxy.cuts > 0)
        #expect(try program.digest("run") == program.digest("plain"))
        #expect(cluster.lines("lost").isEmpty)
    }
}
