import ArgumentParser
import Cluster
import Display
import Job
import Models
import Telemetry
import Tensors

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a run's report: one HTML file that needs nothing else.",
        discussion: """
            Made from the run's files alone (status.json, metrics.jsonl, config.yaml), whether it is finished, failed \
            or still running. Several runs are laid side by side, their curves over each other.

            Examples:
              myriad report runs/synthetic-1 -o report.html
              myriad report runs/din-1 runs/dien-1 -o comparison.html
            """)

    @Argument(help: "Run directories.")
    var runs: [String]

    @Option(name: .shortAndLong, help: "The HTML file to write.")
    var output = "report.html"

    func run() throws {
        try Exit.attempt(.input) {
            let recorded = try runs.map { directory in
                var run = try RecordedRun(directory: directory)
                run.defaults = Self.defaults(for: run.config) ?? ""
                return run
            }
            try Files.write(Display.Report(recorded).html, to: output)
            print(output)
        }
    }

    /// The configuration of the same model with nothing set; nil for a configuration of another version.
    private static func defaults(for config: String) -> String? {
        guard let settings = try? ConfigReader.read(text: config, name: "config.yaml") else { return nil }
        return try? ConfigReader.read(text: "model: {kind: \(settings.model.kind.rawValue)}", name: "defaults").yaml()
    }
}

struct Curves: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw validation AUC against samples of several runs.",
        discussion: "Example: myriad curves runs/none runs/mba --output curves.svg")

    @Argument(help: "Run directories.")
    var runs: [String]

    @Option(name: .shortAndLong, help: "The SVG file to write.")
    var output = "curves.svg"

    func run() throws {
        try Exit.attempt(.input) {
            let curves = try runs.map { try Cluster.Curves.Curve(run: $0) }
            try Files.write(Cluster.Curves.draw(curves), to: output)
            for curve in curves {
                print("\(curve.name): " + curve.points.map { Monitor.digits($0.auc) }.joined(separator: " "))
            }
            print(output)
        }
    }
}
