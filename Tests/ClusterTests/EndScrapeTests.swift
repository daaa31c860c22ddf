import Foundation
import Processes
import Telemetry
import TestMachine
import Testing

/// A real Prometheus that scrapes every five seconds, with the rules of `cluster/alerts.yml`: it sees how jobs end.
@Suite(.enabled(if: PrometheusTools.isInstalled, "Prometheus is missing: \(PrometheusTools.installed.text)"))
struct EndScrapeTests {
    /// Prometheus, and the schedulers that it scrapes by what is to become of them.
    private final class World {
        let program: Program
        var pages: [String: Int] = [:]
        private var listens: [String: Int] = [:]
        private(set) var processes: [String: Child] = [:]
        private let prometheus: Int

        init() throws {
            program = try Program()
            try program.prepareWorld()
            let listeners = try (0..<5).map { _ in try LocalPort.listen() }
            for listener in listeners { close(listener.descriptor) }
            let ports = listeners.map(\.port)
            prometheus = ports[4]
            pages = ["good": ports[0], "bad": ports[1]]
            listens = ["good": ports[2], "bad": ports[3]]
            try """
            global: {scrape_interval: 5s, scrape_timeout: 4s, evaluation_interval: 1s}
            rule_files: ['\(PrometheusTools.root)/cluster/alerts.yml']
            scrape_configs:
              - job_name: myriad
                static_configs: [{targets: ['127.0.0.1:\(ports[0])', '127.0.0.1:\(ports[1])']}]
            """.write(toFile: program.directory + "/prometheus.yml", atomically: true, encoding: .utf8)
            let child = Child()
            let bin = PrometheusTools.installed.text.trimmingCharacters(in: .whitespacesAndNewlines)
            child.executableURL = URL(filePath: bin + "/prometheus")
            child.arguments = [
                "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:\(prometheus)", "--log.level=warn",
            ]
            child.currentDirectoryURL = URL(filePath: program.directory)
            child.standardOutput = FileHandle.nullDevice
            child.standardError = FileHandle.nullDevice
            try child.run()
            processes["prometheus"] = child
        }

        func scheduler(_ name: String, _ overrides: [String]) throws {
            let listen = "127.0.0.1:\(listens[name] ?? 0)"
            let arguments = [
                "scheduler", "job.yaml", "--run", name, "--listen", listen, "cluster.servers=1", "cluster.workers=1",
                "monitor.page=127.0.0.1:\(pages[name] ?? 0)", "checkpoint.every=0",
            ]
            processes[name] = try program.start(arguments + overrides)
        }

        func nodes(of name: String) throws {
            let scheduler = "127.0.0.1:\(listens[name] ?? 0)"
            for role in ["server", "worker"] {
                var arguments = [role, "--scheduler", scheduler]
                if role == "server" { arguments += ["--checkpoints", "\(name)/checkpoints"] }
                processes["\(name) \(role)"] = try program.start(arguments)
            }
        }

        /// What Prometheus answers to a query: labels as they stand in JSON, or nothing yet.
        func ask(_ query: String) -> [[String: String]] {
            struct Answer: Decodable {
                struct Result: Decodable { let metric: [String: String] }
                struct Contents: Decodable { let result: [Result] }
                let data: Contents
            }
            let escaped = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            guard let text = try? Web.get(UInt16(prometheus), "/api/v1/query?query=\(escaped)"),
                let answer = try? JSONDecoder().decode(Answer.self, from: Data(text.utf8))
            else { return [] }
            return answer.data.result.map(\.metric)
        }

        /// Half a minute at most.
        func until(_ isThere: () -> Bool) -> Bool {
            let deadline = ContinuousClock.now + .seconds(40)
            while .now < deadline {
                if isThere() { return true }
                Thread.sleep(forTimeInterval: 0.1)
            }
            return false
        }
    }

    @Test("It sees a finished job end without a critical alert, and JobFailed and NodeLost of one that failed")
    func ends() throws {
        let world = try World()
        try world.scheduler("good", [])
        try world.scheduler("bad", ["train.max_steps=0", "train.epochs=100000", "cluster.silence=2"])
        try #require(world.until { world.ask("up == 1 and scrape_samples_scraped > 0").count == 2 })
        try world.nodes(of: "good")
        try world.nodes(of: "bad")
        let status = world.program.directory + "/bad/status.json"
        try #require(
            world.until {
                let data = FileManager.default.contents(atPath: status) ?? Data()
                return (try? TelemetryJSON.decode(ClusterStatus.self, from: data))?.job.state == .running
            })
        world.processes["bad worker"]?.kill()
        for name in ["good", "bad"] { try #require(world.until { world.processes[name]?.isRunning == false }) }
        #expect(world.processes["good"]?.terminationStatus == 0)
        // The last word of each was stored before it went.
        func instance(_ name: String) -> String { "127.0.0.1:\(world.pages[name] ?? 0)" }
        for (name, state) in [("good", "finished"), ("bad", "failed")] {
            let last = world.ask("last_over_time(myriad_job_state{state=\"\(state)\"}[5m]) == 1")
            #expect(last.map { $0["instance"] } == [instance(name)], "\(name): \(last)")
        }
        func alerts() -> [[String: String]] { world.ask("ALERTS{severity=\"critical\"}") }
        #expect(
            world.until {
                Set(alerts().compactMap { $0["alertname"] }).isSuperset(of: ["MyriadJobFailed", "MyriadNodeLost"])
            })
        // Nobody answers any more, and that is no news: not even a pending alert.
        #expect(world.until { world.ask("up == 0").count == 2 })
        #expect(alerts().allSatisfy { $0["instance"] == instance("bad") }, "\(alerts())")
        #expect(!alerts().contains { $0["alertname"] == "MyriadSchedulerDown" }, "\(alerts())")
    }
}
