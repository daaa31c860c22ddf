import ArgumentParser
import Cluster
import Foundation
import Telemetry

@main
struct Myriad: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Trains click-through-rate models that read a user's behavior sequence, on sharded parameter servers.",
        discussion: """
            Try it:
              myriad prepare synthetic --output data/synthetic
              myriad train configs/synthetic.yaml
              myriad launch configs/synthetic.yaml --servers 2 --workers 2

            Exit codes:
            \(ExitCodes.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))
            """,
        version: SystemInfo.version,
        subcommands: [
            Prepare.self, Train.self, Launch.self, Compare.self, Evaluate.self, Config.self, Checkpoint.self,
            Bench.self, Simulate.self, Curves.self, Scheduler.self, Server.self, Worker.self, Keys.self, Status.self,
            Shards.self, Workers.self, Hotkeys.self, Waits.self, Stat.self, Top.self, Logs.self, Report.self,
            Dashboard.self, DoctorCommand.self, Render.self,
        ])

    static func main() {
        Want.openStandardFiles()
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
        if let problem = CommandName.problem(in: CommandLine.arguments.dropFirst(), of: Myriad.self) {
            StandardError.line("error: \(problem)")
            Foundation.exit(ExitCodes.usage.rawValue)
        }
        main(nil)
        // What was printed and could not be written was lost, with a code of 0.
        if fflush(nil) != 0 { LookArguments.endForOutput(errno) }
    }
}
