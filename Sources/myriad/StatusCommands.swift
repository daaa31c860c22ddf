import ArgumentParser
import Display
import Telemetry

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how a job stands: progress, quality, what limits it, every process, waits and failures.",
        discussion: """
            Examples:
              myriad status                              # the newest run in runs/
              myriad status runs/din-1               # live while it runs, from files later
              myriad status tcp://10.0.0.1:5555          # from another machine
              myriad status -o json | jq .job.samples_per_second
            """)

    @OptionGroup var look: LookArguments

    func run() throws {
        try look.show({ $0 }) { Scene($0, at: $1, width: $2).whole }
    }
}

struct Shards: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every shard: rows, memory, traffic, latency, queue, waits; then the skew.",
        discussion: """
            Examples:
              myriad shards
              myriad shards runs/din-1 --shard 0     # memory by kind, tables, refusals
              myriad shards -v                           # that of every shard
              myriad shards -o json | jq '.shards[] | {shard: .report.shard, busy}'
            """)

    @OptionGroup var look: LookArguments

    @Option(help: "Everything of this shard only.")
    var shard: Int?

    @Flag(name: .shortAndLong, help: "Everything of every shard.")
    var verbose = false

    func run() throws {
        func chosen(_ status: ClusterStatus) throws -> [ShardStatus] {
            let (name, numbers) = (shard.map { "shard \($0)" }, "0 to \(status.shards.count - 1)")
            return try LookArguments.chosen(name, of: status.shards, numbers) { $0.report.shard == shard }
        }
        try look.show { status in
            Part(time: status.time, state: status.job.state, shards: try chosen(status), skew: status.skew)
        } _: { status, moment, width in
            let head = LookArguments.head(status, at: moment, width: width)
            let shards = try chosen(status)
            guard verbose || shard != nil else { return head + Scene(status, at: moment, width: width).shards }
            return head
                + shards.map { Scene(status, at: moment, width: width).shard($0) }.joined(separator: [Line()])
        }
    }
}

struct Workers: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every worker: samples/s, where its time goes, and which shard it waits for.",
        discussion: """
            Examples:
              myriad workers
              myriad workers tcp://10.0.0.1:5555 -o json | jq '.workers[] | {rank, wait}'
            """)

    @OptionGroup var look: LookArguments

    func run() throws {
        try look.show {
            Part(time: $0.time, state: $0.job.state, limitedBy: $0.limitedBy, workers: $0.workers)
        } _: { status, moment, width in
            var lines = LookArguments.head(status, at: moment, width: width) + Scene(status, width: width).workers
            if !status.limitedBy.isEmpty { lines.append(Line("limited by: \(status.limitedBy)").clipped(to: width)) }
            return lines
        }
    }
}

struct Hotkeys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the ids that most samples contain, their share and shard, and how many ids there are.",
        discussion: """
            Counted always, by Space-Saving: the true count of an id is at most `error` below the one that is shown. \
            Distinct ids are estimated by HyperLogLog with a standard error of 1.6 %. The id of a text is its hash: \
            the names of ids are not kept.

            Examples:
              myriad hotkeys                             # 10 ids of every table
              myriad hotkeys runs/din-1 --table item -k 20
              myriad hotkeys --table item -o json
            """)

    @OptionGroup var look: LookArguments

    @Option(name: .shortAndLong, help: "A table of the schema; all of them unless given.")
    var table: String?

    @Option(name: .customShort("k"), help: "Ids for each table.")
    var count = 10

    func validate() throws {
        guard count > 0 else { throw ValidationError("-k has to be at least 1, not \(count)") }
    }

    func run() throws {
        func chosen(_ status: ClusterStatus) throws -> [TableStatus] {
            let (name, names) = (table.map { "table '\($0)'" }, status.tables.map(\.name).joined(separator: ", "))
            return try LookArguments.chosen(name, of: status.tables, names) { $0.name == table }
        }
        try look.show { status in
            let tables = try chosen(status).map { table in
                var table = table
                table.hot = Array(table.hot.prefix(count))
                return table
            }
            return Part(time: status.time, state: status.job.state, tables: tables)
        } _: { status, moment, width in
            let tables = try chosen(status).map { Scene(status, at: moment, width: width).hotIds($0, count: count) }
            return LookArguments.head(status, at: moment, width: width) + tables.joined(separator: [Line()])
        }
    }
}

struct Waits: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Show who waits for what and for how long, and how far workers are behind: the answer to \"it hangs\".",
        discussion: """
            Examples:
              myriad waits
              myriad waits tcp://10.0.0.1:5555 -o json
            """)

    @OptionGroup var look: LookArguments

    func run() throws {
        try look.show {
            Part(time: $0.time, state: $0.job.state, waits: $0.isOver ? [] : $0.waits, lag: $0.lag)
        } _: { status, moment, width in
            let head = LookArguments.head(status, at: moment, width: width)
            return status.isOver ? head : head + Scene(status, width: width).waits
        }
    }
}

/// What `-o json` prints of a job: when, and what the command is about.
private struct Part: Encodable {
    let time: Double
    let state: JobStatus.State
    var limitedBy: String?
    var shards: [ShardStatus]?
    var skew: Skew?
    var workers: [WorkerStatus]?
    var tables: [TableStatus]?
    var waits: [WaitStatus]?
    var lag: [[Int]]?
}

extension LookArguments {
    /// The parts that are meant, all unless one is named; says which there are where there is no such one.
    fileprivate static func chosen<Part>(
        _ name: String?, of parts: [Part], _ names: String, where isMeant: (Part) -> Bool
    ) throws -> [Part] {
        guard let name else { return parts }
        let found = parts.filter(isMeant)
        guard found.isEmpty else { return found }
        throw Exit.with(
            .usage, "there is no \(name): \(parts.isEmpty ? "none is known yet" : "they are \(names)")")
    }

    /// How old the figures are, when the scheduler did not answer itself.
    static func head(_ status: ClusterStatus, at moment: Moment, width: Int) -> [Line] {
        let text = moment.provenance(of: status)
        guard !text.isEmpty else { return [] }
        return Glyphs.wrapped("\(status.job.name): \(text)", to: width).map { Line($0, .dim) }
    }
}
