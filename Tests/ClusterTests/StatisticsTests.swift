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
}
