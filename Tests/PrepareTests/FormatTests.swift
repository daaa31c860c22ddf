import CCompression
import Foundation
import Tensors
import Testing

@testable import Datasets

/// A directory of raw files, and what is prepared of them.
final class Workshop {
    let directory: String

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "prep-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func write(_ name: String, _ text: String) throws {
        let path = directory + "/" + name
        let bytes = Array(text.utf8)
        if name.hasSuffix(".gz") {
            let file = try #require(gzopen(path, "wb"))
            #expect(gzwrite(file, bytes, UInt32(bytes.count)) == Int32(bytes.count))
            gzclose(file)
        } else if name.hasSuffix(".zst") {
            var packed = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
            let count = ZSTD_compress(&packed, packed.count, bytes, bytes.count, 3)
            try Data(packed[..<count]).write(to: URL(filePath: path))
        } else {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }

    func prepare(_ format: PrepareOptions.Format, _ change: (inout PrepareOptions) -> Void = { _ in }) throws -> Dataset
    {
        var options = PrepareOptions()
        options.format = format
        options.inputs = [directory + "/raw"]
        options.output = directory + "/set"
        options.badLines = 0.5
        change(&options)
        if options.inputs == [directory + "/raw"] { options.inputs = files }
        _ = try options.prepare()
        return try Dataset(directory: options.output)
    }

    private var files: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0 != "set" && $0 != "set.partial" }.sorted().map { directory + "/" + $0 }
    }

    /// A sample as ids: user, item, category, label, history of (item, category).
    struct Sample: Equatable {
        var user: UInt64
        var item: UInt64
        var category: UInt64
        var label: Float
        var history: [UInt64]
    }

    static func samples(_ dataset: Dataset, _ name: String, limit: Int = 100) throws -> [Sample] {
        let split = try dataset.split(named: name)
        let builder = MicroBatchBuilder(schema: dataset.schema, historyLimit: limit)
        let batch = MicroBatch(schema: dataset.schema)
        let order = DataOrder(split, seed: 0, epoch: nil)
        builder.fill(batch, from: split, order: order, positions: 0..<order.count)
        let tables = batch.tables
        return (0..<batch.sampleCount).map { sample in
            let history = Int(batch.historyOf[sample])
            let positions = Int(batch.historyOffsets[history])..<Int(batch.historyOffsets[history + 1])
            return Sample(
                user: batch.keys[sample], item: tables[1].ids[Int(batch.itemRows[0][sample])],
                category: tables[2].ids[Int(batch.itemRows[1][sample])], label: batch.labels[sample],
                history: positions.map {
                    tables[1].ids[Int(batch.behaviorRows[0][Int(batch.positionBehavior[$0])])]
                })
        }
    }
}

func id(_ text: String) -> UInt64 { Amazon.id(text) }

@Suite struct FormatTests {
    /// User a: items 1 2 3 4 in this order; user b: 3 2 1.
    private static let events = [
        ("a", "1", 10), ("a", "2", 20), ("b", "3", 5), ("b", "2", 6), ("b", "1", 7), ("a", "4", 40), ("a", "3", 30),
    ]

    private static func lines(_ line: ((String, String, Int)) -> String) -> String {
        events.map { line($0) + "\n" }.joined()
    }

    /// What every format must give of these events.
    private func check(_ dataset: Dataset, categoryOf4: String) throws {
        let tests = try Workshop.samples(dataset, "test").filter { $0.label == 1 }
        #expect(tests.count == 2)
        let first = try #require(tests.first { $0.user == id("a") })
        #expect(first.item == id("4") && first.history == [id("1"), id("2"), id("3")])
        #expect(first.category == (categoryOf4.isEmpty ? Events.unknownId : id(categoryOf4)))
        let validation = try Workshop.samples(dataset, "validation").filter { $0.label == 1 }
        #expect(Set(validation.map(\.item)) == [id("3"), id("2")])
        let train = try Workshop.samples(dataset, "train").filter { $0.label == 1 }
        #expect(train.map(\.item) == [id("2")] && train[0].history == [id("1")])
        #expect(dataset.info.quarantined == 1)
        #expect(FileManager.default.fileExists(atPath: dataset.directory + "/quarantine.txt"))
    }

    @Test("MovieLens-100K: u.data and u.item with genre flags")
    func movieLens100K() throws {
        let shop = try Workshop()
        try shop.write("u.data", Self.lines { "\($0)\t\($1)\t3\t\($2)" } + "broken\n")
        let flags = (0..<19).map { $0 == 5 ? "1" : "0" }.joined(separator: "|")
        try shop.write("u.item", "4|Some Title (1995)|01-Jan-1995||http://x|\(flags)\n")
        try check(shop.prepare(.movielens), categoryOf4: "genre 5")
    }

    @Test("MovieLens 1M: ratings.dat and movies.dat")
    func movieLens1M() throws {
        let shop = try Workshop()
        try shop.write("ratings.dat", Self.lines { "\($0)::\($1)::3::\($2)" } + "a::1::3::late\n")
        try shop.write("movies.dat", "4::Title: the Second::Drama|Comedy\n")
        try check(shop.prepare(.movielens), categoryOf4: "Drama")
    }

    @Test("MovieLens 20M: ratings.csv and movies.csv with quoted titles")
    func movieLensCSV() throws {
        let shop = try Workshop()
        try shop.write(
            "ratings.csv", "userId,movieId,rating,timestamp\n" + Self.lines { "\($0),\($1),3.5,\($2)" } + "a,1,,3\n")
        try shop.write("movies.csv", "movieId,title,genres\n4,\"Title, \"\"the\"\" Second\",Drama|Comedy\n")
        try check(shop.prepare(.movielens), categoryOf4: "Drama")
    }

    @Test("RecBole's atomic files with typed headers")
    func recbole() throws {
        let shop = try Workshop()
        try shop.write(
            "x.inter",
            "user_id:token\titem_id:token\ttimestamp:float\n" + Self.lines { "\($0)\t\($1)\t\($2)" } + "a\t1\n")
        try shop.write("x.item", "item_id:token\tmovie_title:token_seq\tclass:token_seq\n4\tSome Title\tDrama Comedy\n")
        try check(shop.prepare(.recbole), categoryOf4: "Drama")
    }

    @Test("Amazon 2014: reviews as gzipped JSON lines, metadata as Python dictionaries")
    func amazon() throws {
        let shop = try Workshop()
        try shop.write(
            "reviews_X_5.json.gz",
            Self.lines {
                "{\"reviewerID\": \"\($0)\", \"asin\": \"\($1)\", \"overall\": 5.0, \"unixReviewTime\": \($2)}"
            }
                + "{\"asin\": \"1\"}\n")
        try shop.write(
            "meta_X.json.gz",
            "{'asin': '4', 'title': \"it's \\\"x\\\"\", 'price': 1.5, 'related': {'bought': ['1']}, 'ok': True, "
                + "'categories': [['Beauty', 'Hair \\u00e9'], ['Other']]}\n")
        try check(shop.prepare(.amazon), categoryOf4: "Hair é")
    }

    @Test("Taobao's UserBehavior.csv")
    func taobao() throws {
        let shop = try Workshop()
        try shop.write("UserBehavior.csv", Self.lines { "\($0),\($1),c\($1),pv,\($2)" } + "a,1,c1,pv,\n")
        try check(shop.prepare(.taobao), categoryOf4: "c4")
    }

    @Test("delimited files by a schema, compressed or not", arguments: ["log.csv", "log.csv.gz", "log.csv.zst"])
    func delimited(name: String) throws {
        let shop = try Workshop()
        try shop.write(name, "when,who,what,kind\r\n" + Self.lines { "\($2),\($0),\($1),k\($1)\r" } + ",a,1,k\r\n")
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "comma"
            ($0.schema.user, $0.schema.item, $0.schema.category, $0.schema.time) = ("who", "what", "kind", "when")
        }
        try check(dataset, categoryOf4: "k4")
    }

    @Test("only the events whose column has the value, whichever column that is", arguments: ["first", "last"])
    func only(place: String) throws {
        let shop = try Workshop()
        // A view of item 77 after every event.
        let lines = Self.events.flatMap { event in
            [("buy", event.1), ("view", "77")].map { kind, item in
                place == "first" ? "\(kind),\(event.0),\(item),\(event.2)" : "\(event.0),\(item),\(event.2),\(kind)"
            }
        }
        let header = place == "first" ? "kind,who,what,when" : "who,what,when,kind"
        try shop.write("log.csv", ([header] + lines).joined(separator: "\n"))
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "comma"
            ($0.schema.user, $0.schema.item, $0.schema.time) = ("who", "what", "when")
            $0.schema.only = ["kind", "buy"]
        }
        let tests = try Workshop.samples(dataset, "test").filter { $0.label == 1 }
        let first = try #require(tests.first { $0.user == id("a") })
        #expect(first.item == id("4") && first.history == [id("1"), id("2"), id("3")])
    }

    @Test("JSON lines by a schema")
    func jsonLines() throws {
        let shop = try Workshop()
        try shop.write(
            "log.jsonl.gz",
            Self.lines {
                "{\"who\": \"\($0)\", \"what\": \($1), \"when\": \"\($2)\", \"more\": {\"kind\": []}, \"kind\": \"k\($1)\"}"
            }
                + "{\"who\": \"a\"}\n")
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "json"
            ($0.schema.user, $0.schema.item, $0.schema.category, $0.schema.time) = ("who", "what", "kind", "when")
        }
        try check(dataset, categoryOf4: "k4")
    }

    @Test(
        "further columns of delimited files become fields of the behaviors, with tables of their names",
        arguments: ["named", "numbered", "json"])
    func behaviorColumns(kind: String) throws {
        let shop = try Workshop()
        let lines = Self.events.enumerated().map { (place, event) in
            kind == "json"
                ? "{\"who\": \"\(event.0)\", \"what\": \"\(event.1)\", \"when\": \(event.2), \"how\": \(place)}"
                : "\(event.0),\(event.1),\(event.2),\(place == 0 ? "" : "\(place)"),more"
        }
        try shop.write("log", ((kind == "named" ? ["who,what,when,how,more"] : []) + lines).joined(separator: "\n"))
        let dataset = try shop.prepare(.delimited) {
            ($0.schema.separator, $0.schema.header) = (kind == "json" ? "json" : "comma", kind != "numbered")
            ($0.schema.user, $0.schema.item, $0.schema.time) = ("who", "what", "when")
            $0.schema.behavior = ["how"]
            if kind == "numbered" {
                ($0.schema.user, $0.schema.item, $0.schema.time, $0.schema.behavior) = ("1", "2", "3", ["4"])
            }
        }
        let name = kind == "numbered" ? "column4" : "how"
        #expect(dataset.schema.tables == ["user", "item", "category", name])
        #expect(dataset.schema.behavior.map(\.name) == ["item", "category", name] && dataset.schema.comparedCount == 2)
        let file = try SafetensorsFile(path: dataset.directory + "/test-00000.safetensors")
        let found = try file.column("behavior.\(name)", as: UInt64.self)
        let first = kind == "json" ? id("0") : Events.unknownId
        #expect(Array(found) == [first, id("1"), id("6"), id("2"), id("3")])
    }

    @Test("columns and files may be called like numbers of old", arguments: ["08", "010", "1:99", "0:0"])
    func numberNames(name: String) throws {
        let shop = try Workshop()
        let lines = Self.events.enumerated().map { "\($1.0),\($1.1),\($1.2),\($0)" }
        try shop.write(name, (["who,what,when,\(name)"] + lines).joined(separator: "\n"))
        let dataset = try shop.prepare(.delimited) {
            $0.schema.separator = "comma"
            ($0.schema.user, $0.schema.item, $0.schema.time) = ("who", "what", "when")
            $0.schema.behavior = [name]
        }
        #expect(dataset.schema.behavior.last?.name == name)
        #expect(try Dataset(directory: dataset.directory).schema == dataset.schema)
    }

    @Test("behavior columns whose names are taken are named", arguments: ["item", "how"])
    func behaviorNames(taken: String) throws {
        let shop = try Workshop()
        try shop.write("log.tsv", "user\titem\thow\n")
        #expect {
            try shop.prepare(.delimited) { $0.schema.behavior = ["how", taken] }
        } throws: {
            "\($0)".contains("--schema: behavior column '\(taken)' is")
        }
    }

    @Test(
        "behavior columns that no message can carry are named before a line is read",
        arguments: [
            ("a\tb", "has a control character"), (String(repeating: "x", count: 1025), "has 1025 bytes"),
            ("time", "is a name"),
        ])
    func hostileNames(name: String, expected: String) throws {
        let shop = try Workshop()
        try shop.write("log.tsv", "user\titem\n")
        #expect {
            try shop.prepare(.delimited) { $0.schema.behavior = [name] }
        } throws: {
            "\($0)".contains("--schema: behavior column '\(name.first == "x" ? "xxx" : name.prefix(1))")
                && "\($0)".contains(expected)
        }
    }

    @Test(
        "a schema's file is read strictly",
        arguments: [
            ("user: who\nitm: what", "line 2: unknown key 'itm'; known here: separator, header, user, item"),
            ("- user", "line 1: expected `key: value` lines"), ("header: maybe", "header: expected true or false"),
            ("only: [kind]", "only has 1 values, expected a column and what it must hold"),
        ])
    func schemaFile(text: String, expected: String) throws {
        let shop = try Workshop()
        try shop.write("schema.yaml", text)
        let path = shop.directory + "/schema.yaml"
        #expect { try DelimitedSchema(path: path) } throws: {
            "\($0)".hasPrefix("--schema: \(path)") && "\($0)".contains(expected)
        }
    }

    @Test("a schema that is a pipe is refused and not waited for")
    func schemaPipe() throws {
        let shop = try Workshop()
        let path = shop.directory + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        #expect { try DelimitedSchema(path: path) } throws: { "\($0)".contains("is not a regular file") }
    }

    @Test("a cut or damaged compressed file is named", arguments: ["log.csv.gz", "log.csv.zst"])
    func cut(name: String) throws {
        let shop = try Workshop()
        try shop.write(name, "user,item\n" + (0..<50_000).map { "u\($0 % 100),i\($0 &* 7919 % 997)\n" }.joined())
        let file = URL(filePath: shop.directory + "/" + name)
        let whole = try Data(contentsOf: file)
        for damaged in [
            whole.prefix(whole.count / 2), whole.prefix(20) + Data(repeating: 0x55, count: 200) + whole.dropFirst(220),
        ] {
            try Data(damaged).write(to: file)
            do {
                _ = try shop.prepare(.delimited) { $0.schema.separator = "comma" }
                Issue.record("a damaged file was read")
            } catch {
                #expect("\(error)".contains(name) && "\(error)".contains("fetch it again"), "\(error)")
            }
        }
        #expect(!FileManager.default.fileExists(atPath: shop.directory + "/set"))
    }

    @Test("missing files and columns are named with what there is")
    func missing() throws {
        let shop = try Workshop()
        try shop.write("log.tsv", "user\tarticle\na\t1\n")
        func message(_ format: PrepareOptions.Format) -> String {
            do {
                _ = try shop.prepare(format)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message(.delimited).contains("has no column 'item' for the item; its header names user, article"))
        #expect(message(.movielens).contains("holds no u.data, ratings.dat or ratings.csv"))
        #expect(message(.amazon).contains("holds no reviews_*_5.json or .json.gz"))
    }
}
