import Foundation
import Telemetry
import Testing

@Suite struct PrometheusTests {
    @Test("the status of a launched cluster has every family of docs/metrics.md, and its sums agree")
    func launched() throws {
        let program = try Program()
        try program.prepareWorld()
        let result = try program.run(
            "launch", "job.yaml", "checkpoint.every=20", "--servers", "2", "--workers", "2", "--run", "run")
        try #require(result.code == 0, "\(result.errors)")
        let data = try Data(contentsOf: URL(filePath: program.directory + "/run/status.json"))
        let status = try TelemetryJSON.decode(ClusterStatus.self, from: data)
        let lines = Prometheus.text(status).split(separator: "\n")

        let table = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/metrics.md")
        let rows = try String(contentsOf: table, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| `") }
        let heads = Set(lines.filter { $0.hasPrefix("# TYPE ") })
        #expect(rows.count > 100)
        for row in rows {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let name = cells[0].trimmingCharacters(in: ["`"])
            #expect(heads.contains("# TYPE \(name) \(cells[1])"), "\(name)")
        }

        func sum(_ name: String) -> Double {
            lines.filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
        }
        // 50 steps of 64 samples.
        #expect(sum("myriad_job_examples_total") == 3200)
        #expect(sum("myriad_examples_total") == 3200)
        #expect(sum("myriad_steps_total") == 100)
        #expect(sum("myriad_job_state") == 1)
        #expect(lines.contains("myriad_job_state{state=\"finished\"} 1"))
        #expect(sum("myriad_pulled_rows_total") == sum("myriad_table_pulled_rows_total"))
        #expect(sum("myriad_pulled_rows_total") == Double(status.shards.map(\.report.pulledRows).reduce(0, +)))
        #expect(sum("myriad_pull_duration_seconds_count") == sum("myriad_pull_requests_total"))
        #expect(sum("myriad_push_duration_seconds_count") == sum("myriad_push_requests_total"))
        #expect(sum("myriad_evaluations_total") == Double(status.evaluations.count))
    }
}
