import ArgumentParser
import Cluster
import Job
import Telemetry

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check this machine, what a config needs of it, and a running cluster.",
        discussion: """
            Each check passes, warns or fails, with what was found and what to do. Exit code 0 when nothing fails, else 70.

            Examples:
              myriad doctor
              myriad doctor configs/din.yaml cluster.servers=4
              myriad doctor --cluster tcp://10.0.0.1:5555   # MB/s of workers and shards
              myriad doctor -o json
            """)

    @Argument(help: "A job's configuration: its tables, files and ports are compared with this machine.")
    var config: String?

    @Argument(help: "Overrides, such as cluster.workers=8.")
    var overrides: [String] = []

    @Option(help: "A running cluster: its scheduler's address, or its run directory.")
    var cluster: String?

    @OptionGroup var security: SecurityArguments

    @Option(name: .customLong("run"), help: "The directory that runs are written to.")
    var directory = "runs"

    @Option(help: "The port that the scheduler will listen on.")
    var port = 5555

    @Option(name: .shortAndLong, help: "table or json.")
    var output = OutputFormat.table

    private struct Result: Encodable {
        let findings: [Finding]
        let ways: [SpeedMatrix.Row]
    }

    func validate() throws {
        try Bounds.check("--port", port, Bounds.port)
    }

    func run() throws {
        let job = try Exit.attempt(.input) {
            try config.map { try Job(try ConfigReader.read(path: $0, overrides: overrides)) }
        }
        var findings = Doctor(
            job: job, directory: directory, ports: cluster == nil ? [("scheduler", port), ("page", 7165)] : []
        ).examine()
        var examination: ClusterExamination?
        if let cluster {
            do {
                // Every worker measures for a moment, one after the other.
                let found = try ClusterExamination(try StatusSource(cluster, access: security.access)) {
                    StandardError.line("doctor: \($0)")
                }
                findings += found.findings
                examination = found
            } catch { throw Exit.with(error, else: .unavailable) }
        }
        if output == .json {
            let all = Result(findings: findings, ways: examination?.ways.rows ?? [])
            print(String(decoding: try TelemetryJSON.encode(all), as: UTF8.self))
        } else {
            for line in findings.flatMap(\.lines) + (examination?.ways.lines ?? []) { print(line) }
            let count = { (verdict: Finding.Verdict) in findings.count { $0.verdict == verdict } }
            print("\(count(.pass)) passed, \(count(.warn)) warned, \(count(.fail)) failed")
        }
        if findings.contains(where: { $0.verdict == .fail }) { throw ExitCode(ExitCodes.failed.rawValue) }
    }
}
