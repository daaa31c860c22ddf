import Foundation
import Hashing

extension Dataset {
    /// By what processes know that they have the same dataset: its schema, splits and counts, wherever it lies and from
    /// whatever paths it was prepared.
    package func fingerprint() throws -> String {
        var description = info
        description.prepared = [:]
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(description), as: UTF8.self)
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
}
