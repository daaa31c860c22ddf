import ArgumentParser
import Cluster
import Display
import Foundation
import Telemetry
import Wire

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the logs of a run's processes as one, each line with its process.",
        discussion: """
            Examples:
              myriad logs -f                             # of the newest run, until it ends
              myriad logs runs/din-1 --role worker --rank 1 --tail 50
              myriad logs --grep 'warning|error'
            """)

    @OptionGroup var look: LookArguments

    @Flag(name: .shortAndLong, help: "Go on as the logs grow, until the job has ended.")
    var follow = false

    @Option(help: "Only of this role: scheduler, server or worker.")
    var role: String?

    @Option(help: "Only of this rank.")
    var rank: Int?

    @Option(help: "Only lines in which this regular expression matches.")
    var grep: String?

    @Option(help: "Only the last lines of each process.")
    var tail: Int?

    /// What `-o json` prints a line of.
    private struct Record: Encodable {
        let name: String
        let role: String
        let text: String
    }

    func validate() throws {
        if let role, !["scheduler", "server", "worker"].contains(role) {
            throw ValidationError("--role is scheduler, server or worker, not '\(role)'")
        }
        if let tail, tail < 0 { throw ValidationError("--tail has to be at least 0, not \(tail)") }
        if let grep {
            do {
                _ = try Regex(grep)
            } catch {
                throw ValidationError("--grep '\(grep)' is no regular expression: \(error)")
            }
        }
    }

    func run() throws {
        let source = try look.source()
        var status = try look.read(source).status
        guard let directory = source.directory else {
            throw Exit.with(
                .unavailable,
                "\(status.job.directory): the run's directory is not on this machine: run myriad logs where the "
                    + "scheduler runs (\(status.nodes.first { $0.role == "scheduler" }?.host ?? source.endpoint))")
        }
        let pattern = try grep.map { try Regex($0) }
        let reader = LogReader(
            directory: directory + "/logs", role: role, rank: rank, tail: pattern == nil ? tail : nil)
        var isFirst = true
        while true {
            // The status is older than the lines: what a job wrote before its end is printed.
            let isEnd = !follow || status.isOver
            let entries = reader.read(last: isEnd) { text in pattern.map { text.contains($0) } ?? true }
            try show(entries, reader, tail: isFirst ? tail : nil)
            if isFirst, reader.isEmpty {
                LookArguments.remark(
                    "\(directory)/logs holds no such log\(follow && !isEnd ? " yet" : ""): `scheduler.log` "
                        + "is the scheduler's; `launch` writes one for each server and worker too")
            }
            isFirst = false
            guard !isEnd else { break }
            Thread.sleep(forTimeInterval: 0.25)
            LookArguments.endWithoutReader()
            status = try look.read(source).status
        }
        if follow { LookArguments.remark("\(status.job.name): \(LookArguments.moment(source).provenance(of: status))") }
    }

    private func show(
        _ entries: [LogEntry], _ reader: LogReader, tail: Int?
    ) throws {
        var entries = entries
        if let tail {
            let later = Dictionary(grouping: entries.indices) { entries[$0].name }
            let kept = Set(later.values.flatMap { $0.suffix(tail) })
            entries = entries.indices.filter(kept.contains).map { entries[$0] }
        }
        guard !entries.isEmpty else { return }
        if look.output == .json {
            for entry in entries {
                let record = Record(name: entry.name, role: entry.role, text: entry.text)
                LookArguments.write(try LookArguments.json(record, pretty: false))
            }
        } else {
            let width = reader.nameWidth
            look.print(lines: entries.map { $0.line(nameWidth: width) })
        }
    }
}
