import ArgumentParser
import Tensors

struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a job in the words of a cluster engine.",
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

        @OptionGroup var settings: ConfigArguments

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
            try Exit.attempt {
                let text = try manifest()
                guard let output else { return print(text, terminator: "") }
                // One with keys in it is its user's alone.
                try Files.write(text, to: output, isSecret: keys != nil)
            }
        }
    }
}
