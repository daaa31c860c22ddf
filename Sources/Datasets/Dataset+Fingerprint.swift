import Foundation
import Tensors

/// A dataset's contents, known without being read each time.
///
/// `checksums` lists its files with length and XXHash64, one a line; `prepare` writes it, and for a dataset that was
/// written otherwise the sums are computed. A file is read and compared once: then `.checked` beside it holds what its
/// content was known by (length, inode, times of change). A file that is written, replaced or copied since gets other
/// ones, and is read again. Where `.checked` cannot be written, every process reads the files that it opens.
extension Dataset {
    static let listFile = "checksums"
    static let checkedFile = ".checked"

    /// By what processes and checkpoints know that they have the same dataset: its schema, splits and counts, and the
    /// content of its files, wherever it lies and from whatever paths it was prepared.
    package func fingerprint() throws -> String {
        var description = info
        description.prepared = [:]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = String(decoding: try encoder.encode(description), as: UTF8.self)
        for (name, sum) in try sums().sorted(by: { $0.key < $1.key }) where name != Dataset.infoFile {
            text += "\n\(name) \(sum.bytes) \(sum.checksum)"
        }
        return String(XXHash64.hash(text), radix: 16)
    }

    /// Throws unless this is the dataset that another process means.
    package func check(fingerprint wanted: String) throws {
        let own = try fingerprint()
        guard own != wanted else { return }
        let splits = info.splits.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.samples)" }
        throw DatasetError.foreign(
            directory: URL(filePath: directory).standardizedFileURL.path,
            "\(splits.joined(separator: ", ")) samples; fingerprint \(own), the job's is \(wanted)")
    }

    /// Goes through the names of all parts of splits, as the description has them.
    private func eachPart(_ body: (String) throws -> Void) throws {
        for split in info.splits.keys.sorted() {
            for number in 0..<max(0, info.splits[split]?.parts ?? 0) { try body(Dataset.name(of: split, part: number)) }
        }
    }

    /// What every file has to be: as listed, or else as it is.
    private func sums() throws -> [String: FileSum] {
        if let listed = try listed() { return listed }
        var sums: [String: FileSum] = [:]
        try eachPart { sums[$0] = try checks.sum(of: $0) }
        let counts = Dataset.countsFile
        if try Files.stamp(directory + "/" + counts) != nil { sums[counts] = try checks.sum(of: counts) }
        return sums
    }

    private func listed() throws -> [String: FileSum]? {
        let path = directory + "/" + Dataset.listFile
        guard try Files.stamp(path) != nil else { return nil }
        let text = String(decoding: try Files.read(path), as: UTF8.self)
        var sums: [String: FileSum] = [:]
        for (number, line) in text.split(separator: "\n").enumerated() {
            guard let (name, sum) = FileSum.read(line), sums.updateValue(sum, forKey: name) == nil else {
                throw DatasetError.part(path: "\(path):\(number + 1)", "is no line of checksum, bytes and name")
            }
        }
        func check(_ name: String) throws {
            if sums[name] == nil { throw DatasetError.part(path: path, "does not list \(name)") }
        }
        try check(Dataset.infoFile)
        try eachPart(check)
        if try Files.stamp(directory + "/" + Dataset.countsFile) != nil { try check(Dataset.countsFile) }
        return sums
    }

    /// Throws unless a file is as the dataset's list says; a dataset without one is taken as it is.
    func verify(_ name: String) throws {
        guard let wanted = try listed()?[name] else { return }
        var found = try checks.sum(of: name)
        // What was noted may be what is wrong.
        if found != wanted { found = try checks.sum(of: name, isFresh: true) }
        guard found == wanted else {
            throw DatasetError.part(
                path: directory + "/" + name,
                "has \(found.bytes) bytes with the checksum \(found.checksum); \(Dataset.listFile) beside it says "
                    + "\(wanted.bytes) bytes with \(wanted.checksum). Copy it again from where it is whole (whoever changed "
                    + "it on purpose removes \(Dataset.listFile))")
        }
    }

    /// Writes the list of a dataset's files into its directory.
    static func list(_ names: [String], in directory: String) throws {
        let checks = FileChecks(directory: directory, isKept: false)
        let lines = try names.map { try checks.sum(of: $0).line(of: $0) }
        try Files.replace(directory + "/" + listFile, with: Data(lines.joined().utf8))
    }
}
