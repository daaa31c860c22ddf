import Foundation
import Telemetry
import Testing

@testable import Display

/// A number is the same text in the terminal, on the page and in the report.
@Suite("Quantities over all surfaces")
struct SurfaceTests {
    private static let status: ClusterStatus = {
        var status = SimulatedCluster(shards: 2, workers: 2).status(after: 3725)
        status.shards[0].report.parked = [ParkedPull(worker: 0, step: 7, seconds: 2)]
        status.shards[1].report.checkpoint = status.job.checkpoint
        status.shards[1].report.duplicates = 12
        status.workers[1].report.retries = 123_456
        status.nodes[2].silentSeconds = 130
        status.nodes[2].warnings = 3
        status.nodes[3].process.residentBytes = 999_500
        status.nodes[3].process.openFiles = 4321
        status.waits[0].seconds = 7.5
        status.failure = AnswerTests.failure
        return status
    }()
    private let context = Context(Self.status)
    private let page = Page(Self.status).markup.text
    private let report = Report([RecordedRun(name: "run", status: Self.status, points: [], config: "")]).html

    /// Each value of each column: once as the terminal's cell, once as the page's, once as the report's.
    private func compare<Row>(_ entity: String, _ columns: [Column<Row>], _ rows: [Row], terminal: [Line]? = nil) {
        for (place, row) in rows.enumerated() {
            for column in columns {
                let cell = column.cell(row, context)
                let what = "\(entity) \(place), \(column.head): \(cell.text)"
                if let terminal, column.importance > 0, !cell.text.isEmpty {
                    let words = terminal[place + 1].text.split(separator: /\s\s+/).map {
                        $0.trimmingCharacters(in: .whitespaces)
                    }
                    #expect(words.contains(cell.text), "\(what) in \(words)")
                }
                guard !column.isNarrow, !cell.text.isEmpty else { continue }
                for html in [page, report] {
                    let text = Markup.escape(cell.text)
                    #expect(html.contains(">\(text)<") || html.contains(">! \(text)<"), "\(what)")
                    if !cell.note.isEmpty { #expect(html.contains("<small>\(Markup.escape(cell.note))</small>")) }
                }
            }
        }
    }

    @Test("Shards, workers, processes, tables, hot ids, waits, evaluations, events and faults")
    func entities() {
        let status = Self.status
        let width = 10_000
        compare(
            "shard", ShardColumns.main, status.shards,
            terminal: Scene(status, at: context.moment, width: width).shards(by: .number))
        for group in ShardColumns.groups { compare("shard", group.value, status.shards) }
        compare("worker", WorkerColumns.main, status.workers, terminal: Scene(status, width: width).workers)
        for group in WorkerColumns.groups { compare("worker", group.value, status.workers) }
        compare("process", NodeColumns.main, status.nodes, terminal: Scene(status, width: width).nodes)
        compare("table", TableColumns.main, status.tables)
        for table in status.tables {
            let ids = TableColumns.ranked(table, most: 20)
            let lines = Array(Scene(status, width: width).hotIds(table, count: 20).dropFirst())
            compare("hot id", TableColumns.hot, ids, terminal: lines)
        }
        compare("evaluation", EventColumns.evaluations, status.evaluations)
        compare("event", EventColumns.events, status.events)
        compare("fault", Fault.columns, Fault.all(of: status))
        let waits = Scene(status, width: width).openWaits
        for (wait, line) in zip(status.waits, waits.dropFirst()) {
            for column in EventColumns.waits {
                let text = column.cell(wait, context).text
                #expect(line.text.contains(text) && page.contains(">\(Markup.escape(text))<"), "\(text)")
            }
        }
    }

    @Test("What this program writes as markup is markup: nothing of it is escaped")
    func markup() {
        for html in [page, report] {
            // Of the status itself only "4..<8" needs an escape.
            for sign in ["&lt;/", "&lt;p", "&lt;s", "&lt;t", "&quot;"] { #expect(!html.contains(sign), "\(sign)") }
        }
        #expect(page.contains("<section id=\"failure\" class=\"failure\""))
    }

    @Test("The job: rows, memory, metrics, skew, its checkpoint and its failure")
    func job() throws {
        let status = Self.status
        let terminal =
            (Scene(status, at: context.moment, width: 500).whole
            + Scene(status, width: 500).balance).map(\.text).joined(separator: "\n")
        let best = try #require(status.best)
        let failure = try #require(status.failure)
        let checkpoint = try #require(status.job.checkpoint)
        var texts = [
            Quantity.count(status.rows), Quantity.bytes(status.memory), Quantity.metric(best.auc),
            Quantity.exact(status.job.step), "at \(Quantity.clock(failure.time)) UTC",
        ]
        texts += status.skews.map { Quantity.ratio($0.value) }
        for text in texts {
            for surface in [terminal, page, report] { #expect(surface.contains(text), "\(text)") }
        }
        for text in [checkpoint.rest(at: context.moment), Quantity.metric(status.job.loss)] {
            for surface in [terminal, page] { #expect(surface.contains(text), "\(text)") }
        }
    }

    @Test("What the API says in numbers is what the page's exact values say")
    func api() throws {
        let read = try TelemetryJSON.decode(
            ClusterStatus.self, from: StatusJSON.whole(Self.status) { StatusJSON.section($0, of: Self.status) })
        for (shard, columns) in read.shards.flatMap({ shard in
            ([ShardColumns.main] + ShardColumns.groups.map(\.value)).map { (shard, $0) }
        }) {
            for column in columns where !column.name.isEmpty {
                let cell = column.cell(shard, Context(read))
                let exact = try #require(cell.exact)
                #expect(page.contains("data-name=\"\(column.name)\" data-value=\"\(exact)\""), "\(column.name)")
            }
        }
    }
}
