import Checkpoints
import Datasets
import Foundation
package import Telemetry
import Tensors
import Wire

/// Where a run's directory may lie, and what may lie in it: asked before anything is made, opened or locked there.
package enum RunPlace {
    /// The files that a run keeps beside its directories.
    private static let files = [
        "config.yaml", "metrics.jsonl", "status.json", "failure.json", "starts", "lock", Resumption.Record.file,
    ]
    private static let directories = ["checkpoints", "logs", "keys", "tensorboard"]

    /// Throws where a run can or must not be.
    package static func check(_ path: String) throws(Complaint) {
        guard !path.isEmpty, place(of: path) != "/" else {
            throw refusal("'\(path)'", "cannot be a run's directory: name another with --run")
        }
        try checkPlace(path, "the run's directory", "--run")
        let whole = place(of: path)
        if isFile(whole + "/" + Dataset.infoFile) {
            throw refusal(path, "is a dataset's directory, it has \(Dataset.infoFile): name another with --run")
        }
        if !isRun(whole), let run = run(in: whole, depth: 2) {
            throw refusal(path, "holds the run \(run): name a directory of its own with --run, as in \(path)/new")
        }
        for name in files { try checkKind(path, name, S_IFREG) }
        for name in directories { try checkKind(path, name, S_IFDIR) }
        for name in (try? Files.names(in: path + "/logs")) ?? []
        where name.hasSuffix(".log") || kind("\(path)/logs/\(name)") != S_IFDIR {
            try checkKind(path, "logs/" + name, S_IFREG)
        }
    }

    /// Throws where something that is to stay must not be: its path cannot be told to nodes, or a run would remove it.
    ///
    /// - Parameters:
    ///   - what: what the path is to be.
    ///   - option: how another is named.
    package static func checkPlace(_ path: String, _ what: String, _ option: String) throws(Complaint) {
        let whole = place(of: path)
        // The longest that is made of it, and told to nodes.
        if let problem = Carriable.problem(whole + "/checkpoints/" + Manifest.directory(of: Manifest.stepLimit)) {
            throw Complaint.data("\(what), \(Carriable.shown(path)), \(problem): name another with \(option)")
        }
        var inner = whole as NSString
        repeat {
            let name = inner.lastPathComponent
            let remedy = "name one outside of it with \(option), and move what lies there already"
            if name.hasSuffix(Files.unfinished) {
                throw refusal(
                    path,
                    "lies in \(inner): what ends in '\(Files.unfinished)' is half written, and removed: name another "
                        + "with \(option)")
            }
            if Manifest.step(of: name) != nil, isFile("\(inner)/manifest.json") {
                throw refusal(path, "lies in the checkpoint \(inner), which its run removes with all in it: \(remedy)")
            }
            if inner as String != whole, isRun(inner as String) {
                throw refusal(
                    path, "lies in the run \(inner), which removes what it has no use for any more: \(remedy)")
            }
            inner = inner.deletingLastPathComponent as NSString
        } while inner.length > 1
    }

    /// A run that lies in a directory; of very many entries only the first are looked at.
    private static func run(in directory: String, depth: Int) -> String? {
        guard let names = try? Files.names(in: directory) else { return nil }
        for name in names.prefix(1000) where kind("\(directory)/\(name)") == S_IFDIR {
            let inner = "\(directory)/\(name)"
            if isRun(inner) { return inner }
            if depth > 1, let found = run(in: inner, depth: depth - 1) { return found }
        }
        return nil
    }

    /// Whether a run makes something of this name in its directory.
    static func isOurs(_ name: String) -> Bool {
        let whole = name.hasSuffix(Files.unfinished) ? String(name.dropLast(Files.unfinished.count)) : name
        return files.contains(whole) || directories.contains(whole)
    }

    private static func refusal(_ path: String, _ problem: String) -> Complaint {
        Complaint.data("\(path) \(problem)")
    }

    private static func isRun(_ path: String) -> Bool {
        isFile(path + "/config.yaml") && isFile(path + "/metrics.jsonl") && kind(path + "/checkpoints") == S_IFDIR
    }

    private static func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }

    /// What a path leads to; nil where that is nothing, or cannot be known.
    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// A pipe would be waited for, a device never end, a directory refused with the system's words in the middle of a job.
    private static func checkKind(_ path: String, _ name: String, _ wanted: mode_t) throws(Complaint) {
        guard let found = kind("\(path)/\(name)"), found != wanted else { return }
        let what =
            [S_IFDIR: "a directory", S_IFIFO: "a pipe", S_IFSOCK: "a socket", S_IFREG: "a file"][found] ?? "a device"
        throw refusal(
            "\(path)/\(name)",
            "is \(what), and a run keeps a \(wanted == S_IFREG ? "file" : "directory") of this name: remove it, or name "
                + "another directory with --run")
    }

    /// The whole path by which the system knows a place, also one that is not there yet.
    static func place(of path: String) -> String {
        var (there, rest) = (URL(filePath: path).path, [String]())
        while there.count > 1 {
            if let found = realpath(there, nil) {
                defer { free(found) }
                there = String(cString: found)
                break
            }
            rest.append((there as NSString).lastPathComponent)
            there = (there as NSString).deletingLastPathComponent
        }
        return URL(filePath: ([there] + rest.reversed()).joined(separator: "/")).standardizedFileURL.path
    }
}
