/// The content of `dataset.yaml`: what the dataset holds and how it was made.
package struct DatasetInfo: Codable, Sendable, Equatable {
    /// The format that this version reads and writes.
    package static let currentFormat = 1

    /// Totals of one split.
    package struct SplitInfo: Codable, Sendable, Equatable {
        /// Files of the split.
        package var parts = 1
        /// Impressions.
        package var groups = 0
        /// Candidates with a label.
        package var samples = 0
        /// Samples with label 1.
        package var positives = 0
        /// Stored behaviors.
        package var behaviors = 0
        /// AUC of the known click probability, where the world is synthetic.
        package var bayesAUC: Double?

        enum CodingKeys: String, CodingKey {
            case parts, groups, samples, positives, behaviors
            case bayesAUC = "bayes_auc"
        }
    }

    /// Format version of the directory.
    package var format = DatasetInfo.currentFormat
    /// The dataset's name.
    package var name: String
    /// Its fields.
    package var schema: Schema
    /// Its splits by name.
    package var splits: [String: SplitInfo] = [:]
    /// Distinct ids in the training split, by table.
    package var ids: [String: Int] = [:]
    /// How it was prepared: option names and values.
    package var prepared: [String: String] = [:]
    /// Input lines that were set aside.
    package var quarantined = 0
}

extension DatasetInfo {
    /// What is wrong with it, by key, or nil: numbers that no files can hold, names that are no file's.
    var problem: String? {
        if let problem = schema.problem { return "the schema \(problem)" }
        let most = Int(UInt32.max)
        for (name, split) in splits.sorted(by: { $0.key < $1.key }) {
            let letters = name.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_".unicodeScalars.contains($0)
            }
            guard letters, !name.isEmpty else { return "splits names '\(name)', expected letters, digits, - and _" }
            for (key, value, range) in [
                ("parts", split.parts, 1...100_000), ("groups", split.groups, 0...most),
                ("samples", split.samples, min(max(0, split.groups), most)...most),
                ("positives", split.positives, 0...max(0, split.samples)),
                ("behaviors", split.behaviors, 0...Int.max),
            ] where !range.contains(value) {
                return "splits.\(name).\(key) is \(value), expected \(range.lowerBound) to \(range.upperBound)"
            }
        }
        if let (table, count) = ids.first(where: { $0.value < 0 }) {
            return "ids.\(table) is \(count), expected 0 or more"
        }
        return nil
    }
}
