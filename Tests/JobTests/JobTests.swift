import Datasets
import Foundation
import Models
import Tensors
import Testing
import Wire

@testable import Job

/// A job opened against its data: what is refused, and what is worth a warning.
@Suite struct JobTests {
    private func job(_ data: TinyDataset, _ overrides: String..., model: String = "din") throws -> Job {
        try Job(
            ConfigReader.read(
                text: "data: {directory: \(data.directory)}\nmodel: {kind: \(model)}", name: "job.yaml",
                overrides: overrides))
    }

    private func complaint(_ data: TinyDataset, model: String = "din") -> String {
        do {
            let warnings = try job(data, model: model).examine()
            return "good: \(warnings)"
        } catch {
            return "\(error)"
        }
    }

    @Test("a good dataset is good for every model", arguments: ModelOptions.Kind.allCases)
    func good(kind: ModelOptions.Kind) throws {
        let data = try TinyDataset()
        #expect(try job(data, model: kind.rawValue).examine() == [])
    }

    /// One mistake in a part, and what is said of it.
    struct Mistake: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let expected: [String]
        let change: @Sendable (inout TinyDataset.Column) -> Bool

        init(_ name: String, _ expected: [String], _ change: @escaping @Sendable (inout TinyDataset.Column) -> Bool) {
            (testDescription, self.expected, self.change) = (name, expected, change)
        }

        /// One element of one column is another.
        static func element<T: TensorElement & Sendable>(
            _ column: String, _ index: Int, _ value: T, _ expected: String...
        ) -> Mistake {
            Mistake("\(column)[\(index)] = \(value)", expected) {
                if $0.name == column { $0.set(value, at: index) }
                return true
            }
        }
    }

    static let mistakes: [Mistake] = [
        Mistake("no label", ["tensor 'label' is missing"]) { $0.name != "label" },
        Mistake("no item", ["tensor 'item.category' is missing"]) { $0.name != "item.category" },
        Mistake("int32 ids", ["tensor 'user.user' is I32, expected U64: write it as numpy's uint64"]) {
            if $0.name == "user.user" { $0.set((1...4).map(Int32.init)) }
            return true
        },
        .element("label", 1, Float(2), "has label 2.0 at sample 1; labels are 0 or 1"),
        .element("label", 1, Float.nan, "has label nan at sample 1"),
        .element("numeric", 2, Float.nan, "has a numeric value that is not finite at index 2"),
        .element("user.user", 3, UInt64(0), "has id 0, which is kept for padding"),
        .element(
            "time", 2, Int64(1_000_001), "has the future in the history of group 2", "later than the group's time"),
        .element(
            "behavior.time", 4, Int64(999_000), "group 1 whose behavior.time falls from 1000000 to 999000 at event 4"),
        .element("history.end", 3, Int64(13), "has history 9..<13 in group 3, outside its behaviors"),
        .element("history.begin", 3, Int64.min, "has history -9223372036854775808..<12 in group 3"),
        .element("candidates.offsets", 2, Int64.max, "decreasing offsets"),
    ]

    @Test("a split that the dataset does not have is named with its place, and those that there are")
    func unknownSplits() throws {
        let data = try TinyDataset()
        for (key, remedy) in [("train", ""), ("validation", "; \"\" does without"), ("test", "; \"\" does without")] {
            let text = "data:\n  directory: \(data.directory)\n  \(key): tset\n"
            let config = try ConfigReader.read(text: text, name: "job.yaml")
            #expect {
                try Job(config)
            } throws: {
                "\($0)".hasPrefix("job.yaml:3: data.\(key) is 'tset', and \(data.directory) has no such split; it has")
                    && "\($0)".hasSuffix("validation\(remedy)")
            }
        }
    }

    @Test("a mistake in a part is named with file, column and place", arguments: mistakes)
    func parts(mistake: Mistake) throws {
        let data = try TinyDataset()
        try data.rewrite("validation", mistake.change)
        let found = complaint(data)
        #expect(found.contains(data.part("validation")), "\(found)")
        for words in mistake.expected { #expect(found.contains(words), "\(found)") }
    }

    @Test("a truncated part, a fifo and a directory for a part are named, and not waited for")
    func files() throws {
        let data = try TinyDataset()
        let bytes = try Data(contentsOf: URL(filePath: data.part("test")))
        try bytes.dropLast(100).write(to: URL(filePath: data.part("test")))
        #expect(complaint(data).contains("\(data.part("test"))"))
        try FileManager.default.removeItem(atPath: data.part("test"))
        #expect(mkfifo(data.part("test"), 0o600) == 0)
        #expect(complaint(data) == "\(data.part("test")) is not a regular file")
        try FileManager.default.removeItem(atPath: data.directory + "/dataset.yaml")
        #expect(mkfifo(data.directory + "/dataset.yaml", 0o600) == 0)
        #expect(complaint(data).contains("holds no readable dataset.yaml"))
    }

    @Test(
        "numbers of dataset.yaml that no files can hold are named with file and key",
        arguments: [
            ("parts: 1", "parts: -1", "splits.test.parts is -1, expected 1 to 100000"),
            ("parts: 1", "parts: 1000000000", "splits.test.parts is 1000000000"),
            ("parts: 1", "parts: 9223372036854775807", "splits.test.parts is 9223372036854775807"),
            ("parts: 1", "parts: 0", "splits.test.parts is 0"),
            ("parts: 1", "parts: .nan", "splits.test.parts: expected a whole number"),
            ("parts: 1", "pieces: 1", "lacks the key splits.test.parts"),
            ("samples: 40", "samples: -40", "splits.train.samples is -40, expected 20 to 4294967295"),
            ("samples: 40", "samples: 9223372036854775807", "splits.train.samples is 9223372036854775807"),
            ("samples: 40", "samples: 41", "says 20 groups and 41 samples in split 'train'"),
            ("groups: 20", "groups: -9223372036854775808", "splits.train.groups is -9223372036854775808"),
            ("positives: 20", "positives: 41", "splits.train.positives is 41, expected 0 to 40"),
            ("train:", "../train:", "splits names '../train', expected letters"),
            ("test:", "train:", "duplicated key"),
            ("- city", "- user", "the schema names a table twice"),
            ("- age", "- age\n  - age", "the schema names a numeric column twice"),
            ("format: 1", "format: 2", "has format 2, and this version reads 1"),
            ("name: tiny", "name: &x tiny", "anchors (&)"),
            ("quarantined: 0", "quarantined: 9223372036854775807", "quarantined is 9223372036854775807, expected 0 to"),
            ("quarantined: 0", "quarantined: -1", "quarantined is -1, expected 0 to"),
            ("quarantined: 0", "quarantined: 010", "line 10: has '010', another number to YAML than to people"),
            ("quarantined: 0", "quarantined: 9223372036854775807:0:0", "a number by sixties that is too large"),
            ("quarantined: 0", "quarantined: 1:30", "line 10: has '1:30', another number to YAML than to people"),
            ("quarantined: 0", "quarantined: 0\nquarantine: 0", "line 11: unknown key 'quarantine'; known here: "),
            ("item: 7", "item: 1000000000000000000", "ids.item is 1000000000000000000, expected 0 to 140"),
            ("item: 7", "item: -1", "ids.item is -1, expected 0 to 140"),
            ("item: 7", "itme: 7", "ids names 'itme', expected tables of the schema: user, item, category, city"),
            ("behaviors: 60", "behaviors: 9223372036854775807", "splits.train.behaviors is 9223372036854775807"),
            (
                "behaviors: 60", "behaviors: 61",
                "says 20 positives and 61 behaviors in split 'train', but the files hold 20"
            ),
            ("positives: 20", "positives: 19", "says 19 positives and 60 behaviors in split 'train'"),
            ("positives: 20", "positives: 20\n    bayes_auc: .nan", "splits.train.bayes_auc is nan, expected 0 to 1"),
            ("positives: 20", "positives: 20\n    bayes: 0.5", "unknown key 'splits.train.bayes'; known here: "),
            (
                "counted_history: '50'", "counted_history: x",
                "prepared.counted_history is 'x', expected 0 to 4294967295"
            ),
            ("counted_history: '50'", "counted_history: '-1'", "prepared.counted_history is '-1', expected 0 to"),
            ("    table: city", "    table: city\n    tabel: city", "unknown key 'schema.context.tabel'; known here: "),
            ("  tables:", "  tabels: []\n  tables:", "unknown key 'schema.tabels'; known here: "),
            ("  - city", "  - \"ci\\nty\"", "the schema has a table 'ci\\u{a}ty', which has a control character"),
            ("- age", "- ''", "the schema has a numeric column '', which is empty"),
            ("- age", "- \"\\x9b\"", "the schema has a numeric column '\\u{9b}', which has a control character"),
            (
                "    name: city", "    name: \(String(repeating: "ä", count: 513))",
                "the schema has a context field '\(String(repeating: "ä", count: 80))…', which has 1026 bytes"
            ),
            (
                "- column: city", "- column: \"\\e[31m\"",
                "column of a context field '\\u{1b}[31m', which has a control"
            ),
        ])
    func description(old: String, new: String, expected: String) throws {
        let data = try TinyDataset()
        try data.replace(old, by: new)
        let found = complaint(data)
        #expect(found.contains("\(data.directory)/dataset.yaml") && found.contains(expected), "\(found)")
    }

    @Test("a description that is no mapping is named with its file and what is expected", arguments: ["- a", "x", ""])
    func shape(text: String) throws {
        let data = try TinyDataset()
        let path = data.directory + "/dataset.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(complaint(data).hasPrefix("\(path): line 1: expected `key: value` lines"))
    }

    @Test("milliseconds are told from seconds: a warning, and an error where sessions are cut by them")
    func milliseconds() throws {
        let data = try TinyDataset(start: 1_700_000_000_000)
        let warnings = try job(data).examine()
        #expect(warnings.count == 3 && warnings.allSatisfy { $0.contains("milliseconds") })
        #expect(complaint(data, model: "dsin").contains("milliseconds, it seems, and model.sessions.gap is in seconds"))
    }

    @Test("features that the model does not read are named")
    func unread() throws {
        let data = try TinyDataset()
        let warnings = try job(data, "model.input=[user, target, attention]").examine()
        #expect(
            warnings == [
                "the model reads no context features (city), nor numeric features (age) of the dataset: see model.input"
            ])
    }

    @Test("micro-batches that do not divide the batch, or are too small for statistics, are told")
    func microBatches() throws {
        let data = try TinyDataset()
        #expect(
            try job(data, "train.batch=40", "train.micro_batch=16").warnings.first?.contains(
                "of every step has 8 samples") == true)
        #expect(
            try job(data, "train.micro_batch=8").warnings.first?.contains("mean and variance of so few samples") == true
        )
        #expect(throws: ConfigError.self) { try job(data, "train.micro_batch=1") }
        #expect(try job(data, "train.micro_batch=1", "model.top.activation=relu").plan.microBatch == 1)
    }

    @Test("counts that regard other histories than the job are told, and so is a limit that partitions cut fine")
    func countsAndLimits() throws {
        let data = try TinyDataset()
        let mba = "rows.regularization.kind=mba"
        #expect(try job(data, mba).warnings == [])
        #expect(try job(data, mba, "data.history=2").warnings.first?.contains("prepare it with --history 2") == true)
        #expect(try job(data, mba, "data.history=2", "rows.regularization.counts=running").warnings == [])
        #expect(
            try job(data, "rows.limit=300").warnings.first?.contains("rows.limit 300 is cut into 256 partitions")
                == true)
        try FileManager.default.removeItem(atPath: data.directory + "/counts.safetensors")
        #expect(throws: (any Error).self) { try job(data, mba).examine() }
    }

    @Test("what cannot be held or counted is refused with the keys that make it smaller")
    func sizes() throws {
        let data = try TinyDataset()
        #expect(
            "\(complaint(data, "model.embedding.width=4096", "model.top.hidden=[65536, 65536, 65536]"))".contains(
                "dense parameters"))
        #expect(complaint(data, "train.batch=1000000", "train.micro_batch=1000000").contains("good"))
        #expect(complaint(data, "train.epochs=1000000", "train.batch=2").contains("good"))
    }

    private func complaint(_ data: TinyDataset, _ first: String, _ second: String) -> String {
        do {
            _ = try job(data, first, second)
            return "good"
        } catch {
            return "\(error)"
        }
    }

    @Test("partitions belong to the job: shards share them, and never outnumber them")
    func partitions() throws {
        let data = try TinyDataset()
        #expect(try job(data).map(shards: 3).partitions == 256)
        let map = try job(data, "rows.partitions=8").map(shards: 8)
        #expect(map.partitions == 8 && map.bits == 3)
        #expect(throws: WireError.self) { try job(data, "rows.partitions=8").map(shards: 9) }
    }
}
