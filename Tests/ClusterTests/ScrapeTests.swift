import Foundation
import Processes
import Telemetry
import TestMachine
import Testing

/// The real Prometheus of Debian.
enum PrometheusTools {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// Where it is, or why it is not.
    static let installed = shell("bash '\(root)/cluster/install-prometheus.sh'")
    /// Whether it is here.
    static let isInstalled = Skips.runs("a real Prometheus", unless: installed.code == 0 ? nil : installed.text)

    /// Runs a line of bash.
    static func shell(_ line: String) -> (code: Int32, text: String) {
        let process = Child()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", line]
        let path = FileManager.default.temporaryDirectory.appending(path: "myriad-scrape-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { return (-1, "no temporary file") }
        process.standardOutput = file
        process.standardError = FileHandle.standardError
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { return (-1, "\(error)") }
        process.waitUntilExit()
        return (process.terminationStatus, (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
    }
}

/// A real Prometheus and the page of a cluster that runs.
@Suite(
    .serialized,
    .enabled(if: PrometheusTools.isInstalled, "Prometheus is missing: \(PrometheusTools.installed.text)"))
struct ScrapeTests {
    /// A sample's name and labels, and its value.
    private typealias Samples = [String: Double]

    @Test("Prometheus stores every family of docs/metrics.md from a live cluster, with the counts of its status")
    func live() throws {
        let program = try Program()
        try program.prepareWorld()
        let launcher = try program.start([
            "launch", "job.yaml", "--run", "run", "--servers", "2", "--workers", "2", "monitor.page=127.0.0.1:0",
            "train.max_steps=0", "train.epochs=100000", "train.evaluations=1", "checkpoint.every=20",
            "cluster.silence=120",
        ])
        var workers: [Int32] = []
        defer {
            // Those that are stopped cannot be told to end.
            for worker in workers { kill(worker, SIGCONT) }
            launcher.interrupt()
            let deadline = ContinuousClock.now + .seconds(20)
            while launcher.isRunning, .now < deadline { Thread.sleep(forTimeInterval: 0.05) }
            launcher.kill()
            launcher.waitUntilExit()
        }
        let first = try waits {
            try? stored(program)
        } until: {
            $0.job.state == .running && $0.job.checkpoint != nil && $0.evaluations.contains { $0.isBest }
                && $0.shards.count == 2 && $0.workers.count == 2 && $0.shards.allSatisfy { $0.report.checkpoint != nil }
        }
        let host = try #require(first.job.page.firstMatch(of: /http:\/\/(127\.0\.0\.1:[0-9]+)/)?.1)
        try families(of: String(host))
        workers = first.nodes.filter { $0.role == "worker" }.map { Int32($0.pid) }
        try counts(of: String(host), while: workers)
        let page = try get("/metrics", of: String(host))
        #expect(page.contains("# TYPE myriad_job_state gauge\n"))
        try page.write(toFile: program.directory + "/page", atomically: true, encoding: .utf8)
        let bin = PrometheusTools.installed.text.trimmingCharacters(in: .whitespacesAndNewlines)
        let check = PrometheusTools.shell("'\(bin)/promtool' check metrics < '\(program.directory)/page' 2>&1")
        #expect(check.code == 0 && check.text.isEmpty, "\(check.text)")
    }

    /// What is stored while the cluster runs: all that the table does not call absent.
    private func families(of host: String) throws {
        let names = Set(try scrape(host).keys.map { String($0.prefix { $0 != "{" }) })
        let table = try String(contentsOfFile: PrometheusTools.root + "/docs/metrics.md", encoding: .utf8)
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count > 100)
        for row in rows {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let name = cells[0].trimmingCharacters(in: ["`"])
            let series = cells[1] == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
            let isThere = series.allSatisfy { names.contains($0) }
            #expect(isThere || cells.last?.contains("absent") == true, "\(name) was not stored")
            // A job that runs has not ended.
            if name == "myriad_job_end_timestamp_seconds" { #expect(!isThere) }
        }
    }

    /// With its workers stopped a cluster's counters hold still: what is stored is what the status says.
    private func counts(of host: String, while workers: [Int32]) throws {
        for worker in workers { kill(worker, SIGSTOP) }
        var before = Samples()
        var still = 0
        // What was under way arrives, and every node reports once more.
        let deadline = ContinuousClock.now + .seconds(30)
        while still < 3, .now < deadline {
            Thread.sleep(forTimeInterval: 1.1)
            let now = try counters(of: host)
            still = now.filter { !Self.isTime($0.key) } == before.filter { !Self.isTime($0.key) } ? still + 1 : 0
            before = now
        }
        #expect(still == 3, "the counters never hold still")
        // On a busy machine the newest sample that is stored may be one of before they held still.
        var stored = try scrape(host)
        func isOld(_ series: String, _ least: Double) -> Bool {
            Self.isTime(series) ? stored[series] ?? 0 < least : stored[series] != least
        }
        for _ in 0..<10 where before.contains(where: isOld) { stored = try scrape(host) }
        // The first answer after a pause may be one that was made before it.
        var after = try counters(of: host)
        let patience = ContinuousClock.now + .seconds(20)
        while before.keys.contains(where: { Self.isTime($0) && after[$0] ?? 0 < stored[$0] ?? 0 }), .now < patience {
            Thread.sleep(forTimeInterval: 1)
            after = try counters(of: host)
        }
        #expect(before.count > 300)
        for (series, least) in before {
            let value = stored[series] ?? -1
            let most = after[series] ?? -1
            if Self.isTime(series) {
                #expect(least <= value && value <= most, "\(series): \(value) is not in \(least)...\(most)")
            } else {
                #expect(least == value && value == most, "\(series): \(value) instead of \(least) and \(most)")
            }
        }
        #expect(stored["myriad_job_examples_total"] ?? 0 >= 20 * 64)
    }

    /// Processes go on using time while they wait.
    private static func isTime(_ series: String) -> Bool {
        series.hasPrefix("myriad_process_cpu_seconds_total") || series.hasPrefix("myriad_shard_busy_seconds_total")
    }

    /// Counters and histograms as they follow from `/api/v1/status`.
    private func counters(of host: String) throws -> Samples {
        let status = try TelemetryJSON.decode(ClusterStatus.self, from: Data(try get("/api/v1/status", of: host).utf8))
        var samples = Samples()
        var isCounter = false
        for line in Prometheus.text(status).split(separator: "\n") {
            if line.hasPrefix("# TYPE ") { isCounter = line.hasSuffix(" counter") || line.hasSuffix(" histogram") }
            guard isCounter, !line.hasPrefix("#"), let space = line.lastIndex(of: " ") else { continue }
            let series = line[..<space]
            let labels = series.matches(of: /([a-z]+)="([^"]*)"/).map { (String($0.1), String($0.2)) }
            let name = String(series.prefix { $0 != "{" })
            samples[Self.key(name, labels)] = Double(line[line.index(after: space)...])
        }
        return samples
    }

    private static func key(_ name: String, _ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return name }
        let sorted = labels.sorted { $0.0 < $1.0 }.map { name, value in
            // Prometheus writes bounds its own way: 1 becomes 1.0.
            "\(name)=\(name == "le" ? Double(value).map { "\($0)" } ?? value : value)"
        }
        return name + "{" + sorted.joined(separator: ",") + "}"
    }

    /// What a Prometheus stores of the page that it scrapes.
    private func scrape(_ host: String) throws -> Samples {
        struct Sample: Decodable {
            let metric: [String: String]
            let value: [Value]
        }
        enum Value: Decodable {
            case time(Double)
            case text(String)
            init(from decoder: any Decoder) throws {
                let box = try decoder.singleValueContainer()
                if let text = try? box.decode(String.self) {
                    self = .text(text)
                } else {
                    self = .time(try box.decode(Double.self))
                }
            }
        }
        let result = PrometheusTools.shell("bash '\(PrometheusTools.root)/cluster/scrape.sh' \(host)")
        try #require(result.code == 0, "\(result.text)")
        var samples = Samples()
        for sample in try JSONDecoder().decode([Sample].self, from: Data(result.text.utf8)) {
            guard case .text(let number) = sample.value.last else { continue }
            let labels = sample.metric.filter { !["__name__", "job", "instance"].contains($0.key) }
            samples[Self.key(sample.metric["__name__"] ?? "", labels.map { ($0.key, $0.value) })] = Double(number)
        }
        return samples
    }

    /// The body of an answer of the page.
    private func get(_ path: String, of host: String) throws -> String {
        let port = host.split(separator: ":").last ?? ""
        let request = "GET \(path) HTTP/1.1\\r\\nHost: \(host)\\r\\nConnection: close\\r\\n\\r\\n"
        let answer = PrometheusTools.shell("exec 3<>/dev/tcp/127.0.0.1/\(port) && printf '\(request)' >&3 && cat <&3")
        // Two characters, but one grapheme.
        let parts = answer.text.components(separatedBy: "\r\n\r\n")
        try #require(answer.code == 0 && parts.count >= 2 && parts[0].contains(" 200 "), "\(path): \(answer.text)")
        return parts.dropFirst().joined(separator: "\r\n\r\n")
    }

    private func stored(_ program: Program) throws -> ClusterStatus {
        try TelemetryJSON.decode(
            ClusterStatus.self, from: Data(contentsOf: URL(filePath: program.directory + "/run/status.json")))
    }

    /// Half a minute at most.
    private func waits(for status: () -> ClusterStatus?, until isThere: (ClusterStatus) -> Bool) throws -> ClusterStatus
    {
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            if let status = status(), isThere(status) { return status }
            Thread.sleep(forTimeInterval: 0.2)
        }
        return try #require(nil, "the cluster never got so far: \(String(describing: status()?.events))")
    }
}
