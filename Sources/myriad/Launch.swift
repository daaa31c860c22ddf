import ArgumentParser
import Cluster
import Foundation
import Job
import Telemetry

struct Launch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train as a cluster of processes on this machine, or on others by ssh.",
        discussion: """
            The launcher is the scheduler; servers and workers are its children, each with a log in the run's directory.

            Ctrl-C, SIGTERM and the time limit stop all in order, with a checkpoint; the same command with --run and \
            --continue goes on from there, with any number of servers and workers. If the launcher is killed, its \
            children end by themselves.

            With --hosts they run on the machines of a file (cluster/hosts.example explains it). ssh has to reach each \
            without a question, the program and the dataset have to be there, and the run's directory has to lie on a \
            file system that the machines of servers share, under the same path: servers write their parts of \
            checkpoints into it. Keys are made for the one job and handed over through ssh, unless --keys names some that \
            lie on every machine, or --insecure lets plaintext out; hosts that are all this machine need none. --dry-run \
            shows the commands.

            Examples:
              myriad launch configs/synthetic.yaml --servers 2 --workers 2
              myriad launch configs/din.yaml --servers 3 --workers 4 cluster.transport=tcp
              myriad launch --hosts hosts configs/synthetic.yaml --servers 2 --workers 4 \\
                --run /shared/runs/1
              myriad launch --hosts hosts configs/synthetic.yaml --dry-run
            """)

    @OptionGroup var arguments: JobArguments

    @Option(help: "Server processes (cluster.servers).")
    var servers: Int?

    @Option(help: "Worker processes (cluster.workers).")
    var workers: Int?

    @OptionGroup var security: SecurityArguments

    @OptionGroup(title: "Options of other machines") var remote: RemoteArguments

    func run() throws {
        let start = try arguments.job(numbers)
        let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
        guard let hosts = try remote.site(start.job, program: program, security.access) else {
            return try perform(start) {
                try ThisMachine(start.job, program: program, access: security.access)
            }
        }
        if remote.dryRun { return try show(hosts, start, program) }
        if !arguments.quiet { for line in hosts.overview { StandardError.line(line) } }
        try perform(start) { hosts }
    }

    func validate() throws {
        try Bounds.check(("--servers", servers, Bounds.processes), ("--workers", workers, Bounds.processes))
    }

    /// What the numbers of processes add to the configuration.
    private var numbers: [String] {
        [servers.map { "cluster.servers=\($0)" }, workers.map { "cluster.workers=\($0)" }].compactMap(\.self)
    }

    private func perform(_ start: JobArguments.Start, on site: () throws -> any LaunchSite) throws {
        try arguments.perform(start) { directory, monitor, interrupt in
            try Launcher.run(
                start.job, in: directory, monitor: monitor, on: try site(), resume: start.resume,
                resetsOptimizer: start.resetsOptimizer, started: interrupt.watch)
        }
    }

    /// Prints what would be run, so that a shell can run it.
    private func show(_ hosts: RemoteHosts, _ start: JobArguments.Start, _ program: String) throws {
        let settings = arguments.settings
        let run = arguments.run ?? RunDirectory.free(for: settings.config)
        let meeting = MeetingPoint(scheduler: try hosts.freeEndpoint(), run: run)
        var words = [program, "scheduler", settings.config] + settings.overrides + numbers
        words += ["--listen", meeting.scheduler, "--run", run, "--job", meeting.job]
        words += start.lock == nil ? arguments.state.words(resume: start.resume) : ["--continue"]
        if !hosts.makesKeys { words += hosts.keyWords }
        print("# the scheduler, on this machine: it listens on \(meeting.scheduler)")
        print(ShellWord.line(words))
        print("# servers and workers, each in a terminal of its own: a process ends when its standard input does")
        for place in hosts.places { print(hosts.line(for: place.member, meeting)) }
        guard hosts.makesKeys else { return }
        print(
            "# --keys -: launch makes keys for the job and hands them over on standard input, where no command shows them;"
        )
        print("# for commands that can be run by hand, name keys with --keys DIRECTORY, or add --insecure")
    }
}
