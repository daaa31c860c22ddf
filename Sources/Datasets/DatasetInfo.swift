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
