import ArgumentParser
import Cluster
import Foundation
import Kernels
import Models
import Telemetry

extension ModelOptions.Kind: ExpressibleByArgument {}

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure training, a shard, and a cluster against one process.",
        discussion: """
            Figures are of whole training: reading, forward, backward, pull, push, both optimizers. Run it on a quiet \
            machine; OPENBLAS_CORETYPE in the environment chooses the kernels of OpenBLAS, which are named.

            Examples:
              myriad bench
              myriad bench --page --seconds 20
              myriad bench --json --model din --dim 18 --batch 1024 --threads 1
            """)

    @Flag(help: "Measure one cell of training and print one line of JSON.")
    var json = false

    @Flag(help: "Measure how fast the page and the API answer for a simulated cluster of 64 shards and 256 workers.")
    var page = false

    @Option(
        help: """
            A directory of little-endian arrays user.i32, item.i32, cat.i32, len.i32, hist_item.i32, hist_cat.i32 (histories \
            padded to one length) and label.f32; an own workload of 65,536 samples unless given.
            """)
    var data: String?

    @Option(help: "With --json: base, din, dien, dsin or bst (default: din).")
    var model: ModelOptions.Kind?

    @Option(help: "Floats of an embedding.")
    var dim = 18

    @Option(help: "Samples of a global batch.")
    var batch = 1024

    @Option(help: "With --json: compute threads (default: 1).")
    var threads: Int?

    @Option(help: "Seconds of a repeat.")
    var seconds = 2.0

    @Option(help: "Repeats.")
    var repeats = 5

    func validate() throws {
        try Bounds.check(
            ("--dim", dim, 1...4096), ("--batch", batch, 1...1 << 20), ("--threads", threads, 1...1024),
            ("--repeats", repeats, 1...10_000))
        try Bounds.check("--seconds", seconds, 0.1...86_400)
        if page, json { throw ValidationError("--page and --json are two measurements: give one of them") }
        if page, data != nil { throw ValidationError("--data fits no --page, whose cluster is simulated") }
        for (name, isGiven) in [("--model", model != nil), ("--threads", threads != nil)] where isGiven && !json {
            throw ValidationError("\(name) fits --json only: all models are measured without it")
        }
    }

    private var cell: (model: String, threads: Int) { ((model ?? .din).rawValue, threads ?? 1) }

    func run() throws {
        if page { return try PageBench(seconds: seconds).run().forEach { print($0) } }
        try Exit.attempt(.input) {
            let place = try PrivateDirectory(in: FileManager.default.temporaryDirectory.path)
            defer { place.remove() }
            let directory = place.path + "/data"
            try BenchData.write(to: directory, arrays: data)
            let bench = TrainingBench(directory: directory, seconds: seconds, repeats: repeats)
            if json {
                let config = try bench.config(model: cell.model, dim: dim, batch: batch, threads: cell.threads)
                printLine(try bench.inProcess(config))
            } else {
                try printAll(bench)
            }
        }
    }

    private func printLine(_ rates: [Double]) {
        print(
            "{\"peer\": \"myriad\", \"model\": \"\(cell.model)\", \"dim\": \(dim), \"batch\": \(batch), \"threads\": \(cell.threads), "
                + "\"median\": \(Int(rates.middle)), \"min\": \(Int(rates.first ?? 0)), \"max\": \(Int(rates.last ?? 0)), "
                + "\"rss_mb\": \(SystemInfo.process().peakBytes >> 20), \"blas\": \"\(blasCore())\"}")
    }

    private func printAll(_ bench: TrainingBench) throws {
        print("\(SystemInfo.processor); OpenBLAS kernels: \(blasCore())")
        for name in ModelOptions.Kind.allCases.map(\.rawValue) {
            for count in [1, 2] {
                let rates = try bench.inProcess(try bench.config(model: name, dim: dim, batch: batch, threads: count))
                let threads = count == 1 ? "1 thread" : "\(count) threads"
                print("\(name), batch \(batch), width \(dim), \(threads): \(Int(rates.middle)) samples/s")
            }
        }
        let config = try bench.config(model: "din", dim: dim, batch: batch, threads: 1)
        let local = try bench.inProcess(config).middle
        let cluster = try bench.launched(config, program: Bundle.main.executablePath ?? CommandLine.arguments[0]).middle
        print(
            "cluster of 1 server and 1 worker over one process: \(String(format: "%.2f", cluster / local)) "
                + "(\(Int(cluster)) and \(Int(local)) samples/s)")
        try ShardBench(seconds: seconds).run().forEach { print($0) }
    }
}
