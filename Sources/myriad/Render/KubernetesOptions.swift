import Job

/// What a manifest for Kubernetes is made of.
struct KubernetesOptions: Sendable {
    /// The name of the job; its objects are called `<name>-scheduler` and so on.
    var name: String
    /// The namespace of all objects; nil for the one that `kubectl` is set to.
    var namespace: String?
    /// The container image.
    var image = "myriad:latest"
    /// The claim with the prepared data, read by all roles.
    var dataClaim = "myriad-data"
    /// The directory of the data within its claim; empty for its root.
    var dataPath: String
    /// The claim for run directories: scheduler and servers write to it from several nodes (ReadWriteMany).
    var runsClaim = "myriad-runs"
    /// Memory of the scheduler, as Kubernetes writes it: by the numbers of nodes unless said otherwise.
    var schedulerMemory: String
    /// Memory of each server and worker.
    var serverMemory = "2Gi"
    var workerMemory = "2Gi"
    /// The text of the config's file.
    var text: String
    /// What the job overrides of it.
    var overrides: [String]
    /// The text with its overrides, read.
    var config: JobConfig
    /// The keys to put into the file; nil for a Secret that is made by hand.
    var keys: KubernetesKeys?
    /// The command that renders this; it stands on top of the file.
    var command: String

    /// - Parameters:
    ///   - text: of the config's file.
    ///   - overrides: as on a command line.
    init(
        name: String, text: String, overrides: [String], config: JobConfig, command: String, keys: KubernetesKeys? = nil
    ) {
        self.name = name
        self.text = text
        self.overrides = overrides
        self.config = config
        self.command = command
        self.keys = keys
        // MiB: its own, what every node reports, and scores that are sorted as a whole.
        let cluster = config.cluster
        let needed = 512 + cluster.servers * (1 + cluster.shards) + cluster.workers + 640
        schedulerMemory = "\((needed + 255) / 256 * 256)Mi"
        dataPath = config.data.directory.split(separator: "/").last.map(String.init) ?? ""
    }

    /// A name as Kubernetes wants it, of any other: `DIN_big.yaml` becomes `din-big`.
    static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.split(separator: ".").first.map(String.init) ?? file
        let letters = stem.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let name = String(letters).split(separator: "-").joined(separator: "-")
        // A Service's name begins with a letter.
        return name.first?.isLetter == true ? String(name.prefix(40)) : "job-\(name)".prefix(40).description
    }

    /// What is wrong with them; nil when nothing is.
    var problem: String? {
        if !Self.isLabel(name) {
            return "--name \(name): want up to 40 small letters, digits and hyphens, a letter first and no hyphen last"
        }
        if let namespace, !Self.isLabel(namespace, upTo: 63) {
            return "--namespace \(namespace): want small letters, digits and hyphens, a letter first and no hyphen last"
        }
        for (flag, claim) in [("data-claim", dataClaim), ("runs-claim", runsClaim)] where !Self.isClaim(claim) {
            return "--\(flag) \(claim): is no name of a PersistentVolumeClaim"
        }
        for (flag, memory) in [
            ("scheduler-memory", schedulerMemory), ("server-memory", serverMemory), ("worker-memory", workerMemory),
        ]
        where !Self.isQuantity(memory) {
            return "--\(flag) \(memory): want an amount such as 2Gi or 500Mi"
        }
        if dataPath.hasPrefix("/") || dataPath.split(separator: "/").contains("..") {
            return "--data-path \(dataPath): want a path within the claim, such as movielens"
        }
        return nil
    }

    private static func isLabel(_ text: String, upTo limit: Int = 40) -> Bool {
        text.utf8.count <= limit && text.first?.isLetter == true && text.last != "-"
            && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
    }

    private static func isClaim(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count) && text.first != "." && text.last != "." && text.first != "-"
            && text.last != "-"
            && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-" || $0 == ".") }
    }

    private static func isQuantity(_ text: String) -> Bool {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        return !digits.isEmpty
            && ["", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"].contains(text.dropFirst(digits.count))
    }
}
