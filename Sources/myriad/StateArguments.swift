import ArgumentParser
import Checkpoints

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
