import Foundation
import Testing

@Suite(.serialized) struct SameBitsTests {
    /// (servers, shards a server, workers, threads).
    static let shapes = [
        (1, 1, 1, 1), (2, 1, 1, 2), (3, 2, 2, 1), (1, 2, 3, 2), (2, 2, 4, 1), (3, 1, 4, 2), (1, 1, 2, 2), (2, 1, 3, 1),
    ]

    @Test(
        "any number of servers, shards, workers and threads gives the same checkpoint, in one process and in many",
        arguments: ["base", "din", "dien", "dsin", "bst"])
    func grid(model: String) throws {
        let program = try Program()
        try program.prepareWorld(model: model)
        var digests: [String: [String]] = [:]
        for command in ["train", "launch"] {
            for (servers, shards, workers, threads) in Self.shapes {
                let run = "\(command)-\(servers)-\(shards)-\(workers)-\(threads)"
                let transport = workers % 2 == 0 ? "tcp" : "ipc"
                let result = try program.run(
                    command, "job.yaml", "cluster.servers=\(servers)", "cluster.shards=\(shards)",
                    "cluster.workers=\(workers)", "cluster.threads=\(threads)", "cluster.transport=\(transport)",
                    "--run",
                    run)
                #expect(result.code == 0, "\(run): \(result.errors)")
                digests[try program.digest(run), default: []].append(run)
            }
        }
        #expect(digests.count == 1, "\(digests)")
        #expect(digests.keys.first?.hasPrefix("sha256: ") == true)
        // Another seed gives other bits: of initial values, order, dropout, and what DIEN draws.
        #expect(try program.run("train", "job.yaml", "train.seed=2", "--run", "other").code == 0)
        #expect(digests[try program.digest("other")] == nil)
    }

    @Test(
        "a run that was stopped goes on to the same bits on another number of servers and workers",
        arguments: ["din", "dien", "dsin", "bst"])
    func resume(model: String) throws {
        let program = try Program()
        try program.prepareWorld(model: model)
        #expect(try program.run("train", "job.yaml", "--run", "whole").code == 0)
        #expect(
            try program.run(
                "launch", "job.yaml", "train.max_steps=23", "--servers", "3", "--workers", "2", "--run", "part"
            ).code == 0)
        let rest = try program.run(
            "launch", "job.yaml", "--resume", "part", "--servers", "2", "--workers", "3", "--run", "rest")
        #expect(rest.code == 0 && rest.errors.contains("goes on with step 24 of 50"), "\(rest.errors)")
        #expect(try program.digest("part") != (try program.digest("rest")))
        #expect(try program.digest("rest") == (try program.digest("whole")))
    }

    @Test("evaluate scores the checkpoint to the AUC that the cluster printed")
    func evaluate() throws {
        let program = try Program()
        try program.prepareWorld()
        let run = try program.run(
            "launch", "job.yaml", "--servers", "2", "--workers", "2", "train.evaluations=2", "--run", "run")
        let printed = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("test: ") }).dropFirst(6)
        let scored = try program.run("evaluate", "run").output
        #expect(printed.contains("AUC 0.") && scored.contains(printed), "\(printed) against \(scored)")
    }
}
