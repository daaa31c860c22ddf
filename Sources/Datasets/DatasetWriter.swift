import Foundation
import Tensors
import Yams

/// Writes a dataset directory under a temporary name and gives it its name when everything is there.
package final class DatasetWriter {
    private let directory: String
    private let partial: String
    private let name: String
    private let schema: Schema
    private let countedHistory: Int
    private var splits: [(name: String, writer: SplitWriter)] = []
    private var hasBegun = false

    /// Starts a dataset; counts of ids regard the newest `countedHistory` behaviors of a history.
    package init(directory: String, name: String, schema: Schema, countedHistory: Int = 50) throws {
        if let problem = schema.problem { throw DatasetError.info(path: directory, "the schema \(problem)") }
        // A link stays one: what it names is replaced.
        let trimmed = URL(filePath: directory).standardizedFileURL.resolvingSymlinksInPath().path
        self.directory = trimmed
        partial = trimmed + ".partial"
        self.name = name
        self.schema = schema
        self.countedHistory = countedHistory
        try Self.attempt(trimmed) { try Self.settle(trimmed) }
        if FileManager.default.fileExists(atPath: trimmed),
            !FileManager.default.fileExists(atPath: trimmed + "/dataset.yaml"),
            (try? FileManager.default.contentsOfDirectory(atPath: trimmed))?.isEmpty != true
        {
            throw DatasetError.file(path: trimmed, "exists and is no dataset; it is not replaced")
        }
        try Self.attempt(partial) {
            try? FileManager.default.removeItem(atPath: partial)
            try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
        }
        hasBegun = true
    }

    /// Starts a split.
    package func split(_ name: String) throws -> SplitWriter {
        precondition(!splits.contains { $0.name == name }, "split \(name) was started already")
        let writer = try SplitWriter(
            path: partial + "/" + Dataset.name(of: name, part: 0), schema: schema)
        splits.append((name, writer))
        return writer
    }

    /// Nothing half written stays behind.
    deinit { if hasBegun { try? FileManager.default.removeItem(atPath: partial) } }

    /// Writes splits, counts of the training ids, `dataset.yaml` and the checksums, all durable, then renames; an older
    /// dataset of the same name is put aside only now, and removed when the new one has its place.
    @discardableResult
    package func finish(prepared: [String: String] = [:], quarantined: Int = 0) throws -> DatasetInfo {
        var info = DatasetInfo(name: name, schema: schema, prepared: prepared, quarantined: quarantined)
        info.prepared["counted_history"] = String(countedHistory)
        var names = [Dataset.infoFile]
        while let split = splits.popLast() {
            info.splits[split.name] = try split.writer.finish()
            names.append(Dataset.name(of: split.name, part: 0))
        }
        if info.splits["train"] != nil {
            let path = partial + "/" + Dataset.name(of: "train", part: 0)
            let train = Split(name: "train", parts: [try SplitPart(path: path, schema: schema)])
            let counter = OccurrenceCounter(train, schema: schema, historyLimit: countedHistory)
            try counter.write(path: partial + "/" + Dataset.countsFile)
            names.append(Dataset.countsFile)
            info.ids = counter.distinct
        }
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        let text = try encoder.encode(info)
        // What nobody could open takes no dataset's place.
        _ = try DatasetInfo(text, path: directory + "/" + Dataset.infoFile)
        try Self.attempt(partial) {
            try Files.replace(partial + "/" + Dataset.infoFile, with: Data(text.utf8))
            try Dataset.list(names.sorted(), in: partial)
            try Files.sync(partial)
        }
        try Self.attempt(directory) {
            if FileManager.default.fileExists(atPath: directory) {
                try Files.move(directory, to: directory + Self.aside)
            }
            try Files.move(partial, to: directory)
            try Files.sync((directory as NSString).deletingLastPathComponent)
            try Self.settle(directory)
        }
        return info
    }

    private static let aside = ".replaced" + Files.unfinished

    /// Ends what a replacement has begun: an older dataset that was put aside comes back unless the new one is there;
    /// else it goes, but for the files that are no dataset's, which move into the new one.
    private static func settle(_ directory: String) throws {
        let (files, old) = (FileManager.default, directory + aside)
        guard files.fileExists(atPath: old) else { return }
        if !files.fileExists(atPath: directory), files.fileExists(atPath: old + "/" + Dataset.infoFile) {
            return try Files.move(old, to: directory)
        }
        for name in try Files.names(in: old) where !isOwn(name) && !files.fileExists(atPath: directory + "/" + name) {
            try Files.move(old + "/" + name, to: directory + "/" + name)
        }
        // First what makes it a dataset: half removed, it must not come back.
        unlink(old + "/" + Dataset.infoFile)
        try files.removeItem(atPath: old)
    }

    /// Whether a file is one that a dataset consists of.
    private static func isOwn(_ name: String) -> Bool {
        [Dataset.infoFile, Dataset.countsFile, Dataset.listFile, Dataset.checkedFile, "quarantine.txt"].contains(name)
            || name.contains(#/^.+-[0-9]{5,}\.safetensors$/#)
    }

    private static func attempt(_ path: String, _ work: () throws -> Void) throws {
        do {
            try work()
        } catch {
            throw DatasetError.file(
                path: path,
                "cannot be written: \((error as? SafetensorsError).map { "\($0)" } ?? error.localizedDescription)")
        }
    }
}
