import ArgumentParser
import Cluster

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train in this process: scheduler, servers and workers as threads.",
        discussion: """
            Examples:
              myriad train configs/synthetic.yaml
              myriad train configs/din.yaml train.epochs=4 cluster.threads=2
              myriad train configs/din.yaml --resume runs/din-1 --state best train.epochs=6
              myriad train configs/din.yaml --run runs/night --continue --time-limit 3600

            Ctrl-C, SIGTERM and the time limit stop after the step in work: a checkpoint is written, and the same \
            command with --run and --continue goes on from there to the same result. A second signal ends at once.

            --resume begins another run with a state and never writes where it lies. With the same dataset, training \
            split, batch and seed its steps go on where the state stopped (give more train.epochs); otherwise they \
            count from 1: weights and optimizers go on, schedules and epochs begin anew.
            """)

    @OptionGroup var arguments: JobArguments

    func run() throws {
        let start = try arguments.job()
        try arguments.perform(start) { directory, monitor, interrupt in
            try LocalCluster.run(
                start.job, checkpoints: directory.checkpoints, resume: start.resume,
                resetsOptimizer: start.resetsOptimizer, monitor: monitor, started: interrupt.watch)
        }
    }
}
