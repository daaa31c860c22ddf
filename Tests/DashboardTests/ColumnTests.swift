import Foundation
import Telemetry
import Testing

@testable import Display

/// Numbers that look alike stand under their own titles.
@Suite("Columns of the page and of the terminal")
struct ColumnTests {
    /// The cells of a table's first row by the titles above them: text and exact value.
    private func cells(_ id: String, in page: String, row: Int) throws -> [String: String] {
        let table = try #require(page.components(separatedBy: "<table id=\"\(id)\">").dropFirst().first)
        let parts = table.components(separatedBy: "</table>")[0].components(separatedBy: "<tbody>")
        let titles = parts[0].components(separatedBy: "<th scope=\"col\"").dropFirst().map {
            String($0.prefix { $0 != "\n" }.replacing(/<\/th>.*/, with: "").replacing(/^[^>]*>/, with: ""))
        }
        let rows = parts[1].components(separatedBy: "<tr").dropFirst()
        let line = try #require(rows.dropFirst(row).first)
        let found = line.split(separator: /<(?=t[dh][ >])/).dropFirst().map(String.init)
        #expect(found.count == titles.count, "\(titles): \(found)")
        return Dictionary(zip(titles, found)) { $1 }
    }

    private static var status: ClusterStatus {
        var status = SimulatedCluster(shards: 1, workers: 1).status(after: 10)
        for node in status.nodes.indices {
            status.nodes[node].process.threads = 4321
            status.nodes[node].process.openFiles = 765
        }
        status.shards[0].report.pullBytes = 1000
        status.shards[0].report.pushBytes = 111
        status.shards[0].report.valueBytes = 2000
        status.shards[0].report.otherBytes = 222
        status.workers[0].report.receivedBytes = 3333
        status.workers[0].report.sentBytes = 4444
        return status
    }

    @Test("On the page: threads and files, received and sent")
    func page() throws {
        let page = Page(Self.status).markup.text
        let node = try cells("nodes-table", in: page, row: 1)
        #expect(node["Threads"]?.contains(">4,321<") == true && node["Files"]?.contains(">765<") == true, "\(node)")
        let shard = try cells("shards-table", in: page, row: 0)
        #expect(shard["In MB/s"]?.contains("data-value=\"1111\"") == true, "\(shard)")
        #expect(shard["Out MB/s"]?.contains("data-value=\"2222\"") == true, "\(shard)")
        let worker = try cells("workers-table", in: page, row: 0)
        #expect(worker["In MB/s"]?.contains("data-value=\"3333\"") == true, "\(worker)")
        #expect(worker["Out MB/s"]?.contains("data-value=\"4444\"") == true, "\(worker)")
    }

    @Test("On the terminal: threads and files, in and out")
    func terminal() throws {
        var status = Self.status
        status.shards[0].receivedBytesPerSecond = 3e6
        status.shards[0].sentBytesPerSecond = 5e6
        status.workers[0].receivedBytesPerSecond = 7e6
        status.workers[0].sentBytesPerSecond = 9e6
        func values(_ lines: [Line], row: Int) -> [String: String] {
            let words = lines.map { $0.text.split(separator: /\s\s+/).map(String.init) }
            return Dictionary(zip(words[0].reversed(), words[1 + row].reversed())) { first, _ in first }
        }
        for node in status.nodes.indices { status.nodes[node].endpoints = ["ipc:x"] }
        let node = values(Scene(status, width: 10_000).nodes, row: 1)
        #expect(node["THREADS"] == "4,321" && node["FILES"] == "765", "\(node)")
        let moment = Moment(now: status.time, isLive: true)
        let shard = values(Scene(status, at: moment, width: 10_000).shards(by: .number), row: 0)
        #expect(shard["IN MB/s"] == "3.00" && shard["OUT MB/s"] == "5.00", "\(shard)")
        let worker = values(Scene(status, width: 10_000).workers, row: 0)
        #expect(worker["IN MB/s"] == "7.00" && worker["OUT MB/s"] == "9.00", "\(worker)")
    }

    @Test("Every sign that markup has is escaped, in attributes too, and no other code is let in")
    func escapes() {
        #expect(Markup.escape("<a href=\"x\" b='y'>&") == "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;")
        let markup: Markup = "<i title=\"\("\" onload=\"x")\">"
        #expect(markup.text == "<i title=\"&quot; onload=&quot;x\">")
        let head = String(decoding: Response().head(closes: true), as: UTF8.self)
        let policy = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Security-Policy: ") } ?? ""
        #expect(
            String(policy) == "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; "
                + "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    }
}
