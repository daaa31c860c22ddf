import ArgumentParser
import Display
import Foundation
import Telemetry
import Wire

struct Stat: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a line every second: step, samples/s, loss, AUC, rows, traffic, waits, what limits the job.",
        discussion: """
            Rates are differences of counters between two lines. It ends with the job; of a job that has ended it \
            prints one line, of means over the run.

            Examples:
              myriad stat
              myriad stat tcp://10.0.0.1:5555 -i 5 --count 12
              myriad stat -o json >> stat.jsonl          # one object a line
            """)

    /// Lines between two headers.
    private static let page = 20

    @OptionGroup var look: LookArguments

    @Option(name: .shortAndLong, help: "Seconds between two lines.")
    var interval = 1.0

    @Option(name: .shortAndLong, help: "Lines to print; until the job ends unless given.")
    var count: Int?

    func validate() throws {
        guard interval.isFinite, interval >= 0.1, interval <= 86400 else {
            throw ValidationError("--interval has to be between 0.1 and 86400 seconds, not \(interval)")
        }
        if let count, count < 1 { throw ValidationError("--count has to be at least 1, not \(count)") }
    }

    func run() throws {
        let source = try look.source()
        var before: ClusterStatus?
        var printed = 0
        while count.map({ printed < $0 }) ?? true {
            let status = try look.read(source).status
            let moment = LookArguments.moment(source)
            // Differences are of counters; what a finished run has instead are its means.
            let since = status.isOver ? nil : before
            let isNews = before.map { status.time > $0.time || status.job.state != $0.job.state } ?? true
            if isNews {
                try show(StatPoint(status, since: since), line: printed)
                printed += 1
                before = status
            }
            if status.isOver {
                LookArguments.remark("\(status.job.name): \(moment.provenance(of: status))")
                if let failure = status.failure { LookArguments.remark("\(failure.first): \(failure.what)") }
                return
            }
            // What was not news is looked for again soon: the scheduler has its own beat.
            Thread.sleep(forTimeInterval: isNews ? interval : min(interval, 0.1))
        }
    }

    private func show(_ point: StatPoint, line: Int) throws {
        if look.output == .json {
            LookArguments.write(try LookArguments.json(point, pretty: false))
            return
        }
        let width = LookArguments.width == 10_000 ? 160 : LookArguments.width
        let header = line % Stat.page == 0 ? [StatView.header(width: width)] : []
        look.print(lines: header + [StatView.line(point, width: width)])
    }
}
