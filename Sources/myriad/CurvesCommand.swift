import ArgumentParser
import Cluster
import Tensors

struct CurvesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "curves",
        abstract: "Draw validation AUC against samples of several runs.",
        discussion: "Example: myriad curves runs/none runs/mba --output curves.svg")

    @Argument(help: "Run directories.")
    var runs: [String]

    @Option(name: .shortAndLong, help: "The SVG file to write.")
    var output = "curves.svg"

    func run() throws {
        try Exit.attempt(Exit.data) {
            let curves = try runs.map { try Curves.Curve(run: $0) }
            try Files.write(Curves.draw(curves), to: output)
            for curve in curves {
                print("\(curve.name): " + curve.points.map { Monitor.digits($0.auc) }.joined(separator: " "))
            }
            print(output)
        }
    }
}
