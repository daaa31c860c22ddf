import ArgumentParser
import Cluster
import Telemetry
import Transport
import Wire

/// What servers and workers share: whom they join, as whom.
struct NodeArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The scheduler's address, host:port (MYRIAD_SCHEDULER): the only one that a node needs.",
            valueName: "address"))
    var scheduler: String?

    @Option(
        help: """
            Its number within its role (MYRIAD_RANK; SLURM_PROCID in a step of Slurm; JOB_COMPLETION_INDEX in an indexed \
            job of Kubernetes); the lowest free one unless given.
            """)
    var rank: Int?

    @Option(help: "The job that it is for (MYRIAD_JOB): the scheduler of another one is refused.")
    var job: String?

    @OptionGroup var security: SecurityArguments

    @Option(help: "Seconds for which a scheduler is waited for that was never heard of (MYRIAD_WAIT; 12).")
    var wait: Double?

    @Option(help: "Seconds of the scheduler's silence after which it is given up.")
    var silence = 12.0

    @Flag(help: "End when standard input ends, as it does when an ssh launcher is gone (MYRIAD_LIFELINE=1).")
    var lifeline = false

    /// Whether it ends with its standard input.
    var hasLifeline: Bool { lifeline || Variable.text("MYRIAD_LIFELINE") == "1" }

    @Option(
        help: """
            The exit code when the job is stopped before its end (MYRIAD_STOPPED_CODE; 0): what starts failed nodes again, \
            as Kubernetes does, wants another one.
            """)
    var stoppedCode: Int32?

    /// The exit code of a node that was told to stop before the job's end.
    func codeWhenStopped() throws -> Int32 {
        guard let code = try stoppedCode ?? Variable.number("MYRIAD_STOPPED_CODE").map({ Int32(clamping: $0) }) else {
            return 0
        }
        try Bounds.check("--stopped-code (or MYRIAD_STOPPED_CODE)", code, 0...255)
        return code
    }

    /// The scheduler's endpoint.
    func endpoint() throws -> Endpoint {
        guard let text = scheduler ?? Variable.text("MYRIAD_SCHEDULER") else {
            throw ValidationError("--scheduler (or MYRIAD_SCHEDULER) has to give the scheduler's address, host:port")
        }
        return try Endpoint(text)
    }

    func validate() throws {
        _ = try (Variable.wait(wait), wantedRank(), codeWhenStopped())
        try Bounds.check("--silence", silence, Bounds.seconds)
    }

    /// As what a node joins the scheduler at an endpoint, of which it knows a key where both encrypt.
    func options(
        to scheduler: Endpoint, _ hello: Hello, _ key: PublicKey?, _ departure: Departure
    ) throws -> NodeOptions {
        var options = NodeOptions(scheduler: "\(scheduler)", hello: hello)
        options.schedulerKey = key
        options.wait = .seconds(try Variable.wait(wait))
        options.silence = .seconds(silence)
        options.departure = departure
        options.told = { StandardError.line("told to stop: \($0)") }
        return options
    }

    /// The rank that it asks for: our own variable counts before those of the engines.
    private func wantedRank() throws -> Int? {
        // The batch script itself has a SLURM_PROCID of 0 that means nothing: only steps have a number.
        let isStep = Variable.text("SLURM_STEP_ID").flatMap { Int($0) } != nil
        let wanted =
            try rank ?? Variable.number("MYRIAD_RANK") ?? (isStep ? Variable.number("SLURM_PROCID") : nil)
            ?? Variable.number("JOB_COMPLETION_INDEX")
        try Bounds.check("--rank (or what the environment says)", wanted, Bounds.rank)
        return wanted
    }

    /// The node's introduction.
    func hello(_ role: Role) throws -> Hello {
        var hello = SystemInfo.hello(role, rank: try wantedRank())
        hello.job = job ?? Variable.text("MYRIAD_JOB")
        try Bounds.check("--job (or MYRIAD_JOB)", hello.job)
        return hello
    }
}
