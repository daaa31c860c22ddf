import Datasets
import Foundation
import Parameters
import Testing
import Wire

@testable import Job
@testable import Models

/// Whatever stands behind a key is read or named with its place; nothing traps.
@Suite struct HostileConfigTests {
    private static let values = ["-1", "0", "9223372036854775807", "1e300", ".nan", "x", "[]"]

    /// Everything that is computed of a configuration before a step is made.
    private static func resolve(_ config: JobConfig) throws {
        for seconds in [
            config.cluster.silence, config.cluster.requestTimeout, config.cluster.startTimeout, config.monitor.linger,
        ] {
            _ = Duration.seconds(seconds) + .seconds(seconds)
        }
        let job = try Job(config)
        let plan = job.plan
        let last = plan.lastStep
        _ = (plan.samples(through: last), plan.evaluates(after: last), plan.checkpoints(after: last))
        _ = (
            plan.positions(of: last), plan.microBatches(of: last), plan.epoch(of: last), job.warnings, job.scoredSamples
        )
        _ = try job.map(shards: config.cluster.servers * config.cluster.shards)
        for table in job.tables {
            try table.validate()
            _ = table.rowLayout
            _ = table.schedule.rate(table.optimizer.rate, step: Int(UInt32.max))
        }
    }

    @Test("every key with every strange value is read, or named with its place", arguments: ModelOptions.Kind.allCases)
    func everyKey(kind: ModelOptions.Kind) throws {
        let data = try TinyDataset()
        let text = "model: {kind: \(kind.rawValue)}\ndata: {directory: \(data.directory)}"
        let defaults = try LayingTests.tree(ConfigReader.read(text: text, name: "job.yaml"))
        let keys = defaults.keys.sorted().filter { kind == .din || $0.hasPrefix("model.") }
        for key in keys {
            for value in kind == .din ? Self.values : ["-1", "9223372036854775807", ".nan"] {
                do {
                    let config = try ConfigReader.read(text: text, name: "job.yaml", overrides: ["\(key)=\(value)"])
                    do { try Self.resolve(config) } catch { #expect(!"\(error)".isEmpty) }
                } catch let error as ConfigError {
                    let line = try #require(error.problems.first)
                    #expect(
                        line.hasPrefix("command line: ") && line.contains(key)
                            && (line.contains("expected") || line.contains("unknown key")), "\(key)=\(value): \(line)")
                }
            }
        }
    }

    /// A file in which only one key is given, and the line that it stands on.
    private static func file(_ key: String, _ value: String, _ kind: ModelOptions.Kind) -> (text: String, line: Int) {
        let path = key.split(separator: ".")
        var lines = ["# a job"]
        for (depth, name) in path.enumerated() {
            if depth == 1, path[0] == "model", name != "kind" { lines.append("  kind: \(kind.rawValue)") }
            lines.append(
                String(repeating: "  ", count: depth) + name + ":" + (depth < path.count - 1 ? "" : " " + value))
        }
        return (lines.joined(separator: "\n"), lines.count)
    }

    @Test(
        "a complaint about a number or a choice says where it stands and what is allowed",
        arguments: ModelOptions.Kind.allCases)
    func allowed(kind: ModelOptions.Kind) throws {
        let data = try TinyDataset()
        let model = "model: {kind: \(kind.rawValue)}"
        let defaults = try LayingTests.tree(ConfigReader.read(text: model, name: "job.yaml"))
        var told = 0
        /// Checks what is said of one value, and counts it.
        func check(_ key: String, _ place: String, _ isWhole: Bool, _ read: () throws -> JobConfig) {
            do {
                var config = try read()
                config.data.directory = data.directory
                try Self.resolve(config)
            } catch let error as ConfigError {
                told += 1
                let line = error.problems.first ?? ""
                let bounds = /to [0-9]|[0-9] or more|at least [0-9]|above [0-9]|one of |widths of/
                let isFree = !isWhole && line.hasSuffix(", expected a number")
                #expect(line.hasPrefix("\(place): ") && line.contains(key), "\(line)")
                #expect(error.problems.count == 1 && (isFree || line.firstMatch(of: bounds) != nil), "\(error)")
            } catch {
                Issue.record("\(key): \(error)")
            }
        }
        for key in defaults.keys.sorted() where kind == .din || key.hasPrefix("model.") {
            let value = defaults[key] ?? ""
            let isNumber = Double(value) != nil || value.first == "["
            let isChoice = problems(model, "\(key)=zzz").first?.contains("expected one of") == true
            guard isNumber || isChoice else { continue }
            for value in isNumber ? ["-1", "0", "1e18", ".nan", "nan", "x", "\"\""] : ["x", "\"\""] {
                let file = Self.file(key, value, kind)
                check(key, "job.yaml:\(file.line)", Int(value) != nil) {
                    try ConfigReader.read(text: file.text, name: "job.yaml")
                }
                check(key, "command line", Int(value) != nil) {
                    try ConfigReader.read(text: model, name: "job.yaml", overrides: ["\(key)=\(value)"])
                }
            }
        }
        #expect(told > 100)
    }

    @Test(
        "what fits no dataset of this kind is named with its place too",
        arguments: [
            ("model:\n  input: []", "job.yaml:2: model.input is []"),
            ("model: {kind: base}\ntrain: {seed: 2}\nmodel2: 1", "job.yaml:3: unknown key 'model2'"),
            ("model: {embedding: {widths: {a: 1}}}", "job.yaml:1: model.embedding.widths is a, expected a table of"),
            (
                "model:\n  kind: din\n  item_bias: true",
                "job.yaml:3: model.item_bias is true, expected false: the schema"
            ),
            ("train:\n  micro_batch: 1", "job.yaml:2: train.micro_batch is 1, and"),
            ("train: {epochs: 1000000}\nmodel: {top: {hidden: [65536, 65536]}}", "job.yaml:2: the model has"),
        ])
    func late(text: String, expected: String) throws {
        let data = try TinyDataset()
        #expect {
            var config = try ConfigReader.read(text: text, name: "job.yaml")
            config.data.directory = data.directory
            _ = try Job(config)
        } throws: { "\($0)".hasPrefix(expected) }
    }

    @Test("an override with a section is laid over the file's, key by key")
    func merging() throws {
        let text = "train: {batch: 64, seed: 9, epochs: 3}\nmodel: {embedding: {widths: {item: 4}}}"
        func read(_ overrides: String...) throws -> JobConfig {
            try ConfigReader.read(text: text, name: "job.yaml", overrides: overrides)
        }
        let config = try read(
            "train={batch: 5}", "train={epochs: 4}", "train=~", "model={embedding: {widths: {user: 8}}}")
        #expect(config.train.batch == 5 && config.train.seed == 9 && config.train.epochs == 4)
        let options = try #require(config.model.options as? DIN.Options)
        #expect(options.embedding.widths == ["item": 4, "user": 8])
        #expect(config.places.of("train.seed") == "job.yaml:1" && config.places.of("train.batch") == "command line")
        #expect(config.places.of("rows.limit") == "job.yaml")
    }

    @Test("long values are cut in messages")
    func long() throws {
        let long = String(repeating: "9x", count: 1 << 18)
        let keys = [
            "train.batch", "train.metric", "model.kind", "model.preset", "data.directory", "data.train", "monitor.page",
        ]
        for override in keys.map({ $0 + "=" + long }) + [
            long, long + "=1", "model.top.hidden=[\(long)]", "train.\(long)=1", "a=[\(long)",
        ] {
            let found = problems("", override).joined(separator: "\n")
            #expect(!found.isEmpty && found.utf8.count < 800, "\(found.prefix(900))")
        }
        let many = "[" + String(repeating: "7,", count: 100_000) + "7]"
        #expect(problems("", "model.top.hidden=" + many).joined().utf8.count < 400)
    }

    private func problems(_ text: String, _ overrides: String...) -> [String] {
        do {
            _ = try ConfigReader.read(text: text, name: "job.yaml", overrides: overrides)
            return []
        } catch {
            return (error as? ConfigError)?.problems ?? ["\(error)"]
        }
    }

    @Test(
        "complaints say where, and what is expected",
        arguments: [
            ("train:\n  batch: 0", "job.yaml:2: train.batch is 0, expected 1 to 1000000 samples"),
            (
                "train:\n  seed: -1",
                "job.yaml:2: train.seed is '-1', expected a whole number, 0 to 18446744073709551615"
            ),
            (
                "train: {batch: 1e18}",
                "job.yaml:1: train.batch is '1e18', expected a whole number, 1 to 1000000 samples"
            ),
            ("train: {batch: 2147483648}", "job.yaml:1: train.batch is 2147483648, expected 1 to 1000000 samples"),
            ("train:\n  batch: 010", "job.yaml:2: train.batch has '010', another number to YAML than to people"),
            ("rows: {optimizer: {rate: 1:1e2}}", "job.yaml:1: rows.optimizer.rate has '1:1e2', another number to YAML"),
            ("rows: {optimizer: {rate: 1.5:30}}", "job.yaml:1: rows.optimizer.rate has '1.5:30', another number"),
            ("train: {batch: 1:30}", "job.yaml:1: train.batch has '1:30', another number to YAML than to people"),
            (
                "train: {batch: 9223372036854775807:1:1}",
                "job.yaml:1: has '9223372036854775807:1:1', a number by sixties that is too large"
            ),
            (
                "data: {directory: \"\"}",
                "job.yaml:1: data.directory is '', expected a directory made by `myriad prepare`"
            ),
            ("data: {train: \"\"}", "job.yaml:1: data.train is '', expected a split of the dataset"),
            (
                "model:\n  top: {hidden: [[1]]}",
                "job.yaml:2: model.top.hidden holds a list, expected single values, as in [200, 80], "
                    + "widths of 1 to 65536"
            ),
            (
                "model: {embedding: {widths: {item: x}}}",
                "job.yaml:1: model.embedding.widths.item is 'x', expected a whole "
                    + "number, 1 to 4096"
            ),
            (
                "train:\n  epochs: 9223372036854775807",
                "job.yaml:2: train.epochs is 9223372036854775807, expected 1 to 1000000"
            ),
            (
                "rows:\n  optimizer:\n    kind: rmsprop",
                "job.yaml:3: rows.optimizer.kind is 'rmsprop', expected one of sgd, momentum, adagrad, adagrad_rowwise, adam, ftrl"
            ),
            ("model: {top: {hidden: 200}}", "job.yaml:1: model.top.hidden is '200', expected a list, as in [200, 80]"),
            ("model: {top: {hidden: [200, x]}}", "job.yaml:1: model.top.hidden holds 'x', expected a whole number"),
            (
                "model:\n  input: [target, me]",
                "job.yaml:2: model.input holds 'me', expected one of user, target, history, history_product, attention, "
                    + "attention_product, context, numeric"
            ),
            ("train:\n  batch: [512]", "job.yaml:2: train.batch is a list, expected one value, as in 512"),
            (
                "model: {preset: din-paper, kind: dien}",
                "job.yaml:1: model.preset is 'din-paper', expected one of model dien: dien-"
            ),
            ("rows: {partitions: 100}", "job.yaml:1: rows.partitions is 100, expected a power of two, as in 256"),
            (
                "cluster: {servers: 3, shards: 128}",
                "job.yaml:1: cluster.servers is 3, expected at most 256 shards in all (rows.partitions), and 128 on each "
                    + "server make 384"
            ),
            ("dense: {l2: .nan}", "job.yaml:1: dense.l2 is nan, expected 0 or more"),
            ("cluster: {silence: 1e300}", "job.yaml:1: cluster.silence is 1e+300, expected 0.1 to 1000000 seconds"),
        ])
    func places(text: String, expected: String) {
        let found = problems(text)
        #expect(found.first?.hasPrefix(expected) == true, "\(found)")
    }

    @Test("all mistakes are told at once, of very many the first")
    func many() {
        let found = problems("train:\n  batch: many\n  seed: -1\nmodel: {top: {activation: gelu}}")
        #expect(found.count == 3)
        #expect(found.contains { $0.hasPrefix("job.yaml:2: train.batch is 'many', expected a whole number") })
        #expect(found.contains { $0.hasPrefix("job.yaml:3: train.seed is '-1', expected a whole number") })
        #expect(
            found.contains { $0.hasPrefix("job.yaml:4: model.top.activation is 'gelu', expected one of prelu, dice") })
        let unknown = problems((0..<50_000).map { "key\($0): 1" }.joined(separator: "\n"))
        #expect(unknown.count == 21 && unknown.last == "and 49980 more")
    }

    @Test("overrides of the command line are told from the file")
    func overrides() {
        #expect(
            problems("", "model.top.hidden=200,80") == [
                "command line: model.top.hidden is '200,80', expected a list, as in [200, 80], widths of 1 to 65536"
            ])
        #expect(problems("", "train.batch=0") == ["command line: train.batch is 0, expected 1 to 1000000 samples"])
        for override in [".=5", "=5", "train..batch=5", ".batch=5", "train.=5"] {
            #expect(problems("", override).first?.contains("is no override; write key=value") == true, "\(override)")
        }
    }

    @Test("texts that stand for trees without end are refused before they grow")
    func bombs() {
        let lists = (1...40).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(separator: "\n")
        let key = "? *a40\n: 1"
        for text in [
            "a0: &a0 x\n\(lists)\n\(key)", "train: !!map &x {batch: 1}", "--- &x {a: 1}", "{\"a\" :*x}", "- ? *x",
            "[a,*x]",
            "a: \"#\" # no comment\nb: *x", "? [1]\n: !x y",
        ] {
            #expect(
                problems(text).first?.contains("aliases (*), anchors (&) and tags (!) are not read") == true, "\(text)")
        }
        for depth in [100, 999, 5000] {
            #expect(!problems(String(repeating: "[", count: depth)).isEmpty)
            #expect(!problems(String(repeating: "- ", count: depth) + "x").isEmpty)
            #expect(
                !problems("train: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
                    .isEmpty)
        }
        #expect(problems("# - *no* alias, & no anchor!\ndata: {directory: a*b & c!, train: \"x\"}").isEmpty)
        #expect(
            problems(String(repeating: " ", count: 1 << 20) + "\n").first?.contains("at most 1048576 are read") == true)
    }

    @Test("what is no regular file is refused and not waited for")
    func files() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "files-\(UUID().uuidString.prefix(8))")
            .path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(mkfifo(directory + "/pipe", 0o600) == 0)
        for path in [directory, directory + "/pipe", "/dev/null"] {
            #expect(
                throws: ConfigError(problems: [
                    "\(path): cannot be read (\(path) is not a regular file); give the path of a config such as configs/din.yaml"
                ])
            ) { try ConfigReader.read(path: path) }
        }
        try Data([0x61, 0xff]).write(to: URL(filePath: directory + "/latin"))
        #expect(throws: ConfigError.self) { try ConfigReader.read(path: directory + "/latin") }
    }
}
