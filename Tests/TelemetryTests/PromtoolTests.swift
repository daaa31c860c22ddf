import Foundation
import Testing

@testable import Telemetry

/// What Prometheus itself says of the page, and of the files in `cluster/`.
@Suite(.enabled(if: Promtool.isInstalled, "Prometheus is missing: \(Promtool.reason)"))
struct PromtoolTests {
    private static let page = Prometheus.text(SimulatedStatus.make())

    @Test("promtool check metrics has nothing to say of the page, and would have")
    func metrics() {
        #expect(Promtool.run("check", "metrics", input: Self.page) == .init(code: 0, output: ""))
        let hostile = Prometheus.text(SimulatedStatus.make(tables: ["a\"b\\", "a\nb", "\u{0}", "ü"]))
        #expect(Promtool.run("check", "metrics", input: hostile) == .init(code: 0, output: ""))
        #expect(Promtool.run("check", "metrics", input: "# HELP x y\n# TYPE x counter\nx 1\n").code != 0)
    }

    @Test("promtool accepts the rules and the scrape configs, the one with a token too")
    func configs() throws {
        let rules = Promtool.run("check", "rules", "alerts.yml")
        #expect(rules.code == 0, "\(rules.output)")
        let config = Promtool.run("check", "config", "prometheus.yml")
        #expect(config.code == 0, "\(config.output)")
        // The example that is a comment, as if it were none.
        let text = try Self.file("prometheus.yml")
        let remote = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("  # - ") || line.hasPrefix("  #   ") ? "  " + line.dropFirst(4) : line
        }.joined(separator: "\n")
        #expect(remote.contains("\n      credentials_file: token\n"))
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, content) in [
            ("prometheus.yml", remote), ("alerts.yml", try Self.file("alerts.yml")), ("token", "x"),
        ] {
            try content.write(to: directory.appending(path: name), atomically: true, encoding: .utf8)
        }
        let whole = Promtool.run("check", "config", directory.appending(path: "prometheus.yml").path)
        #expect(whole.code == 0, "\(whole.output)")
    }

    @Test("each alert fires in its unit test, and none in that of a healthy job")
    func alerts() throws {
        let result = Promtool.run("test", "rules", "../Tests/Scripts/alerts.test.yml")
        #expect(result.code == 0, "\(result.output)")
        let tests = try Self.file("../Tests/Scripts/alerts.test.yml")
        let names = try Self.file("alerts.yml").matches(of: /alert: (\w+)/).map { String($0.output.1) }
        #expect(names.count == 18)
        for name in names {
            let isExpected =
                tests.contains("ALERTS{alertname=\"\(name)\", alertstate=\"firing\"")
                || tests.contains(
                    "alertname: \(name)\n        eval_time: ") && tests.contains("exp_labels")
            #expect(isExpected, "\(name) fires in no test")
        }
    }

    @Test("alerts and dashboard use metrics that exist, and the dashboard's expressions are ones")
    func names() throws {
        let families = try ScrapedPage(Self.page).families
        let dashboard = try Self.file("grafana.json")
        for text in [try Self.file("alerts.yml"), dashboard] {
            let names = text.matches(of: /myriad_[a-z_]+/).map { String($0.output) }
            #expect(names.count > 20)
            for name in names {
                let family = ["_bucket", "_sum", "_count"].first {
                    name.hasSuffix($0) && families[String(name.dropLast($0.count))]?.type == "histogram"
                }.map { String(name.dropLast($0.count)) }
                #expect(families[family ?? name] != nil, "\(name) is on no page")
            }
        }
        let panels = try JSONDecoder().decode(Dashboard.self, from: Data(dashboard.utf8)).panels
        #expect(Set(panels.map(\.id)).count == panels.count)
        #expect(panels.filter { $0.type == "row" }.count == 9)
        let targets = panels.flatMap { $0.targets ?? [] }
        #expect(targets.allSatisfy { $0.datasource.uid == "${datasource}" })
        var rules = "groups:\n  - name: dashboard\n    rules:\n"
        for (number, target) in targets.enumerated() {
            let expression = target.expr.replacing("$__rate_interval", with: "1m")
            rules += "      - {record: panel:\(number), expr: '\(expression)'}\n"
        }
        let path = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString).yml")
        defer { try? FileManager.default.removeItem(at: path) }
        try rules.write(to: path, atomically: true, encoding: .utf8)
        let result = Promtool.run("check", "rules", path.path)
        #expect(result.code == 0, "\(result.output)")
        #expect(result.output.contains("\(targets.count) rules found"))
    }

    @Test("a real Prometheus scrapes each series of the page, with its value")
    func scrape() throws {
        let served = try ServedPage(Self.page, contentType: Prometheus.contentType)
        let script = Promtool.root.appending(path: "cluster/scrape.sh").path
        let result = withExtendedLifetime(served) {
            Promtool.Result(command: [script, "127.0.0.1:\($0.port)"])
        }
        try #require(result.code == 0, "\(result.output)")
        var stored: [ScrapedPage.Series: Double] = [:]
        for sample in try JSONDecoder().decode([Stored].self, from: Data(result.output.utf8)) {
            let labels = sample.metric.filter { !["__name__", "job", "instance"].contains($0.key) }
            stored[.init(name: sample.metric["__name__"] ?? "", labels: labels)] = sample.value.number
        }
        let page = try ScrapedPage(Self.page)
        for (series, value) in page.samples where stored[series] != value {
            Issue.record("\(series): stored as \(String(describing: stored[series])) instead of \(value)")
        }
        #expect(stored.keys.filter { $0.name.hasPrefix("myriad_") }.count == page.samples.count)
        #expect(stored[.init(name: "scrape_samples_scraped", labels: [:])] == Double(page.samples.count))
    }

    private static func file(_ name: String) throws -> String {
        try String(contentsOf: Promtool.root.appending(path: "cluster/" + name), encoding: .utf8)
    }
}

/// What is checked of `grafana.json`.
private struct Dashboard: Decodable {
    struct Source: Decodable { let uid: String }
    struct Target: Decodable {
        let expr: String
        let datasource: Source
    }
    struct Panel: Decodable {
        let id: Int
        let type: String
        let targets: [Target]?
    }
    let panels: [Panel]
}

/// A sample in an answer of Prometheus.
private struct Stored: Decodable {
    /// `[time, "number"]`.
    struct Value: Decodable {
        let number: Double

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            _ = try pair.decode(Double.self)
            number = Double(try pair.decode(String.self)) ?? .nan
        }
    }
    let metric: [String: String]
    let value: Value
}
