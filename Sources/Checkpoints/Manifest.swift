import Foundation
package import Telemetry
import Tensors
import Wire

/// The manifest of a checkpoint, `manifest.json`: what it holds, as `docs/checkpoint.md` specifies it.
///
/// It is written last; a directory without one is no checkpoint.
package struct Manifest: Codable, Sendable, Equatable {
    /// The format that this release reads and writes; one that changes in any way gets the next number.
    package static let currentFormat = 2
    /// The most steps that a checkpoint may have.
    package static let stepLimit = JobPlan.mostSteps

    /// A file, and how to know that it is whole.
    package struct File: Codable, Sendable, Equatable {
        /// Name within the directory.
        package var file: String
        package var bytes: Int
        /// XXHash64 of the content, in hexadecimal.
        package var checksum: String
        /// Partitions of the tables that it holds, ascending; none of a file of dense parameters.
        package var partitions: [Int] = []
        /// Rows of each table; none of a file of dense parameters.
        package var rows: [Int] = []
    }

    /// A table.
    package struct TableInfo: Codable, Sendable, Equatable {
        package var name: String
        /// Floats of a row.
        package var width: Int
        /// Floats of a row's optimizer state.
        package var slots: Int
        /// The optimizer whose state that is.
        package var optimizer: String
        /// Rows over all parts.
        package var rows: Int
    }

    /// Which run wrote it, on what.
    package struct Origin: Codable, Sendable, Equatable {
        /// The release of the program.
        package var release: String
        /// The run's id, drawn at its first start.
        package var run: String
        /// The fingerprint of the dataset.
        package var dataset: String
        /// Updates that the optimizers' state has had besides `step`: those of the run that this one began from.
        package var earlierUpdates: Int

        package init(release: String, run: String, dataset: String, earlierUpdates: Int = 0) {
            self.release = release
            self.run = run
            self.dataset = dataset
            self.earlierUpdates = earlierUpdates
        }
    }

    package var format = Manifest.currentFormat
    /// SHA-256 of the file with 64 zeros in the place of these digits.
    package var digest = Seal.none
    /// Which run wrote it, on what.
    package var origin: Origin
    /// Steps applied; the directory is named after it.
    package var step: Int
    /// Partitions of the job.
    package var partitions: Int
    /// Tables in the order of the schema.
    package var tables: [TableInfo]
    /// Files of rows.
    package var parts: [File]
    /// The file of dense parameters.
    package var dense: File
    /// The optimizer of the dense parameters.
    package var denseOptimizer: String
    /// The resolved configuration, YAML.
    package var config: String
    /// What was known of evaluations then.
    package var judgement: Judgement

    private enum CodingKeys: String, CodingKey {
        case format, digest, origin, step, partitions, tables, parts, dense, config, judgement
        case denseOptimizer = "dense_optimizer"
    }
}

extension Manifest {
    /// The name of a checkpoint's directory.
    package static func directory(of step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The step that a directory is named after; nil for any other name.
    package static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), (0...stepLimit).contains(step),
            directory(of: step) == name
        else { return nil }
        return step
    }

    // MARK: The file

    /// The manifest as it is written.
    ///
    /// Metrics need not be finite numbers, which JSON does not have.
    func encoded() throws -> Data {
        var copy = self
        copy.digest = Seal.none
        return Seal.close(try TelemetryJSON.encode(copy, pretty: true, isSnakeCase: false))
    }

    /// Reads the manifest of a checkpoint directory and checks it whole.
    package init(directory: String) throws(CheckpointError) {
        let path = directory + "/manifest.json"
        let data: Data
        do {
            data = try Files.read(path)
        } catch {
            throw error.isMissing ? .missing(path: directory) : CheckpointError(error)
        }
        self = try Manifest(data, path: path)
        let name = (directory as NSString).lastPathComponent
        if name.hasPrefix("step-"), Manifest.step(of: name) != step {
            throw .damaged(path: path, "is of step \(step), and its directory is named \(name)")
        }
    }

    /// What every format has: which it is, and by what its bytes are known to be whole.
    private struct Envelope: Decodable {
        struct Origin: Decodable {
            let release: String?
        }
        let format: Int
        let digest: String?
        let origin: Origin?
    }

    private init(_ data: Data, path: String) throws(CheckpointError) {
        guard let envelope = try? TelemetryJSON.decode(Envelope.self, from: data, isSnakeCase: false) else {
            throw .damaged(path: path, "is no manifest")
        }
        // The first format had no digest.
        if envelope.digest == nil, envelope.format == 1 { throw .format(path: path, format: 1, release: nil) }
        guard let digest = envelope.digest, Seal.holds(digest, in: data) else {
            throw .damaged(path: path, "does not have the digest that it states")
        }
        guard envelope.format == Manifest.currentFormat else {
            throw .format(path: path, format: envelope.format, release: envelope.origin?.release)
        }
        do {
            self = try TelemetryJSON.decode(Manifest.self, from: data, isSnakeCase: false)
        } catch {
            throw .damaged(path: path, "is no manifest of format \(Manifest.currentFormat)")
        }
        if let problem { throw .damaged(path: path, problem) }
    }
}
