package import Evaluation
import Foundation
import Wire

/// The manifest of a checkpoint, `manifest.json`: what it holds.
///
/// It is written last; a directory without one is no checkpoint.
package struct Manifest: Codable, Sendable, Equatable {
    /// The format that this version reads and writes.
    package static let currentFormat = 1

    /// A file, and how to know that it is whole.
    package struct File: Codable, Sendable, Equatable {
        /// Name within the directory.
        package var file: String
        /// Length.
        package var bytes: Int
        /// XXHash64 of the content, in hexadecimal.
        package var checksum: String
        /// Partitions of the tables that it holds; none of a file of dense parameters.
        package var partitions: [Int]
    }

    /// A table.
    package struct TableInfo: Codable, Sendable, Equatable {
        /// The table's name.
        package var name: String
        /// Floats of a row.
        package var width: Int
        /// Floats of a row's optimizer state.
        package var slots: Int
        /// Rows over all parts.
        package var rows: Int
    }

    /// Format version.
    package var format = Manifest.currentFormat
    /// Steps applied.
    package var step: Int
    /// Partitions of the job.
    package var partitions: Int
    /// Tables in the order of the schema.
    package var tables: [TableInfo]
    /// Files of rows.
    package var parts: [File]
    /// The file of dense parameters.
    package var dense: File
    /// The resolved configuration, YAML.
    package var config: String
    /// Validation AUC of this state, if it was scored.
    package var validationAUC: Double?
    /// What was known of evaluations then; nil in checkpoints of older versions.
    package var judgement: Judgement?

    /// Metrics need not be finite numbers, which JSON does not have.
    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }

    /// The manifest as it is written.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(self)
    }

    /// The name of a checkpoint's directory.
    package static func directory(of step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// Reads the manifest of a checkpoint directory.
    package init(directory: String) throws(CheckpointError) {
        let path = directory + "/manifest.json"
        guard let data = FileManager.default.contents(atPath: path) else { throw .missing(path: directory) }
        do {
            self = try Manifest.decoder.decode(Manifest.self, from: data)
        } catch {
            throw .damaged(path: path, "is no manifest")
        }
        guard format == Manifest.currentFormat else {
            throw .mismatch(path: path, "has format \(format), and this version reads \(Manifest.currentFormat)")
        }
    }

    init(
        step: Int, partitions: Int, tables: [TableInfo], parts: [File], dense: File, config: String,
        judgement: Judgement
    ) {
        self.step = step
        self.partitions = partitions
        self.tables = tables
        self.parts = parts
        self.dense = dense
        self.config = config
        validationAUC = judgement.bestStep == step ? judgement.best?.auc : nil
        self.judgement = judgement
    }
}
