import ArgumentParser
import Cluster
import Foundation
import Job
import Telemetry
import Tensors

struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Write a job in the words of a cluster engine.",
        subcommands: [Kubernetes.self])

    struct Kubernetes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a job's manifest for Kubernetes.",
            discussion: """
                ConfigMap, Secret, scheduler (Job and Service), servers (StatefulSet), workers (Indexed Job). Every \
                pod that ends before the job does comes back, and the job goes on from its newest checkpoint; \
                checkpoint.every bounds what a pod that is killed costs.

                Examples:
                  myriad render kubernetes configs/din.yaml cluster.workers=4 -o din.yaml
                  myriad render kubernetes configs/din.yaml --namespace ads \\
                    --image registry.example.org/myriad:1 --keys keys -o din.yaml
                """)

        @Argument(help: "The job's configuration (YAML).")
        var config: String

        @Argument(help: "Overrides, such as cluster.servers=2 or train.batch=1024.")
        var overrides: [String] = []

        @Option(help: "The container image, as cluster/Dockerfile makes it.")
        var image = "myriad:latest"

        @Option(help: "The namespace; the one that kubectl is set to unless given.")
        var namespace: String?

        @Option(help: "The job's name, which begins the names of all objects; the config's name unless given.")
        var name: String?

        @Option(help: "The PersistentVolumeClaim with prepared data.")
        var dataClaim = "myriad-data"

        @Option(help: "Where in that claim the data lie; the last part of data.directory unless given.")
        var dataPath: String?

        @Option(help: "The PersistentVolumeClaim (ReadWriteMany) for run directories.")
        var runsClaim = "myriad-runs"

        @Option(help: "Memory of the scheduler; by the numbers of servers and workers unless given.")
        var schedulerMemory: String?

        @Option(help: "Memory of each server.")
        var serverMemory = "2Gi"

        @Option(help: "Memory of each worker.")
        var workerMemory = "2Gi"

        @Option(
            help: """
                A directory of keys (`myriad keys create`) to put into the file, which is secret then; without it the file \
                refers to a Secret and says how to make it.
                """)
        var keys: String?

        @Option(name: .shortAndLong, help: "The file to write; standard output unless given.")
        var output: String?

        func run() throws {
            do {
                let manifest = KubernetesManifest(options: try options())
                guard let output else { return print(manifest.text, terminator: "") }
                try write(manifest.text, to: output)
            } catch let error where error is ExitCode || error is ValidationError {
                throw error
            } catch {
                throw Exit.with(error)
            }
        }

        private func options() throws -> KubernetesOptions {
            let settings = try ConfigReader.read(path: config, overrides: overrides)
            let text = try Files.text(of: config)
            var options = KubernetesOptions(
                name: name ?? KubernetesOptions.name(of: config), text: text, overrides: overrides, config: settings,
                command: command, keys: try keys.map(KubernetesKeys.init(directory:)))
            options.namespace = namespace
            guard !image.isEmpty else { throw ValidationError("--image names no image") }
            options.image = image
            options.dataClaim = dataClaim
            options.runsClaim = runsClaim
            options.serverMemory = serverMemory
            options.workerMemory = workerMemory
            if let dataPath { options.dataPath = dataPath }
            if let schedulerMemory { options.schedulerMemory = schedulerMemory }
            if let problem = options.problem { throw ValidationError(problem) }
            if settings.checkpoint.every == 0 {
                StandardError.line(
                    "note: checkpoint.every is 0: a pod that is killed costs what was trained since the last evaluation; "
                        + "checkpoint.every=500 bounds that")
            }
            return options
        }

        /// The words of the command line, as a shell reads them, but for where the result goes.
        private var command: String {
            var words = ["myriad"]
            var rest = CommandLine.arguments.dropFirst().makeIterator()
            while let word = rest.next() {
                switch word {
                case "-o", "--output": _ = rest.next()
                case _ where word.hasPrefix("--output=") || word.hasPrefix("-o="): break
                default: words.append(word)
                }
            }
            return ShellWord.line(words)
        }

        /// Writes the file; one with keys in it is its user's alone.
        private func write(_ text: String, to path: String) throws {
            try Files.write(text, to: path, isSecret: keys != nil)
        }
    }
}
