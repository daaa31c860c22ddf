import ArgumentParser
import Checkpoints
import Cluster
import Dashboard
import Foundation
import Job
import Scheduler
import Telemetry
import Transport
import Wire

/// What `train` and `launch` share.
struct JobArguments: ParsableArguments {
    @Argument(help: "The job's configuration (YAML); configs/reference.yaml explains every key.")
    var config: String

    @Argument(help: "Overrides, such as train.batch=1024 or model.top.hidden=[200,80].")
    var overrides: [String] = []

    @Option(help: "The run's directory; runs/<config>-<n> unless given.")
    var run: String?

    @Option(help: "Continue from a run or checkpoint directory, on any number of servers and workers.")
    var resume: String?

    @Flag(name: .shortAndLong, help: "Print the summary only.")
    var quiet = false

    /// Reads the configuration and resolves it against its data.
    func job(_ more: [String] = []) throws -> (job: Job, resume: String?) {
        do {
            let settings = try ConfigReader.read(path: config, overrides: overrides + more)
            guard let resume else { return (try Job(settings), nil) }
            let newest = CheckpointReader.newest(in: resume + "/checkpoints") ?? resume
            let reader = try CheckpointReader(path: newest)
            return (try Job(settings, startStep: reader.manifest.step), reader.path)
        } catch {
            throw Exit.with(Exit.data, "\(error)")
        }
    }

    /// Runs a resolved job and prints how it ended.
    func perform(_ job: Job, resumes: Bool, _ body: (RunDirectory, Monitor, Interrupt) throws -> Void) throws {
        let path = run ?? resumedRun ?? RunDirectory.free(for: config)
        let book = ClusterBook(job, directory: path)
        // Before the directory is made: a port that is taken leaves nothing behind.
        let page = try JobPage.start(job.config.monitor, book.board)
        defer {
            page?.linger()
            page?.stop()
        }
        let directory: RunDirectory
        do {
            directory = try RunDirectory(path: path, config: job.config, resumes: resumes)
        } catch {
            throw Exit.with(Exit.data, "\(error)")
        }
        let total = job.plan.samples(through: job.plan.lastStep) - job.plan.samples(through: job.plan.startStep)
        let monitor = Monitor(run: directory, samples: total, quiet: quiet, book: book)
        defer { monitor.close() }
        if job.config.monitor.tensorboard {
            monitor.writeTensorBoard(
                config: (try? job.config.yaml()) ?? "", resumedAt: resumes ? job.plan.startStep : nil)
        }
        if let page {
            book.announce(page: page.url)
            if !quiet { StandardError.line("page: \(page.url)") }
        }
        let interrupt = Interrupt()
        do {
            try body(directory, monitor, interrupt)
        } catch {
            // The scheduler itself did not come about: it is the one that failed.
            let cause = FailureReport.Cause(of: error)
            let report = FailureReport(
                time: Date().timeIntervalSince1970, cause: cause, first: "scheduler",
                host: ProcessInfo.processInfo.hostName, pid: Int(getpid()), what: "scheduler: \(error)",
                remedy: FailureDiagnosis.remedy(cause, what: "\(error)"), step: 0)
            monitor.take(.failed(report))
        }
        if interrupt.isInterrupted {
            throw Exit.with(Exit.interrupted, "interrupted; \(directory.path) keeps its last checkpoint")
        }
        if let failure = monitor.failure { throw ExitCode(failure.exitCode) }
        for line in monitor.summary() { print(line) }
        print("run directory: \(directory.path)")
    }

    private var resumedRun: String? {
        guard let resume, FileManager.default.fileExists(atPath: resume + "/config.yaml") else { return nil }
        return resume
    }
}

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train in this process: scheduler, servers and workers as threads.",
        discussion: """
            Examples:
              myriad train configs/synthetic.yaml
              myriad train configs/movielens.yaml train.epochs=4 cluster.threads=2 --run runs/long
              myriad train configs/movielens.yaml --resume runs/movielens-1 train.epochs=6
            """)

    @OptionGroup var arguments: JobArguments

    func run() throws {
        let (job, resume) = try arguments.job()
        try arguments.perform(job, resumes: resume != nil) { directory, monitor, interrupt in
            try LocalCluster.run(job, checkpoints: directory.checkpoints, resume: resume, monitor: monitor) {
                interrupt.watch($0)
            }
        }
    }
}

struct LaunchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Train as a cluster of processes on this machine.",
        discussion: """
            The launcher is the scheduler; servers and workers are its children, each with a log in the run's directory.
            Ctrl-C stops all in order; if the launcher is killed, its children end by themselves.

            Examples:
              myriad launch configs/synthetic.yaml --servers 2 --workers 2
              myriad launch configs/movielens.yaml --servers 3 --workers 4 cluster.transport=tcp
            """)

    @OptionGroup var arguments: JobArguments

    @Option(help: "Server processes (cluster.servers).")
    var servers: Int?

    @Option(help: "Worker processes (cluster.workers).")
    var workers: Int?

    @OptionGroup var security: SecurityArguments

    func run() throws {
        var more: [String] = []
        if let servers { more.append("cluster.servers=\(servers)") }
        if let workers { more.append("cluster.workers=\(workers)") }
        let (job, resume) = try arguments.job(more)
        let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
        try arguments.perform(job, resumes: resume != nil) { directory, monitor, interrupt in
            let launcher = Launcher(
                job, run: directory, monitor: monitor, program: program, access: security.access)
            try launcher.run(resume: resume) { interrupt.watch($0) }
        }
    }
}
