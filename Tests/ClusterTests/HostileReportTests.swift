import Foundation
import Job
import Telemetry
import Testing
import Wire

@testable import Cluster
@testable import Scheduler

/// What a joined node can say, whatever it says, does not end the scheduler.
@Suite struct HostileReportTests {
    private func book() throws -> (book: ClusterBook, job: Job, program: Program) {
        let program = try Program()
        try program.prepareWorld()
        let text = try String(contentsOfFile: program.directory + "/job.yaml", encoding: .utf8)
            .replacingOccurrences(of: "directory: world", with: "directory: \(program.directory)/world")
        let job = try Job(try ConfigReader.read(text: text, name: "job.yaml"))
        return (ClusterBook(job), job, program)
    }

    @Test("Progress and reports of numbers at the ends of their types: books, lines and pages go on")
    func numbers() throws {
        let (book, job, program) = try book()
        let monitor = Monitor(job, run: nil, quiet: true, book: book)
        monitor.take(.started(nodes: 2, warnings: []))
        for value in [Int.max, .min, -1, Int.max, Int.max] {
            for seconds in [Double.greatestFiniteMagnitude, -.infinity, .nan] {
                let progress = Progress(
                    step: value, samples: value, loss: seconds, auxiliaryLoss: seconds, computeSeconds: seconds,
                    waitSeconds: seconds)
                monitor.take(.progress(worker: 0, progress))
                var report = NodeReport()
                report.time = seconds
                report.waits = [WaitReport(name: "x", seconds: seconds, count: value)]
                report.process.peakBytes = value
                var shard = ShardReport()
                (shard.shard, shard.step, shard.queue) = (value, value, value)
                (shard.pullBytes, shard.pushBytes, shard.valueBytes, shard.otherBytes) = (value, value, value, value)
                (shard.missing, shard.microBatches) = ([value, 3, 8, 2, 0, value], value)
                shard.parked = [ParkedPull(worker: value, step: value, seconds: seconds)]
                shard.staleness = [value, value]
                shard.malformed = Dictionary([value, -1, 0].map { ($0, value) }) { $1 }
                shard.workers = [WorkerPlace()]
                shard.workers[0].pulled = value
                var table = TableReport()
                (table.name, table.rows, table.refusedRows, table.hotTotal) = ("item", value, value, value)
                table.distinct = seconds
                table.hot = [HotId(id: 1, count: value, error: value)]
                shard.tables = [table, table]
                report.shards = [shard, shard]
                monitor.take(.counters(Member(role: .server, rank: 0), report))
                var worker = WorkerReport()
                (worker.samples, worker.references, worker.pulledRows) = (value, value, value)
                worker.waitByShard = [seconds, seconds]
                report.worker = worker
                monitor.take(.counters(Member(role: .worker, rank: 0), report))
                monitor.take(
                    .pulse([], waits: [WaitReport(name: "y", seconds: seconds, count: value)], turnedAway: [:]))
                #expect(Prometheus.text(book.status).hasSuffix("\n"))
            }
        }
        monitor.take(
            .finished(Outcome(step: 1, reason: "", bestStep: nil, bestValidation: nil, test: nil, reports: [:])))
        monitor.close()
        #expect(monitor.summary().count > 1 && book.status.job.samples > 0)
        _ = program
    }

    @Test("Connections that the page closed are counted with those that the scheduler did not let in")
    func strangers() throws {
        let (book, _, program) = try book()
        book.board.turnAway()
        book.board.turnAway()
        _ = book.take(.pulse([], waits: [], turnedAway: ["plaintext": 3]))
        #expect(book.status.nodes[0].turnedAway == ["plaintext": 3, "page": 2])
        #expect(
            Prometheus.text(book.status).contains(
                "myriad_refused_connections_total{role=\"scheduler\",index=\"0\"} 5\n"))
        _ = program
    }

    @Test("A process knows its open files and its threads apart")
    func handles() throws {
        let before = SystemInfo.process()
        let files = try (0..<200).map { _ in try #require(FileHandle(forReadingAtPath: "/dev/null")) }
        let after = SystemInfo.process()
        #expect(after.openFiles >= 200 && after.threads < 200 && before.threads > 0)
        for file in files { try file.close() }
    }
}
