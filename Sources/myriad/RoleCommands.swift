import ArgumentParser
import Cluster
import Display
import Foundation
import Job
import Scheduler
import Server
import Telemetry
import Transport
import Wire
import Worker

/// What a node joins with.
private struct Entry {
    let endpoint: Endpoint
    let context: Transport.Context
    let key: PublicKey?
    var hello: Hello
    let departure: Departure

    init(_ role: Role, _ node: NodeArguments, _ departure: Departure) throws {
        endpoint = try node.endpoint()
        (context, key) = try node.security.access.node(to: endpoint)
        // Keys that come on standard input had to be read before.
        if node.hasLifeline { Lifeline.watch() }
        hello = try node.hello(role)
        self.departure = departure
    }
}

/// Runs a node to its end and turns its errors into exit codes.
private func serve(_ role: Role, _ node: NodeArguments, _ body: (Entry) throws -> Bool) throws {
    let stoppedCode = try node.codeWhenStopped()
    Orphan.watch()
    let departure = Departure()
    // Ctrl-C and the end of the terminal are for the launcher, of whose group this process may be.
    let sources = SignalSource.listen(for: departure, to: Orphan.isWatching ? [SIGTERM] : [SIGTERM, SIGINT, SIGHUP])
    defer { withExtendedLifetime(sources) {} }
    var isDone = false
    do {
        isDone = try body(try Entry(role, node, departure))
    } catch SchedulerLink.Lost.left(let endpoint, let signal) {
        StandardError.line("\(SchedulerLink.Lost.left(endpoint: endpoint, signal))")
    } catch SchedulerLink.Lost.stopped(let reason) {
        // Told to stop like everybody else: this node has not failed.
        StandardError.line("stopped: \(reason)")
    } catch let error as ValidationError {
        throw error
    } catch {
        let cause = FailureReport.Cause(of: error)
        StandardError.line("error: \(error)")
        StandardError.line("what to do: \(FailureDiagnosis.remedy(cause, what: "\(error)"))")
        throw ExitCode(cause.exitCode)
    }
    if let signal = departure.signal { throw ExitCode(signal.exitCode) }
    if !isDone, stoppedCode != 0 { throw ExitCode(stoppedCode) }
}

struct Scheduler: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the scheduler of a cluster whose servers and workers are started by hand, in any order.",
        discussion: """
            Example on one machine (three shells):
              myriad scheduler configs/synthetic.yaml cluster.servers=1 cluster.workers=1
              myriad server --scheduler 127.0.0.1:5555 \\
                --checkpoints runs/synthetic-1/checkpoints
              myriad worker --scheduler 127.0.0.1:5555
            Example on several, with keys made by `myriad keys create` and copied to all of them:
              myriad scheduler configs/synthetic.yaml --listen 10.0.0.1:5555
              myriad server --scheduler 10.0.0.1:5555
              myriad worker --scheduler 10.0.0.1:5555
            """)

    @OptionGroup var arguments: JobArguments

    @Option(help: "Where to listen, host:port (MYRIAD_LISTEN): one address of this machine. [default: 127.0.0.1:5555]")
    var listen: String?

    @Option(help: "What nodes may say that they are for (MYRIAD_JOB); the name of the run's directory unless given.")
    var job: String?

    @OptionGroup var security: SecurityArguments

    func run() throws {
        try Bounds.check("--job (or MYRIAD_JOB)", job ?? Variable.text("MYRIAD_JOB"))
        let start = try arguments.job()
        try arguments.perform(start) { directory, monitor, interrupt in
            var options = try SchedulerSetup.options(
                start.job, checkpoints: URL(filePath: directory.checkpoints).path, resume: start.resume,
                resetsOptimizer: start.resetsOptimizer)
            options.name = self.job ?? Variable.text("MYRIAD_JOB") ?? URL(filePath: directory.path).lastPathComponent
            let endpoint = try Endpoint(listen ?? Variable.text("MYRIAD_LISTEN") ?? "127.0.0.1:5555")
            let secured = try security.access.scheduler(on: endpoint, run: directory)
            let node = try SchedulerSetup.node(
                start.job, options, on: "\(endpoint)", in: secured.context, allowed: secured.allowed, monitor: monitor)
            let how = secured.words(for: endpoint)
            StandardError.line("scheduler of job '\(options.name)' listens on \(node.endpoint) (\(how))")
            interrupt.watch(node)
            monitor.showsNodes = true
            let standstill = Standstill()
            node.run()
            withExtendedLifetime(standstill) {}
        }
    }
}

struct Server: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one server of a cluster.",
        discussion: """
            It needs the scheduler's address only: its shards listen on the address by which it reaches the scheduler.

            Examples:
              myriad server --scheduler 10.0.0.1:5555
              myriad server --scheduler 10.0.0.1:5555 --shards 2 \\
                --checkpoints /shared/runs/din-1/checkpoints
              myriad server --scheduler 10.0.0.1:5555 --listen 0.0.0.0:7001 \\
                --advertise 203.0.113.7
            """)

    @OptionGroup var node: NodeArguments

    @Option(help: "Shards, each a thread with its own address (MYRIAD_SHARDS; 1): cluster.shards of the job.")
    var shards: Int?

    @Option(
        help: """
            Where a shard listens, host:port, port * for a free one; repeat for more shards (MYRIAD_LISTEN, separated by \
            commas). Unless given, on the address by which the scheduler is reached.
            """)
    var listen: [String] = []

    @Option(help: "The host by which others reach the shards, if it is another (MYRIAD_ADVERTISE).")
    var advertise: String?

    @Option(help: "The directory of checkpoints, shared with the scheduler (MYRIAD_CHECKPOINTS).")
    var checkpoints: String?

    func run() throws {
        try serve(.server, node) { entry in
            var hello = entry.hello
            hello.advertise = advertise ?? Variable.text("MYRIAD_ADVERTISE")
            if let host = hello.advertise, host.count(where: { $0 == ":" }) == 1 {
                throw ValidationError("--advertise \(host): expected a host or an address, without a port")
            }
            let given = listen.isEmpty ? Variable.text("MYRIAD_LISTEN")?.split(separator: ",").map(String.init) : listen
            hello.isPlaced = given != nil ? true : nil
            let places = try given ?? self.places(toward: entry.endpoint)
            for place in places { try entry.context.proveGuarded(at: try Endpoint(place)) }
            let options = try node.options(to: entry.endpoint, hello, entry.key, entry.departure)
            let directory = checkpoints ?? Variable.text("MYRIAD_CHECKPOINTS") ?? "checkpoints"
            if node.hasLifeline { try NodeSetup.checkShared(directory) }
            return try NodeSetup.server(options, listen: places, in: entry.context, checkpoints: directory).run()
        }
    }

    /// Where shards listen unless told: where this machine's answers to the scheduler come from.
    private func places(toward scheduler: Endpoint) throws -> [String] {
        guard scheduler.host != nil else {
            throw ValidationError("--listen has to say where the shards listen when the scheduler is at \(scheduler)")
        }
        guard let host = Reachability.localAddress(toward: scheduler) else {
            throw SchedulerLink.Lost.silent(
                endpoint: "\(scheduler)", seconds: 0, why: Reachability.explain(scheduler))
        }
        let count = try shards ?? Variable.number("MYRIAD_SHARDS") ?? 1
        try Bounds.check("--shards (or MYRIAD_SHARDS)", count, 1...256)
        return (0..<count).map { _ in "\(Endpoint(host: host, port: "*"))" }
    }
}

struct Worker: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one worker of a cluster.",
        discussion: "Example: myriad worker --scheduler 10.0.0.1:5555")

    @OptionGroup var node: NodeArguments

    func run() throws {
        try serve(.worker, node) { entry in
            let options = try node.options(to: entry.endpoint, entry.hello, entry.key, entry.departure)
            return try NodeSetup.worker(options, in: entry.context).run()
        }
    }
}
