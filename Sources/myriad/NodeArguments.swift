import ArgumentParser
import Cluster
import Foundation
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

    /// Ends the process with its standard input, if it was told so; keys that come first there have to be read.
    func holdLifeline() {
        if hasLifeline { Lifeline.watch() }
    }

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
        _ = try (patience(), wantedRank(), codeWhenStopped())
        try Bounds.check("--silence", silence, Bounds.seconds)
    }

    /// Seconds for which the scheduler is waited for.
    private func patience() throws -> Double { try Variable.wait(wait) }

    /// As what a node joins the scheduler at an endpoint, of which it knows a key where both encrypt.
    func options(
        to scheduler: Endpoint, _ hello: Hello, _ key: PublicKey?, _ departure: Departure
    ) throws -> NodeOptions {
        var options = NodeOptions(scheduler: "\(scheduler)", hello: hello)
        options.schedulerKey = key
        options.wait = .seconds(try patience())
        options.silence = .seconds(silence)
        options.departure = departure
        options.told = { StandardError.line("told to stop: \($0)") }
        return options
    }

    /// The rank that it asks for.
    private func wantedRank() throws -> Int? {
        let wanted = try rank ?? Self.rankOfEngine()
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

    /// The rank that the environment gives: our own variable before those of the engines.
    private static func rankOfEngine() throws -> Int? {
        if let rank = try Variable.number("MYRIAD_RANK") { return rank }
        // The batch script itself has a SLURM_PROCID of 0 that means nothing: only steps have a number.
        if let step = Variable.text("SLURM_STEP_ID"), Int(step) != nil, let rank = try Variable.number("SLURM_PROCID") {
            return rank
        }
        return try Variable.number("JOB_COMPLETION_INDEX")
    }
}
