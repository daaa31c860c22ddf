import ArgumentParser
import Checkpoints
import Cluster
import Foundation
import Job
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
            cannot be reached; 70 the job failed; 77 wrong or missing keys; 130 interrupted.
            """,
        version: SystemInfo.version,
        subcommands: [
            PrepareCommand.self, TrainCommand.self, LaunchCommand.self, CompareCommand.self, EvaluateCommand.self,
            ConfigCommand.self, CheckpointCommand.self, BenchCommand.self, CurvesCommand.self, SchedulerCommand.self,
            ServerCommand.self, WorkerCommand.self, KeysCommand.self, StatusCommand.self, ShardsCommand.self,
            WorkersCommand.self,
            HotkeysCommand.self, WaitsCommand.self, StatCommand.self, TopCommand.self, LogsCommand.self,
            ReportCommand.self, DashboardCommand.self, DoctorCommand.self,
        ])

    static func main() {
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

    /// Says what went wrong and leaves with its code.
    static func with(_ code: ExitCode, _ message: String) -> ExitCode {
        StandardError.line("error: \(message)")
        return code
    }
}
