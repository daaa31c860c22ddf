import ArgumentParser
import Checkpoints
import Cluster
import Foundation
import Job
import Scheduler
import Telemetry

@main
struct Myriad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "myriad",
        abstract:
            "Trains click-through-rate models that read a user's behavior sequence, on sharded parameter servers.",
        discussion: """
            Try it:
              myriad prepare synthetic --output data/synthetic
              myriad train configs/synthetic.yaml
              myriad launch configs/synthetic.yaml --servers 2 --workers 2

            Exit codes: 0 success; 64 wrong command line; 65 wrong config, data or checkpoint; 69 an address is taken or
            cannot be reached; 70 the job failed; 77 wrong or missing keys; 130 stopped by Ctrl-C; 143 stopped by SIGTERM \
            or its time limit.
            """,
        version: SystemInfo.version,
        subcommands: [
            PrepareCommand.self, TrainCommand.self, LaunchCommand.self, CompareCommand.self, EvaluateCommand.self,
            ConfigCommand.self, CheckpointCommand.self, BenchCommand.self, CurvesCommand.self, SchedulerCommand.self,
            ServerCommand.self, WorkerCommand.self, KeysCommand.self, StatusCommand.self, ShardsCommand.self,
            WorkersCommand.self,
            HotkeysCommand.self, WaitsCommand.self, StatCommand.self, TopCommand.self, LogsCommand.self,
            ReportCommand.self, DashboardCommand.self, DoctorCommand.self, RenderCommand.self,
        ])

    static func main() {
        _ = Interrupt.began
        // A file size limit or a closed pipe is an error of the write, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        // Every connection is an open file, those of strangers too: as many as the system allows.
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            files.rlim_cur = files.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        }
        main(nil)
    }
}

/// Documented ways to end.
enum Exit {
    static let data = ExitCode(65)
    static let unavailable = ExitCode(69)
    static let failed = ExitCode(70)
    static let interrupted = ExitCode(130)

    /// What is said and left with when a job was stopped in order: what there is of it, and how it goes on.
    static func stopped(_ outcome: Outcome, _ cause: StopCause, run: String) -> ExitCode {
        StandardError.line("\(outcome.reason); \(run) keeps \(Continuation.keeps(run))")
        StandardError.line("continue with: \(ContinuingCommand.line(run: run))")
        return ExitCode(cause.exitCode)
    }

    /// Says what went wrong and leaves with its code.
    static func with(_ code: ExitCode, _ message: String) -> ExitCode {
        StandardError.line("error: \(message)")
        return code
    }
}
