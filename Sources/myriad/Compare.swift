import ArgumentParser
import Cluster
import Foundation
import Scheduler
import Telemetry

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train several configs with several seeds, one after the other, into one table.",
        discussion: """
            Prints mean ± sample standard deviation over the seeds of what the test split (else the validation split) \
            says of the best validation state. The output directory gets every run as <config>-<seed>/, table.md, \
            results.json and curves.svg; a comparison that was stopped goes on where it was when the same directory is \
            named again.

            Examples:
              myriad compare configs/base.yaml configs/din.yaml --seeds 3
              myriad compare configs/{base,din}.yaml --data data/movielens \\
                --set train.epochs=2 --output runs/models
            """)

    @Argument(help: "Configurations (YAML), named by their files.")
    var configs: [String]

    @Option(help: "The dataset directory of all configs; their own unless given.")
    var data: String?

    @Option(help: "Train with the seeds 1 to this number.")
    var seeds = 3

    @Option(name: .customLong("set"), help: "An override for all configs, such as train.epochs=2; can be repeated.")
    var overrides: [String] = []

    @Option(name: .shortAndLong, help: "The output directory; runs/compare-<n> unless given.")
    var output: String?

    @Flag(name: .shortAndLong, help: "Print the table only.")
    var quiet = false

    func validate() throws {
        try Bounds.check("--seeds", seeds, 1...10_000)
        if overrides.contains(where: { $0.hasPrefix("train.seed=") }) {
            throw ValidationError("--set train.seed: a comparison sets the seeds itself, 1 to --seeds")
        }
        for config in configs where config.contains("=") && !FileManager.default.fileExists(atPath: config) {
            throw ValidationError("'\(config)' is no config; write overrides as --set \(config)")
        }
    }

    func run() throws {
        var comparison = try Exit.attempt(.input) {
            let place = try output ?? RunDirectory.makeFree(for: "compare")
            do {
                return try Comparison(
                    configs: configs, seeds: seeds, data: data, overrides: overrides, output: place)
            } catch {
                if output == nil { rmdir(place) }
                throw error
            }
        }
        let interrupt = Interrupt()
        let training = Result {
            try train(&comparison, interrupt)
        }
        // Also when nothing was left to train: the seeds or configs asked for may be others than last time.
        let writing = Result { try comparison.write() }
        if comparison.runs.contains(where: { $0.figures != nil }) {
            print(comparison.table(), terminator: "")
            print("output directory: \(comparison.output)")
        }
        if let cause = interrupt.cause, !comparison.isComplete {
            let how = "go on with --output \(comparison.output) and the same configs"
            StandardError.line("error: stopped \(cause.words); \(how)")
            throw ExitCode(cause.exitCode)
        }
        try Exit.attempt(.failed) { try (training.get(), writing.get()) }
    }

    private func train(_ comparison: inout Comparison, _ interrupt: Interrupt) throws {
        let count = comparison.runs.count
        for (number, run) in comparison.runs.enumerated() {
            let place = "\(comparison.name(of: run)) (\(number + 1) of \(count))"
            guard run.figures == nil else {
                say("\(place): finished already, skipped")
                continue
            }
            guard interrupt.cause == nil else { return }
            say("\(place): training in \(run.directory)")
            try comparison.train(number, quiet: quiet) { interrupt.watch($0) }
            // After every run: what is there stays, whatever happens to the next one.
            try comparison.write()
        }
    }

    private func say(_ line: String) {
        guard !quiet else { return }
        StandardError.line(line)
    }
}
