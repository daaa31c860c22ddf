import Foundation
import Telemetry
import Testing

@testable import Display

/// A report's figures, read from its text.
@Suite struct ContinuedRunTests {
    /// The places of a picture's lines, by its title.
    private func lines(of chart: String, in html: String) -> [String] {
        let figures = html.components(separatedBy: "<figure class=\"chart\">")
        let figure = figures.first { $0.hasPrefix("<figcaption>\(chart)</figcaption>") } ?? ""
        return figure.components(separatedBy: "</figure>")[0].matches(of: /<polyline class="line" points="([^"]*)"/).map
        {
            String($0.1)
        }
    }

    @Test("A continued run's report has a gap where nothing ran, and counts the seconds and samples of all starts")
    func starts() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var text = ""
        // Ten seconds each, with a pause of 1,000 seconds, in which the next one's nodes have joined.
        for (number, began) in [1_764_000_000, 1_764_001_010, 1_764_002_020].enumerated() {
            text += "{\"event\":\"joined\",\"time\":\(began - 2),\"node\":\"worker 0\",\"host\":\"h\"}\n"
            text += "{\"event\":\"started\",\"time\":\(began),\"nodes\":2}\n"
            for second in 1...10 {
                text +=
                    "{\"event\":\"progress\",\"time\":\(began + second),\"step\":\(number * 10 + second),"
                    + "\"samples\":\(second * 100),\"samples_per_second\":100,\"loss\":0.5,\"rows\":7}\n"
            }
            if number < 2 { text += "{\"event\":\"stopped\",\"time\":\(began + 10),\"what\":\"x\",\"step\":10}\n" }
        }
        text += "{\"event\":\"finished\",\"time\":1764002030,\"step\":30,\"samples_per_second\":100}\n"
        try text.write(to: directory.appending(path: "metrics.jsonl"), atomically: true, encoding: .utf8)
        let run = try RecordedRun(directory: directory.path)
        #expect(
            run.starts.map { $0.ended - $0.began } == [10, 10, 10] && run.starts.map(\.samples) == [1000, 1000, 1000])
        let html = Report([run]).html
        for chart in ["Samples a second", "Rows stored"] { #expect(lines(of: chart, in: html).count == 3, "\(chart)") }
        // Steps go on where they were.
        #expect(lines(of: "Loss a sample", in: html).count == 1)
        #expect(html.contains("30 s<small>3 starts, ended ") && html.contains("100<small>3,000 samples, 3 starts<"))
    }

    @Test("Steps that a continued run has done again stand in its curves once, as they were done last")
    func repeated() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var text = ""
        // Nine steps, of which all after the second are lost.
        for (time, step) in [1, 2, 5, 7, 9, 3, 6, 8, 10].enumerated() {
            text +=
                "{\"event\":\"progress\",\"time\":\(time),\"step\":\(step),\"samples\":8,"
                + "\"samples_per_second\":100,\"loss\":\(time),\"rows\":7}\n"
        }
        try text.write(to: directory.appending(path: "metrics.jsonl"), atomically: true, encoding: .utf8)
        let run = try RecordedRun(directory: directory.path)
        #expect(run.points.map(\.step) == [1, 2, 3, 6, 8, 10] && run.points.map(\.loss) == [0, 1, 5, 6, 7, 8])
    }

    @Test("What a long run's status leaves out of its evaluations stands in the report all the same")
    func evaluations() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "myriad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var status = ClusterStatus()
        var text = ""
        for step in 1...300 {
            let auc = step == 7 ? 0.9 : 0.7
            status.add(
                EvaluationStatus(
                    time: Double(step), split: "validation", step: step, samples: step, auc: auc, gauc: nil,
                    logLoss: 0.5,
                    calibration: 1, isBest: step == 7))
            text +=
                "{\"event\":\"evaluated\",\"time\":\(step),\"split\":\"validation\",\"step\":\(step),\"samples\":\(step),"
                + "\"auc\":\(auc),\"gauc\":null,\"log_loss\":0.5,\"calibration\":1}\n"
        }
        #expect(status.evaluations.count < 300)
        try text.write(to: directory.appending(path: "metrics.jsonl"), atomically: true, encoding: .utf8)
        try TelemetryJSON.encode(status).write(to: directory.appending(path: "status.json"))
        let run = try RecordedRun(directory: directory.path)
        #expect(run.status.evaluations.map(\.step) == Array(1...300))
        #expect(run.status.evaluations.filter(\.isBest).map(\.step) == [7])
    }

    @Test("Received and sent, threads and files stand under their own titles")
    func columns() throws {
        var simulation = Simulation(shards: 1, workers: 1, seconds: 20)
        simulation.status.shards[0].report.pullBytes = 1000
        simulation.status.shards[0].report.pushBytes = 11
        simulation.status.shards[0].report.valueBytes = 500
        simulation.status.shards[0].report.otherBytes = 22
        simulation.status.workers[0].report.receivedBytes = 333
        simulation.status.workers[0].report.sentBytes = 444
        for node in simulation.status.nodes.indices {
            simulation.status.nodes[node].process.threads = 4321
            simulation.status.nodes[node].process.openFiles = 765
        }
        for index in simulation.points.indices {
            simulation.points[index].receivedBytesPerSecond = 100
            simulation.points[index].sentBytesPerSecond = 900
        }
        let html = Report([RecordedRun(name: "run", status: simulation.status, points: simulation.points, config: "")])
            .html
        /// The first row of the table whose titles end so.
        func row(_ titles: String...) -> [String] {
            let heads = titles.map { "<th scope=\"col\"[^>]*>\($0)</th>" }.joined()
            guard let regex = try? Regex<Substring>(heads + "</tr></thead><tbody>\\s*<tr[^>]*>"),
                let match = html.firstMatch(of: regex)
            else { return [] }
            let line = html[match.range.upperBound...].prefix { $0 != "\n" }
            return line.matches(of: /<td[^>]*>(.*?)<\/td>/).map { String($0.1) }
        }
        #expect(html.contains(">1.01 kB</td><td class=\"n\">522 B</td>"))
        #expect(html.contains(">333 B</td><td class=\"n\">444 B</td>"))
        #expect(row("Threads", "Files", "Warn", "Up", "Listens on").dropLast(3).suffix(2) == ["4,321", "765"])
        // In the picture the lower line is what was received, and its name says so.
        #expect(html.contains("</span>received <b>100 B</b>"))
        #expect(html.contains("</span>sent <b>900 B</b>"))
    }

    @Test("Every sign that markup has is escaped, in attributes too")
    func escapes() {
        #expect(Markup.escape("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;")
        let markup: Markup = "<i title=\"\("\" onload=\"x")\">"
        #expect(markup.text == "<i title=\"&quot; onload=&quot;x\">")
    }
}
