import Checkpoints
import Foundation
import Tensors
import Wire

extension Resumption {
    /// What a run that began so keeps, in `began.json`, to begin so again before its own first checkpoint.
    package struct Record: Codable, Equatable {
        static let file = "began.json"
        /// The format that this release writes; the first one had neither a number nor a digest, and is read too.
        private static let currentFormat = 2

        private var format = Record.currentFormat
        /// SHA-256 of the file with 64 zeros in the place of these digits.
        private var digest = Seal.none
        /// The whole path of the checkpoint.
        package var checkpoint: String
        /// The digest of its manifest.
        var manifest: String
        /// Steps that count as done.
        var step: Int
        /// Whether the optimizers began afresh.
        var resetsOptimizer: Bool

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case format, digest, checkpoint, manifest, step
            case resetsOptimizer = "resets_optimizer"
        }

        /// What is written for a run that begins so.
        init(checkpoint: String, manifest: String, step: Int, resetsOptimizer: Bool) {
            self.checkpoint = checkpoint
            self.manifest = manifest
            self.step = step
            self.resetsOptimizer = resetsOptimizer
        }

        /// The file's bytes.
        func encoded() throws -> Data {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Seal.close(try encoder.encode(self))
        }

        /// What the first format held, where `digest` is the manifest's.
        private struct First: Decodable {
            static let keys: Set = ["checkpoint", "digest", "step", "resets_optimizer"]
            let checkpoint, digest: String
            let step: Int
            let resets_optimizer: Bool
        }

        /// What a run's directory says, and what a person should know of it; nil for a run that began from nothing.
        static func read(in run: String) throws -> (record: Record, warning: String?)? {
            let path = "\(run)/\(file)"
            func refuse(_ problem: String) -> Failure {
                Failure(
                    description:
                        "\(path): \(problem). It says with which state the run began, and without it the run, which has "
                        + "no checkpoint of its own yet, cannot begin so again: put the file back, or begin a new run "
                        + "with --run and the same --resume")
            }
            let data: Data
            do {
                guard try Files.stamp(path) != nil else { return nil }
                data = try Files.read(path, limit: 1 << 20)
            } catch {
                throw refuse("cannot be read (\(error))")
            }
            guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw refuse("is damaged, it is no JSON object")
            }
            let decoder = JSONDecoder()
            if Set(object.keys) == First.keys, let first = try? decoder.decode(First.self, from: data) {
                let record = Record(
                    checkpoint: first.checkpoint, manifest: first.digest, step: first.step,
                    resetsOptimizer: first.resets_optimizer)
                if let problem = record.problem { throw refuse(problem) }
                return (
                    record,
                    "\(path) is of an older release and has no digest of its own: that the run began with step "
                        + "\(record.step)\(record.resetsOptimizer ? " and the weights alone" : "") is believed as it stands there"
                )
            }
            guard let digest = object[CodingKeys.digest.rawValue] as? String, Seal.holds(digest, in: data) else {
                throw refuse("is damaged, it does not have the digest that it states")
            }
            if let format = object[CodingKeys.format.rawValue] as? Int, format > currentFormat {
                throw refuse("has the newer format \(format), and this release reads \(currentFormat)")
            }
            let keys = Set(CodingKeys.allCases.map(\.rawValue))
            if let key = Set(object.keys).symmetricDifference(keys).sorted().first {
                throw refuse(keys.contains(key) ? "has no '\(key)'" : "has the unknown key '\(key)'")
            }
            guard let record = try? decoder.decode(Record.self, from: data), record.format == currentFormat else {
                throw refuse("is no record of format \(currentFormat)")
            }
            if let problem = record.problem { throw refuse(problem) }
            return (record, nil)
        }

        /// What makes no sense, or nil.
        private var problem: String? {
            guard (0...Manifest.stepLimit).contains(step) else {
                return "has step \(step), expected 0 to \(Manifest.stepLimit)"
            }
            guard checkpoint.hasPrefix("/") else { return "has the checkpoint '\(checkpoint)', expected a whole path" }
            return Carriable.problem(checkpoint).map { "has a path of a checkpoint that \($0)" }
        }
    }
}
