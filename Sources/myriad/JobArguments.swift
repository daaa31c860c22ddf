import ArgumentParser
import Checkpoints
import Cluster
import Display
import Foundation
import Job
import Scheduler
import Telemetry
import Wire

/// What `train` and `launch` share.
struct JobArguments: ParsableArguments {
    @OptionGroup var settings: ConfigArguments

    @Option(help: "The run's directory; runs/<config>-<n> unless given.")
    var run: String?

    @OptionGroup(title: "Options of a state to begin with") var state: StateArguments

    @OptionGroup var stop: StopArguments

    @Flag(name: .shortAndLong, help: "Print the summary only.")
    var quiet = false

    func validate() throws {
        guard try stop.continues() else { return }
        if run == nil {
            throw ValidationError("--continue needs --run DIR: the directory of the run that is started or continued")
        }
        if state.resume != nil {
            throw ValidationError(
                "--continue goes on with the run of --run; --resume begins with the state of another one")
        }
    }

    /// A job, and where it begins.
    struct Start {
        let job: Job
        /// The checkpoint to begin with.
        var resume: String?
        /// Whether its weights alone are taken.
        var resetsOptimizer = false
        /// What a new run keeps of it.
        var record: Resumption.Record?
        /// The run's directory, where it was locked already.
        var lock: RunLock?
        /// Whether the run's directory may hold a run already.
        var resumes = false
        /// How the run ended, if nothing of it is left but to say so.
        var outcome: Outcome?
    }

    /// Reads the configuration and resolves it against its data.
    func job(_ more: [String] = []) throws -> Start {
        try prepared {
            if let run { try RunPlace.check(run) }
            let settings = try settings.read(more)
            if try stop.continues(), let run { return try continued(settings, run) }
            if let run { try RunDirectory.checkUnused(run) }
            guard let resume = state.resume else { return Start(job: try Job(settings)) }
            let found = try Resumption(
                from: resume, state.state ?? .last, settings, restarts: state.restartSteps,
                resetsOptimizer: state.resetOptimizer)
            if !quiet { StandardError.line(found.words) }
            return Start(
                job: found.job, resume: found.record.checkpoint, resetsOptimizer: state.resetOptimizer,
                record: found.record)
        }
    }

    /// Does what reads the configuration or takes the run's directory, which another process may have.
    private func prepared<Result>(_ body: () throws -> Result) throws -> Result {
        try Exit.attempt(.input) {
            do { return try body() } catch let held as RunLock.Held { throw Exit.with(.unavailable, "\(held)") }
        }
    }

    /// Starts a run, or goes on with it; one that is finished says so.
    private func continued(_ settings: JobConfig, _ run: String) throws -> Start {
        let lock = try RunLock(run)
        let found = try Continuation(run: run, config: settings)
        for warning in found.warnings { StandardError.line("warning: \(warning)") }
        if let summary = found.summary {
            print("\(run) is finished")
            for line in summary { print(line) }
            throw ExitCode.success
        }
        if !quiet {
            let words =
                switch found.checkpoint {
                case nil where !found.hasBegun: "holds no run yet: a new one begins, from no state"
                case nil: "goes on from the start: it has no checkpoint"
                case let begun? where found.isAnothers:
                    "goes on from its start, the state in \(begun.path): it has no checkpoint"
                case let newest?: "goes on after step \(newest.step)"
                }
            StandardError.line("\(run) \(words)")
        }
        return Start(
            job: try Job(settings, startStep: found.checkpoint?.step ?? 0), resume: found.checkpoint?.path,
            resetsOptimizer: found.resetsOptimizer, lock: lock, resumes: found.hasBegun, outcome: found.outcome)
    }

    /// Runs a resolved job and prints how it ended.
    func perform(_ start: Start, _ body: (RunDirectory, Monitor, Interrupt) throws -> Void) throws {
        let (job, resumes) = (start.job, start.resumes)
        let interrupt = Interrupt(limit: try stop.limit())
        let lock = try prepared { try start.lock ?? run.map { try RunLock($0) } ?? RunLock(free: settings.config) }
        let book = ClusterBook(job, directory: lock.directory)
        if resumes, let earlier = try? RecordedRun(directory: lock.directory) { book.goOn(from: earlier.status) }
        // Before anything is written: a port that is taken leaves nothing behind.
        let page = try JobPage.start(job.config, book.board)
        defer {
            // What was printed is seen before the wait, not after it.
            fflush(nil)
            let before = interrupt.signals
            // Who ended it from outside wants it gone.
            let most = interrupt.cause == nil ? Duration.seconds(120) : .seconds(20)
            page?.linger(scrapers: most, tell: { if !quiet { StandardError.line($0) } }) { interrupt.signals > before }
            page?.stop()
        }
        let directory = try Exit.attempt(.input) {
            try RunDirectory(
                path: lock.directory, config: job.config, resumes: resumes, lock: lock, began: start.record)
        }
        let monitor = Monitor(job, run: directory, quiet: quiet, book: book)
        defer {
            monitor.close()
            // Before the page lingers.
            lock.release()
        }
        let continuing = ContinuingCommand.line(run: directory.path)
        monitor.continuing = continuing
        if job.config.monitor.tensorboard {
            monitor.writeTensorBoard(
                config: (try? job.config.yaml()) ?? "", resumedAt: resumes ? job.plan.startStep : nil)
        }
        if let page {
            book.announce { $0.page = page.url }
            if !quiet { StandardError.line("page: \(page.url)") }
        }
        do {
            if let outcome = start.outcome {
                monitor.take(.finished(outcome))
            } else {
                try body(directory, monitor, interrupt)
            }
        } catch {
            // The scheduler itself did not come about: it is the one that failed.
            let cause = FailureReport.Cause(of: error)
            let report = FailureReport(
                time: Date().timeIntervalSince1970, cause: cause, first: "scheduler",
                host: ProcessInfo.processInfo.hostName, pid: Int(getpid()), what: "scheduler: \(error)",
                remedy: FailureDiagnosis.remedy(cause, what: "\(error)"), step: 0)
            monitor.take(.failed(report))
        }
        if let stopped = monitor.stopped {
            StandardError.line(
                "\(stopped.outcome.reason); \(directory.path) keeps \(Continuation.keeps(directory.path))")
            StandardError.line("continue with: \(continuing)")
            throw ExitCode(stopped.cause.exitCode)
        }
        if let failure = monitor.failure { throw ExitCode(failure.exitCode) }
        for line in monitor.summary() { print(line) }
        print("run directory: \(directory.path)")
    }
}

extension CheckpointReader.Choice: ExpressibleByArgument {}

/// The state of another run that a new run begins with.
struct StateArguments: ParsableArguments {
    @Option(
        help: """
            Begin a new run with the state of a run or checkpoint directory, on any number of servers and workers. \
            Nothing is written there.
            """)
    var resume: String?

    @Option(help: "Which state of the run of --resume. [default: last]")
    var state: CheckpointReader.Choice?

    @Flag(help: "Take the weights alone: optimizers begin afresh, and may be others.")
    var resetOptimizer = false

    @Flag(help: "Count steps from 1 over the same data too, instead of going on with the plan of the state's run.")
    var restartSteps = false

    /// These options, for a command line.
    func words(resume: String?) -> [String] {
        guard let resume else { return [] }
        return ["--resume", resume] + (resetOptimizer ? ["--reset-optimizer"] : [])
            + (restartSteps ? ["--restart-steps"] : [])
    }

    func validate() throws {
        guard resume == nil, state != nil || resetOptimizer || restartSteps else { return }
        throw ValidationError(
            "--state, --reset-optimizer and --restart-steps say how --resume begins: name a run with it")
    }
}

/// How long a job may run, and whether it goes on where an earlier attempt stopped.
struct StopArguments: ParsableArguments {
    @Flag(
        name: .customLong("continue"),
        help: """
            Start the run of --run, or go on with it from its newest checkpoint; a finished one ends at once. \
            (MYRIAD_CONTINUE=1)
            """)
    var goesOn = false

    @Option(
        help: """
            Seconds after which the job writes a checkpoint and ends with code 143, since the start of this process. \
            (MYRIAD_TIME_LIMIT)
            """)
    var timeLimit: Double?

    /// The flag, or what the environment says.
    func continues() throws -> Bool {
        if goesOn { return true }
        switch Variable.text("MYRIAD_CONTINUE") ?? "" {
        case "", "0", "false", "no": return false
        case "1", "true", "yes": return true
        case let other: throw ValidationError("MYRIAD_CONTINUE is '\(other)', expected 1 or 0")
        }
    }

    /// The option, or what the environment says; nil for no limit.
    func limit() throws -> Double? {
        guard let text = timeLimit.map({ "\($0)" }) ?? Variable.text("MYRIAD_TIME_LIMIT") else { return nil }
        if let seconds = Double(text), Bounds.seconds.contains(seconds) { return seconds }
        let name = timeLimit == nil ? "MYRIAD_TIME_LIMIT" : "--time-limit"
        throw ValidationError("\(name) is '\(text)', expected a number of seconds above 0")
    }

    func validate() throws { _ = try (continues(), limit()) }
}
