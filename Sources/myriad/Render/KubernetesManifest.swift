import ArgumentParser
import CShims
import Checkpoints
import Cluster
import Foundation
import Job
import Telemetry
import Tensors

extension Render.Kubernetes {
    /// The job as objects of Kubernetes: `Resources/kubernetes.yaml`, with its blanks filled in.
    ///
    /// A line stands once for each value of its blank, which is written `__NAME__`, and not at all where there is none.
    func manifest() throws -> String {
        let job = try settings.read()
        let secrets = try keys.map(Self.secrets(in:))
        var blanks = try blanks(job)
        blanks["CONFIG"] = Self.lines(of: try Files.text(of: settings.config))
        blanks["BY HAND"] = secrets == nil ? [""] : []
        blanks["INSIDE"] = secrets == nil ? [] : [""]
        for (name, text) in secrets ?? [:] { blanks[name] = [try Self.escaped(text)] }
        if job.checkpoint.every == 0 {
            StandardError.line(
                "note: checkpoint.every is 0: a pod that is killed costs what was trained since the last evaluation; "
                    + "checkpoint.every=500 bounds that")
        }
        let template = String(cString: myriad_kubernetes_yaml())
        return template.components(separatedBy: "---\n").filter { secrets != nil || !$0.contains("kind: Secret") }
            .joined(separator: "---\n").split(separator: "\n").flatMap { line in
                line.components(separatedBy: "__").enumerated().reduce([""]) { lines, part in
                    let values = part.offset % 2 == 0 ? [part.element] : blanks[part.element] ?? []
                    return lines.flatMap { line in values.map { line + $0 } }
                }
            }.map { $0.allSatisfy(\.isWhitespace) ? "\n" : $0 + "\n" }.joined()
    }

    /// What the blanks stand for, but for the config and the keys.
    private func blanks(_ job: JobConfig) throws -> [String: [String]] {
        let cluster = job.cluster
        // MiB: its own, what every node reports, and scores that are sorted as a whole.
        let needed = 512 + cluster.servers * (1 + cluster.shards) + cluster.workers + 640
        let schedulerMemory = schedulerMemory ?? "\((needed + 255) / 256 * 256)Mi"
        let dataPath = dataPath ?? job.data.directory.split(separator: "/").last.map(String.init) ?? ""
        let name = name ?? Self.name(of: settings.config)
        try check(name: name, schedulerMemory: schedulerMemory, dataPath: dataPath)
        let own = settings.overrides.filter { !$0.hasPrefix("cluster.servers=") && !$0.hasPrefix("cluster.workers=") }
        return [
            "NAME": [name], "NAMESPACE": [namespace].compactMap(\.self),
            "COMMAND": [Self.line(ShellWord.line(ContinuingCommand.words(without: ["-o", "--output"])))],
            "IMAGE": [try Self.escaped(image)], "IMAGE WORDS": [Self.line(image)],
            "DATA CLAIM": [dataClaim], "RUNS CLAIM": [runsClaim],
            "DATA PLACE": [dataPath.isEmpty ? "" : " in \(Self.line(dataPath))/"],
            "DATA PATH": [dataPath.isEmpty ? "" : ", subPath: \"\(try Self.escaped(dataPath))\""],
            "SPACE": keys == nil ? [namespace.map { " --namespace \($0)" } ?? ""] : [],
            "OVERRIDE": try own.map(Self.escaped), "SERVERS": ["\(cluster.servers)"],
            "WORKERS": ["\(cluster.workers)"], "WORKER FAILURES": ["\(10 * cluster.workers)"],
            "SHARDS": ["\(cluster.shards)"], "THREADS": ["\(cluster.threads)"],
            "SCHEDULER MEMORY": [schedulerMemory], "SERVER MEMORY": [serverMemory], "WORKER MEMORY": [workerMemory],
        ]
    }

    /// Refuses what Kubernetes would refuse.
    private func check(name: String, schedulerMemory: String, dataPath: String) throws {
        guard !image.isEmpty else { throw ValidationError("--image names no image") }
        let (claim, isNone) = (#/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/#, "is no name of a PersistentVolumeClaim")
        let (memory, amount) = (#/[0-9]+(?:k|[MGT]|[KMGT]i)?/#, "want an amount such as 2Gi or 500Mi")
        let letters = "small letters, digits and hyphens, a letter first and no hyphen last"
        for (option, text, form, problem) in [
            ("name", name, #/[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?/#, "want up to 40 \(letters)"),
            ("namespace", namespace, #/[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?/#, "want \(letters)"),
            ("data-claim", dataClaim, claim, isNone), ("runs-claim", runsClaim, claim, isNone),
            ("scheduler-memory", schedulerMemory, memory, amount), ("server-memory", serverMemory, memory, amount),
            ("worker-memory", workerMemory, memory, amount),
        ] as [(String, String?, Regex<Substring>, String)] {
            if let text, text.wholeMatch(of: form) == nil { throw ValidationError("--\(option) \(text): \(problem)") }
        }
        if dataPath.hasPrefix("/") || dataPath.split(separator: "/").contains("..") {
            throw ValidationError("--data-path \(dataPath): want a path within the claim, such as movielens")
        }
    }

    /// A name as Kubernetes wants it, of any other: `DIN_big.yaml` becomes `din-big`.
    private static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.split(separator: ".").first.map(String.init) ?? file
        let letters = stem.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let name = String(letters).split(separator: "-").joined(separator: "-")
        // A Service's name begins with a letter.
        return String((name.first?.isLetter == true ? name : "job-\(name)").prefix(40))
    }

    /// The files of a directory that `myriad keys create` made, and the page's token: it follows from the keys, so that
    /// rendering again gives the same file, and does not tell them.
    private static func secrets(in directory: String) throws -> [String: String] {
        var secrets: [String: String] = [:]
        for name in ["allowed", "node.key", "node.pub", "scheduler.key", "scheduler.pub"] {
            do {
                secrets[name] = try Files.text(of: directory + "/" + name)
            } catch {
                throw Problem(description: "\(error); make keys with myriad keys create --keys \(directory)")
            }
        }
        var hash = SHA256()
        hash.update("the page's token\n" + (secrets["scheduler.key"] ?? ""))
        secrets["token"] = String(hash.finish().prefix(32))
        return secrets
    }

    /// A text of the user between double quotes, as JSON and YAML read it: bare, `on` and `2024` would be no text.
    private static func escaped(_ text: String) throws -> String {
        String(try LookArguments.json(text, pretty: false).dropFirst().dropLast())
    }

    /// A text of the user as the rest of a comment.
    private static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The config with the line ends that a block of YAML has, and without the mark that some editors begin a file with.
    private static func lines(of text: String) -> [String] {
        let text = text.hasPrefix("\u{feff}") ? text.dropFirst() : text[...]
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        while lines.count > 1, lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}
