import Foundation
import Testing

@testable import Telemetry

@Suite struct PrometheusTests {
    @Test("every sample of the page is a field of the status, and every field that is exported is there")
    func values() throws {
        let status = SimulatedStatus.make()
        let page = try ScrapedPage(Prometheus.text(status))
        let expected = ExpectedSamples(status).samples
        for (series, value) in expected where page.samples[series] != value {
            let found = page.samples[series].map { "\($0)" } ?? "absent"
            Issue.record("\(series): \(found) instead of \(value)")
        }
        for series in page.samples.keys where expected[series] == nil { Issue.record("not expected: \(series)") }
        #expect(expected.count > 600)
    }

    @Test("of thousands of evaluations the newest stay and the best of each split; the counter counts all")
    func evaluations() throws {
        var status = ClusterStatus()
        for step in 0..<1000 {
            status.add(
                EvaluationStatus(
                    time: Double(step), split: step % 10 == 9 ? "test" : "validation", step: step, samples: 1, auc: 0.5,
                    gauc: nil, logLoss: 1, calibration: 1, isBest: step == 3 || step == 9 || step == 5))
        }
        #expect(status.evaluations.count == ClusterStatus.evaluationsKept)
        #expect(status.evaluations.prefix(3).map(\.step) == [5, 9, 802] && status.evaluations.last?.step == 999)
        #expect(status.evaluationsLeftOut?.values.total == 1000 - ClusterStatus.evaluationsKept)
        let page = try ScrapedPage(Prometheus.text(status))
        #expect(page.samples[.init(name: "myriad_evaluations_total", labels: ["split": "validation"])] == 900)
        #expect(page.samples[.init(name: "myriad_evaluations_total", labels: ["split": "test"])] == 100)
    }

    @Test("labels are numbers and ranks, not places, while some have told nothing yet or two claim the same one")
    func numbers() throws {
        var status = SimulatedStatus.make(shards: 4, workers: 4)
        let blocking = status.workers.suffix(2).reduce(0) { $0 + $1.report.waitByShard[3] }
        let lag = max(0, status.lag[3].max() ?? 0)
        status.shards.removeFirst(2)
        status.workers.removeFirst(2)
        status.shards.append(status.shards[0])
        let page = try ScrapedPage(Prometheus.text(status))
        #expect(Set(page.samples.keys.compactMap { $0.labels["shard"] }) == ["2", "3"])
        #expect(Set(page.samples.keys.compactMap { $0.labels["worker"] }) == ["2", "3"])
        #expect(page.samples[.init(name: "myriad_worker_lag_steps", labels: ["worker": "3"])] == Double(lag))
        #expect(page.samples[.init(name: "myriad_shard_blocking_seconds_total", labels: ["shard": "3"])] == blocking)
    }

    @Test("a job that nothing is known of yet has its counters at 0, and no time that is 1970")
    func empty() throws {
        var status = ClusterStatus()
        status.shards = [ShardStatus()]
        status.workers = [WorkerStatus()]
        status.nodes = [NodeStatus()]
        let page = try ScrapedPage(Prometheus.text(status))
        for name in [
            "myriad_job_examples_total", "myriad_checkpoint_failures_total", "myriad_pull_requests_total",
            "myriad_push_duplicates_total", "myriad_request_retries_total", "myriad_nonfinite_losses_total",
            "myriad_garbage_messages_total", "myriad_warnings_total", "myriad_malformed_messages_total",
        ] {
            #expect(page.samples.filter { $0.key.name == name }.map(\.value) == [0], "\(name)")
        }
        #expect(page.samples.filter { $0.key.name == "myriad_refused_requests_total" }.count == 9)
        #expect(!page.samples.keys.contains { $0.name.hasSuffix("timestamp_seconds") })
        #expect(page.families["myriad_checkpoint_last_bytes"] == nil)
        #expect(try ScrapedPage(Prometheus.text(ClusterStatus())).families.count > 10)
    }

    @Test("whatever a label's value contains comes out of the page as it went in")
    func escaping() throws {
        let hostile = ["a\"b", "a\\", "\\n", "a\nb", "} 1\nmyriad_rows{x=\"", "ü€\u{1F600}", " ", "\r", "a,b=\"c\""]
        var status = SimulatedStatus.make(tables: hostile)
        status.job.model = hostile[4]
        let page = try ScrapedPage(Prometheus.text(status))
        let rows = page.samples.filter { $0.key.name == "myriad_rows" }
        #expect(Set(rows.keys.compactMap { $0.labels["table"] }) == Set(hostile))
        #expect(rows.count == hostile.count * status.shards.count)
        #expect(page.samples[.init(name: "myriad_job_info", labels: ["model": hostile[4]])] == 1)
    }

    @Test("numbers that are not finite leave no sample")
    func nonfinite() throws {
        var status = SimulatedStatus.make()
        status.job.loss = .nan
        status.job.auc = .infinity
        status.skew.busy = .nan
        status.shards[0].report.regularization = -.infinity
        let page = try ScrapedPage(Prometheus.text(status))
        #expect(page.families["myriad_train_loss"] == nil)
        #expect(page.families["myriad_train_auc"] == nil)
        #expect(page.samples[.init(name: "myriad_skew_ratio", labels: ["kind": "busy"])] == nil)
        #expect(page.samples.filter { $0.key.name == "myriad_regularization_loss" }.count == 2)
    }

    @Test("buckets are cumulative, end in the count, and lie at powers of two nanoseconds")
    func buckets() throws {
        let page = try ScrapedPage(Prometheus.text(SimulatedStatus.make()))
        var seen = 0
        for (name, family) in page.families where family.type == "histogram" {
            let subjects = Set(page.samples.keys.filter { $0.name == name + "_count" }.map(\.labels))
            for labels in subjects {
                let buckets = page.samples.filter { sample in
                    sample.key.name == name + "_bucket" && sample.key.labels.filter { $0.key != "le" } == labels
                }.map { (le: Double($0.key.labels["le"] ?? "") ?? .nan, count: $0.value) }.sorted { $0.le < $1.le }
                #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.count <= $1.count })
                #expect(buckets.last?.le == .infinity)
                #expect(buckets.last?.count == page.samples[.init(name: name + "_count", labels: labels)])
                if name.hasSuffix("_seconds") {
                    #expect(buckets.dropLast().map { ($0.le * 1e9).rounded() } == (18...34).map { Double(1 << $0) })
                }
                seen += 1
            }
        }
        #expect(seen == 5 * 3 + 2 * 4)
    }

    @Test("labels are bounded by the job's size: 64 shards and 256 workers make 40,000 series at most, none by pair")
    func size() throws {
        let status = SimulatedStatus.make(shards: 64, workers: 256)
        let clock = ContinuousClock()
        var text = Prometheus.text(status)
        let duration = (0..<5).map { _ in clock.measure { text = Prometheus.text(status) } }.min() ?? .zero
        let page = try ScrapedPage(text)
        print("page of 64 shards and 256 workers: \(page.samples.count) series, \(text.utf8.count) bytes, \(duration)")
        #expect(page.samples.count < 40_000)
        #expect(!page.families.values.contains { $0.labels.isSuperset(of: ["worker", "shard"]) })
        let allowed: Set<String> = [
            "shard", "worker", "table", "kind", "reason", "role", "index", "state", "cause", "split", "phase", "work",
            "server", "model", "version", "swift", "zeromq", "openblas",
        ]
        for (name, family) in page.families { #expect(family.labels.isSubset(of: allowed), "\(name)") }
    }

    @Test("docs/metrics.md lists exactly the families of the page")
    func table() throws {
        let page = try ScrapedPage(Prometheus.text(SimulatedStatus.make()))
        let rows = page.order.map { name in
            let family = page.families[name] ?? .init()
            let labels = family.labels.sorted().map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(name)` | \(family.type) | \(labels) | \(family.help) |"
        }
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/metrics.md")
        let listed = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `") }.map(String.init)
        for row in rows where !listed.contains(row) { Issue.record("missing in docs/metrics.md: \(row)") }
        for row in listed where !rows.contains(row) { Issue.record("docs/metrics.md has what no page has: \(row)") }
        #expect(listed == rows, "in the page's order")
    }
}
