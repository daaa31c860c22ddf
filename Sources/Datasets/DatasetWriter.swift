import Foundation
import Yams

/// Writes a dataset directory under a temporary name and gives it its name when everything is there.
package final class DatasetWriter {
    private let directory: String
    private let partial: String
    private let name: String
    private let schema: Schema
    private let countedHistory: Int
    private var splits: [(name: String, writer: SplitWriter)] = []

    /// Starts a dataset; counts of ids regard the newest `countedHistory` behaviors of a history.
    package init(directory: String, name: String, schema: Schema, countedHistory: Int = 50) throws {
        if let problem = schema.problem { throw DatasetError.info(path: directory, "the schema \(problem)") }
        var trimmed = directory
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.directory = trimmed
        partial = trimmed + ".partial"
        self.name = name
        self.schema = schema
        self.countedHistory = countedHistory
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
    }

    /// Starts a split.
    package func split(_ name: String) throws -> SplitWriter {
        precondition(!splits.contains { $0.name == name }, "split \(name) was started already")
        let writer = try SplitWriter(path: Dataset.path(of: name, part: 0, in: partial), schema: schema)
        splits.append((name, writer))
        return writer
    }

    /// Writes splits, counts of the training ids and `dataset.yaml`, then renames; an older dataset of the same name
    /// is replaced only now.
    @discardableResult
    package func finish(prepared: [String: String] = [:], quarantined: Int = 0) throws -> DatasetInfo {
        var info = DatasetInfo(name: name, schema: schema, prepared: prepared, quarantined: quarantined)
        info.prepared["counted_history"] = String(countedHistory)
        while let split = splits.popLast() { info.splits[split.name] = try split.writer.finish() }
        if info.splits["train"] != nil {
            let path = Dataset.path(of: "train", part: 0, in: partial)
            let train = Split(name: "train", parts: [try SplitPart(path: path, schema: schema)])
            let counter = OccurrenceCounter(train, schema: schema, historyLimit: countedHistory)
            try counter.write(path: partial + "/counts.safetensors")
            info.ids = counter.distinct
        }
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        let text = try encoder.encode(info)
        try Self.attempt(partial) {
            try text.write(toFile: partial + "/dataset.yaml", atomically: false, encoding: .utf8)
        }
        try Self.attempt(directory) {
            if FileManager.default.fileExists(atPath: directory) {
                try FileManager.default.removeItem(atPath: directory)
            }
            try FileManager.default.moveItem(atPath: partial, toPath: directory)
        }
        return info
    }

    private static func attempt(_ path: String, _ work: () throws -> Void) throws {
        do {
            try work()
        } catch {
            throw DatasetError.file(path: path, "cannot be written: \(error.localizedDescription)")
        }
    }
}
