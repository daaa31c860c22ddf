import Tensors

/// A prepared dataset: a directory of `dataset.yaml`, memory-mapped splits and occurrence counts.
package final class Dataset: Sendable {
    /// Where it lies.
    package let directory: String
    /// What it holds.
    package let info: DatasetInfo
    let checks: FileChecks
    /// The file by which a directory is known as a dataset.
    package static let infoFile = "dataset.yaml"
    static let countsFile = "counts.safetensors"

    /// Its fields.
    package var schema: Schema { info.schema }

    /// Opens a dataset directory and checks its description.
    package init(directory: String) throws(DatasetError) {
        self.directory = directory
        checks = FileChecks(directory: directory)
        let path = directory + "/" + Dataset.infoFile
        let text: String
        do {
            text = try PlainYAML.text(of: path)
        } catch {
            throw .missing(directory: directory, "holds no readable dataset.yaml (\(error))")
        }
        info = try DatasetInfo(text, path: path)
        do {
            try verify(Dataset.infoFile)
        } catch let error as DatasetError {
            throw error
        } catch {
            throw .part(path: path, "\(error)")
        }
    }

    /// Maps a split and checks it whole.
    package func split(named name: String) throws -> Split {
        guard let totals = info.splits[name] else {
            throw DatasetError.missing(
                directory: directory,
                "has no split '\(name)'; it has \(info.splits.keys.sorted().joined(separator: ", "))")
        }
        let parts = try (0..<totals.parts).map { number in
            let file = Dataset.name(of: name, part: number)
            try verify(file)
            return try SplitPart(path: directory + "/" + file, schema: schema)
        }
        let split = Split(name: name, parts: parts)
        guard split.groupCount == totals.groups, split.sampleCount == totals.samples else {
            throw DatasetError.info(
                path: directory + "/" + Dataset.infoFile,
                "says \(totals.groups) groups and \(totals.samples) samples in split '\(name)', but the files hold "
                    + "\(split.groupCount) and \(split.sampleCount)")
        }
        guard split.positiveCount == totals.positives, split.behaviorCount == totals.behaviors else {
            throw DatasetError.info(
                path: directory + "/" + Dataset.infoFile,
                "says \(totals.positives) positives and \(totals.behaviors) behaviors in split '\(name)', but the files "
                    + "hold \(split.positiveCount) and \(split.behaviorCount)")
        }
        return split
    }

    /// How many training samples contain each id: ids ascending, and their counts, of a table.
    package func counts(table: String) throws -> (ids: [UInt64], counts: [UInt32]) {
        try verify(Dataset.countsFile)
        let file = try SafetensorsFile(path: directory + "/" + Dataset.countsFile)
        let ids = Array(try file.column(table + ".ids", as: UInt64.self))
        let counts = Array(try file.column(table + ".counts", as: UInt32.self))
        guard ids.count == counts.count else {
            throw DatasetError.part(path: file.path, "table '\(table)' has \(ids.count) ids, \(counts.count) counts")
        }
        return (ids, counts)
    }

    /// The name of a file of a split.
    static func name(of split: String, part: Int) -> String {
        let digits = String(part)
        return "\(split)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).safetensors"
    }
}
