import Yams

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
    /// The most that a number of it may be: no sum or product that is made of them overflows.
    private static let most = 1 << 40

    /// Reads the description at `path` and checks it whole.
    init(_ text: String, path: String) throws(DatasetError) {
        do {
            // Whatever else another format has.
            if let format = try PlainYAML.compose(text)?.mapping?["format"]?.int, format != DatasetInfo.currentFormat {
                throw PlainYAML.Problem(
                    what: "has format \(format), and this version reads \(DatasetInfo.currentFormat)")
            }
            self = try PlainYAML.decode(from: text)
        } catch {
            throw .info(path: path, "\(error)")
        }
        if let problem { throw .info(path: path, problem) }
    }

    /// What is wrong with it, by key, or nil: numbers that no files can hold, names that are no file's.
    var problem: String? {
        if let problem = schema.problem { return "the schema \(problem)" }
        for (name, split) in splits.sorted(by: { $0.key < $1.key }) {
            if let problem = self.problem(of: split, name) { return problem }
        }
        for (table, count) in ids.sorted(by: { $0.key < $1.key }) {
            guard schema.table(named: table) != nil else {
                return
                    "ids names \(shown(table)), expected tables of the schema: \(schema.tables.joined(separator: ", "))"
            }
            let most = mostIds(of: table)
            guard (0...most).contains(count) else { return "ids.\(table) is \(count), expected 0 to \(most)" }
        }
        guard (0...Self.most).contains(quarantined) else {
            return "quarantined is \(quarantined), expected 0 to \(Self.most)"
        }
        if let text = prepared["counted_history"], Int(text).map({ (0...Int(UInt32.max)).contains($0) }) != true {
            return "prepared.counted_history is \(shown(text)), expected 0 to \(UInt32.max)"
        }
        return nil
    }

    private func problem(of split: SplitInfo, _ name: String) -> String? {
        let most = Int(UInt32.max)
        let letters = name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_".unicodeScalars.contains($0)
        }
        guard letters, !name.isEmpty else { return "splits names \(shown(name)), expected letters, digits, - and _" }
        if let problem = Names.problem(name) { return "splits names \(shown(name)), which \(problem)" }
        for (key, value, range) in [
            ("parts", split.parts, 1...100_000), ("groups", split.groups, 0...most),
            ("samples", split.samples, min(max(0, split.groups), most)...most),
            ("positives", split.positives, 0...max(0, split.samples)),
            ("behaviors", split.behaviors, 0...(schema.behavior.isEmpty ? 0 : Self.most)),
        ] where !range.contains(value) {
            return "splits.\(name).\(key) is \(value), expected \(range.lowerBound) to \(range.upperBound)"
        }
        if let auc = split.bayesAUC, !(0...1).contains(auc) {
            return "splits.\(name).bayes_auc is \(auc), expected 0 to 1"
        }
        return nil
    }

    /// The most distinct ids of a table that the splits can have; they are numbered in 32 bits.
    private func mostIds(of table: String) -> Int {
        func fields(_ groups: [Schema.Field]...) -> Int { groups.joined().count { $0.table == table } }
        let stored = splits.values.reduce(0) { sum, split in
            let found =
                split.groups * fields(schema.user, schema.context) + split.samples * fields(schema.item, schema.bias)
                + split.behaviors * fields(schema.behavior)
            return min(Int(Int32.max), sum + min(Int(Int32.max), found))
        }
        return stored
    }
}
