import ArgumentParser
import Cluster
import Foundation
import Job
import Scheduler
import Server
import Telemetry
import Transport
import Wire
import Worker

/// Runs a node to its end and turns its errors into exit codes.
private func serve(_ body: () throws -> Void) throws {
    Orphan.watch()
    do {
        try body()
    } catch SchedulerLink.Lost.stopped(let reason) {
        // Told to stop like everybody else: this node has not failed.
        StandardError.line("stopped: \(reason)")
    } catch {
        let cause = FailureReport.Cause(of: error)
        StandardError.line("error: \(error)")
        StandardError.line("what to do: \(FailureDiagnosis.remedy(cause, what: "\(error)"))")
        throw ExitCode(cause.exitCode)
    }
}

struct SchedulerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler",
        abstract: "Run the scheduler of a cluster whose servers and workers are started by hand, in any order.",
        discussion: """
            Example (three shells, or three machines with the host's address):
              myriad scheduler configs/synthetic.yaml cluster.servers=1 cluster.workers=1 --listen tcp://127.0.0.1:5555
              myriad server --scheduler tcp://127.0.0.1:5555 --listen 'tcp://127.0.0.1:*' --checkpoints runs/hand/checkpoints
              myriad worker --scheduler tcp://127.0.0.1:5555
            """)

    @OptionGroup var arguments: JobArguments

    @Option(help: "Where to listen.")
    var listen = "tcp://127.0.0.1:5555"

    func run() throws {
        let (job, resume) = try arguments.job()
        try arguments.perform(job, resumes: resume != nil) { directory, monitor, interrupt in
            let options = try SchedulerSetup.options(
                job, checkpoints: URL(filePath: directory.checkpoints).path, resume: resume)
            let node = try SchedulerSetup.node(job, options, on: listen, in: try Context(), monitor: monitor)
            StandardError.line("scheduler listens on \(node.endpoint)")
            interrupt.watch(node)
            node.run()
        }
    }
}

struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run one server of a cluster: a shard for every --listen.",
        discussion: "Example: myriad server --scheduler tcp://10.0.0.1:5555 --listen 'tcp://10.0.0.2:*'")

    @Option(help: "The scheduler's endpoint.")
    var scheduler: String

    @Option(help: "Where a shard listens, by an address that workers can reach; repeat for more shards.")
    var listen: [String] = ["tcp://127.0.0.1:*"]

    @Option(help: "The server's number; the lowest free one unless given.")
    var rank: Int?

    @Option(help: "The directory of checkpoints, shared with the scheduler.")
    var checkpoints = "checkpoints"

    @Option(help: "Seconds of the scheduler's silence after which it is given up.")
    var silence = 30.0

    func run() throws {
        try serve {
            let options = ServerNode.Options(
                scheduler: scheduler, listen: listen, hello: SystemInfo.hello(.server, rank: rank),
                silence: .seconds(silence))
            let directory = checkpoints
            let node = ServerNode(
                options, in: try Context(), process: SystemInfo.process, write: { try NodeSetup.write($0, $1) },
                build: { try NodeSetup.shards($0, $1, checkpoints: directory) })
            try node.run()
        }
    }
}

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Run one worker of a cluster.",
        discussion: "Example: myriad worker --scheduler tcp://10.0.0.1:5555")

    @Option(help: "The scheduler's endpoint.")
    var scheduler: String

    @Option(help: "The worker's number; the lowest free one unless given.")
    var rank: Int?

    @Option(help: "Seconds of the scheduler's silence after which it is given up.")
    var silence = 30.0

    func run() throws {
        try serve {
            let options = WorkerNode.Options(
                scheduler: scheduler, hello: SystemInfo.hello(.worker, rank: rank), silence: .seconds(silence))
            let node = WorkerNode(options, in: try Context(), process: SystemInfo.process) { try NodeSetup.worker($0) }
            try node.run()
        }
    }
}
