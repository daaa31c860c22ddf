import Cluster
import Foundation
import FoundationXML
import Processes
import Testing

@Suite(.serialized) struct CompareTests {
    private struct Results: Decodable {
        struct Run: Decodable {
            let model: String
            let seed: Int
            let run: String
            let auc: Double
            let gauc: Double
            let log_loss: Double
            let samples_per_second: Double
        }
        struct Model: Decodable {
            let model: String
            let split: String
            let seeds: [Int]
            let auc: Statistic
            let parameters: Int
            let bayes_auc: Double
        }
        let complete: Bool
        let runs: [Run]
        let models: [Model]

        init(_ directory: String) throws {
            let data = try Data(contentsOf: URL(filePath: directory + "/results.json"))
            self = try JSONDecoder().decode(Results.self, from: data)
        }
    }

    /// The second config's name is one that XML cannot write as it is.
    private static let baseline = "base & <mean>"

    private func prepare() throws -> Program {
        let program = try Program()
        try program.prepareWorld()
        let config = """
            data: {directory: world, history: 12}
            model: {kind: base, input: [target, history, history_product], top: {hidden: [8]}, embedding: {width: 4}}
            train: {batch: 64, micro_batch: 10, epochs: 3, max_steps: 50}
            """
        try config.write(
            toFile: program.directory + "/\(Self.baseline).yaml", atomically: true, encoding: .utf8)
        return program
    }

    private func text(_ program: Program, _ path: String) throws -> String {
        try String(contentsOfFile: "\(program.directory)/\(path)", encoding: .utf8)
    }

    private func digits(_ value: Double, _ count: Int = 4) -> String { String(format: "%.\(count)f", value) }

    /// The cells of a model's row in a table.
    private func cells(_ model: String, in table: String) -> [String] {
        let row = table.split(separator: "\n").first { $0.hasPrefix("| \(model) ") } ?? ""
        return row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test("the table says of two configs and two seeds what evaluate says, and a second comparison skips what is done")
    func table() throws {
        let program = try prepare()
        let command = [
            "compare", "job.yaml", "\(Self.baseline).yaml", "--seeds", "2", "--set", "train.evaluations=2", "--output",
            "out",
        ]
        let first = try program.run(command)
        try #require(first.code == 0, "\(first.errors)")
        #expect(first.errors.contains("job, seed 1 (1 of 4): training in out/job-1"))
        #expect(first.errors.contains("\(Self.baseline), seed 2 (4 of 4): step 15: test AUC"))
        let results = try Results(program.directory + "/out")
        #expect(results.complete && results.runs.map(\.seed) == [1, 2, 1, 2])
        for run in results.runs {
            let scored = try program.run("evaluate", run.run).output
            let said = "AUC \(digits(run.auc))  GAUC \(digits(run.gauc))  log loss \(digits(run.log_loss))"
            #expect(scored.hasPrefix("test at step ") && scored.contains(said), "\(said) against \(scored)")
        }
        for model in results.models {
            let runs = results.runs.filter { $0.model == model.model }
            func meanAndDeviation(_ value: (Results.Run) -> Double, _ count: Int = 4) -> String {
                let (a, b) = (value(runs[0]), value(runs[1]))
                return "\(digits((a + b) / 2, count)) ± \(digits(abs(a - b) / 2.0.squareRoot(), count))"
            }
            #expect(
                cells(model.model, in: first.output) == [
                    model.model, meanAndDeviation(\.auc), meanAndDeviation(\.gauc), meanAndDeviation(\.log_loss),
                    meanAndDeviation(\.samples_per_second, 0), String(model.parameters),
                ])
            #expect(model.split == "test" && model.seeds == [1, 2])
            #expect(first.output.contains("\nBayes AUC of the test split: \(digits(model.bayes_auc))  \n"))
        }
        // [target, history, product] of two tables of width 4, a PReLU layer of 8, a logit; rows of items and
        // categories.
        #expect(results.models[1].parameters == (24 * 8 + 8) + 8 + (8 + 1) + (120 + 12) * 4)
        let table = try text(program, "out/table.md")
        #expect(table.hasPrefix("| model ") && first.output == table + "output directory: out\n")

        let written = try text(program, "out/job-2/metrics.jsonl")
        let again = try program.run(command)
        #expect(again.code == 0 && again.output == first.output)
        #expect(again.errors.split(separator: "\n").filter { $0.hasSuffix("finished already, skipped") }.count == 4)
        #expect(!again.errors.contains("training in"))
        #expect(try text(program, "out/job-2/metrics.jsonl") == written)

        // A run without its end is one that was stopped: it alone is trained anew, to the same figures.
        let lines = written.split(separator: "\n").filter { !$0.contains("\"finished\"") }
        try lines.joined(separator: "\n").write(
            toFile: program.directory + "/out/job-2/metrics.jsonl", atomically: true, encoding: .utf8)
        let third = try program.run(command)
        #expect(third.code == 0 && third.errors.contains("job, seed 2 (2 of 4): training in out/job-2"))
        #expect(third.errors.split(separator: "\n").filter { $0.hasSuffix("skipped") }.count == 3)
        #expect(try Results(program.directory + "/out").runs.map(\.auc) == results.runs.map(\.auc))

        let other = try program.run(command + ["--set", "train.batch=32"])
        #expect(other.code == 65)
        #expect(other.errors.contains("out/job-1 holds a run of another configuration: 'batch: 64' there"))
    }

    @Test("the curves are well-formed XML with a line and a band for each config")
    func curves() throws {
        final class Elements: NSObject, XMLParserDelegate {
            var counts: [String: Int] = [:]
            var text = ""
            func parser(
                _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) {
                counts[name, default: 0] += 1
            }
            func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
        }
        func elements(_ path: String) throws -> Elements {
            let parser = XMLParser(data: try Data(contentsOf: URL(filePath: path)))
            let elements = Elements()
            parser.delegate = elements
            #expect(parser.parse(), "\(path): \(String(describing: parser.parserError))")
            return elements
        }
        let program = try prepare()
        let result = try program.run(
            "compare", "job.yaml", "\(Self.baseline).yaml", "--seeds", "2", "--set", "train.evaluations=2", "--quiet")
        #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.output.hasSuffix("output directory: runs/compare-1\n"))
        let compared = try elements(program.directory + "/runs/compare-1/curves.svg")
        #expect(compared.counts["polyline"] == 2 && compared.counts["polygon"] == 2)
        #expect(compared.text.contains(Self.baseline))
        let drawn = try program.run("curves", "runs/compare-1/job-1", "runs/compare-1/\(Self.baseline)-2")
        #expect(drawn.code == 0, "\(drawn.errors)")
        let runs = try elements(program.directory + "/curves.svg")
        #expect(runs.counts["polyline"] == 2 && runs.counts["polygon"] == nil)
        #expect(runs.text.contains("\(Self.baseline)-2"))
    }

    @Test("a mean of curves has the steps that all have, and the sample standard deviation")
    func mean() throws {
        let program = try Program()
        func curve(_ name: String, _ values: [Double]) throws -> Curves.Curve {
            let path = "\(program.directory)/\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let lines = values.enumerated().map { number, auc in
                #"{"auc":\#(auc),"event":"evaluated","samples":\#(64 * (number + 1)),"#
                    + #""split":"validation","step":\#(number + 1),"time":1}"#
            }
            try lines.joined(separator: "\n").write(
                toFile: path + "/metrics.jsonl", atomically: true, encoding: .utf8)
            return try Curves.Curve(run: path)
        }
        let curves = [try curve("a", [0.5, 0.625, 0.75]), try curve("b", [0.5, 0.875])]
        let mean = Curves.Curve(name: "both", meanOf: curves)
        #expect(mean.points.map(\.step) == [1, 2] && mean.points.map(\.samples) == [64, 128])
        #expect(mean.points.map(\.auc) == [0.5, 0.75])
        #expect(mean.points.map(\.deviation) == [0, (2 * 0.125 * 0.125).squareRoot()])
        #expect(
            Statistic([1, 2, 6]) == Statistic([6, 2, 1]) && Statistic([1, 2, 6])?.text(digits: 2) == "3.00 ± 2.65")
        #expect(Statistic([0.25])?.text(digits: 4) == "0.2500")
        #expect(Statistic([]) == nil && Statistic([1, nil]) == nil)
    }

    @Test("a wrong config ends with code 65 before anything is trained, wherever it stands")
    func wrongConfig() throws {
        let program = try prepare()
        try "train:\n  epohcs: 3\n".write(
            toFile: program.directory + "/bad.yaml", atomically: true, encoding: .utf8)
        try "data: {directory: nowhere}\n".write(
            toFile: program.directory + "/nowhere.yaml", atomically: true, encoding: .utf8)
        try FileManager.default.createDirectory(
            atPath: program.directory + "/other", withIntermediateDirectories: true)
        try text(program, "job.yaml").write(
            toFile: program.directory + "/other/job.yaml", atomically: true, encoding: .utf8)
        for (config, said) in [
            ("bad.yaml", "bad.yaml:2: unknown key 'train.epohcs'"), ("none.yaml", "none.yaml: cannot be read"),
            ("nowhere.yaml", "nowhere.yaml: nowhere: holds no readable dataset.yaml"),
            ("other/job.yaml", "job.yaml and other/job.yaml are both named 'job'"),
        ] {
            let result = try program.run("compare", "job.yaml", config, "--output", "out")
            #expect(result.code == 65 && result.errors.contains(said), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: program.directory + "/out"))
        }
        var result = try program.run("compare", "job.yaml", "--set", "train.epohcs=1")
        #expect(result.code == 65 && result.errors.contains("unknown key 'train.epohcs'"))
        result = try program.run(
            "compare", "job.yaml", "--seeds", "1", "--set", "data.test=", "--set", "data.validation=")
        #expect(result.code == 65 && result.errors.contains("nothing to compare"))
        result = try program.run("compare", "job.yaml", "train.epochs=1")
        #expect(result.code == 64 && result.errors.contains("--set train.epochs=1"))
        result = try program.run("compare", "job.yaml", "--seeds", "0")
        #expect(result.code == 64 && result.errors.contains("--seeds is 0"))
        // --data mends a config that names none, and validation is compared where there is no test split.
        result = try program.run(
            "compare", "nowhere.yaml", "--data", "world", "--seeds", "1", "--set", "train.max_steps=3", "--set",
            "data.test=", "--output", "out")
        #expect(
            result.code == 0 && result.output.contains("\nvalidation split of world in the best"), "\(result.errors)")
        let run = try #require(try Results(program.directory + "/out").runs.first)
        let scored = try program.run("evaluate", "out/nowhere-1", "--split", "validation").output
        #expect(scored.contains("AUC \(digits(run.auc))  GAUC \(digits(run.gauc))"))
        #expect(cells("nowhere", in: result.output)[1] == digits(run.auc))
    }

    @Test("a run that fails is named with its seed, ends with code 70, and what was trained before it stays")
    func failure() throws {
        let program = try prepare()
        let files = FileManager.default
        try files.copyItem(atPath: program.directory + "/world", toPath: program.directory + "/damaged")
        let handle = try #require(FileHandle(forWritingAtPath: program.directory + "/damaged/train-00000.safetensors"))
        try handle.truncate(atOffset: 100)
        try handle.close()
        try text(program, "job.yaml").replacingOccurrences(of: "directory: world", with: "directory: damaged").write(
            toFile: program.directory + "/broken.yaml", atomically: true, encoding: .utf8)
        let result = try program.run("compare", "job.yaml", "broken.yaml", "--seeds", "2", "--output", "out")
        #expect(result.code == 70)
        #expect(result.errors.contains("error: broken, seed 1: "), "\(result.errors)")
        #expect(result.errors.contains("train-00000.safetensors"), "\(result.errors)")
        #expect(result.output.contains("incomplete: broken has 0 of 2 seeds"))
        #expect(try text(program, "out/table.md").contains("| job "))
        let results = try Results(program.directory + "/out")
        #expect(!results.complete && results.runs.map(\.run) == ["out/job-1", "out/job-2"])
    }

    @Test("Ctrl-C ends with code 130, keeps the runs that are finished, and the stopped one goes on")
    func interrupted() throws {
        let program = try prepare()
        try text(program, "job.yaml").replacingOccurrences(of: "max_steps: 50", with: "max_steps: 0")
            .replacingOccurrences(of: "epochs: 3", with: "epochs: 100000").write(
                toFile: program.directory + "/endless.yaml", atomically: true, encoding: .utf8)
        let process = try program.start(
            ["compare", "job.yaml", "endless.yaml", "--seeds", "1", "--output", "out"])
        let deadline = ContinuousClock.now + .seconds(60)
        while .now < deadline, (try? text(program, "out/endless-1/metrics.jsonl").contains("started")) != true {
            Thread.sleep(forTimeInterval: 0.02)
        }
        process.interrupt()
        process.waitUntilExit()
        #expect(process.end?.isKilled == false && process.terminationStatus == 130)
        #expect(try Results(program.directory + "/out").runs.map(\.model) == ["job"])
        #expect(try text(program, "out/table.md").contains("incomplete: endless has 0 of 1 seeds"))
        // It goes on from where it was stopped.
        let again = try program.start(
            ["compare", "job.yaml", "endless.yaml", "--seeds", "1", "--output", "out"])
        defer { again.kill() }
        func lines(_ event: String) -> [Substring] {
            ((try? text(program, "out/endless-1/metrics.jsonl")) ?? "").split(separator: "\n").filter {
                $0.contains("\"event\":\"\(event)\"")
            }
        }
        #expect(lines("stopped").count == 1 && lines("checkpoint").count == 1)
        #expect(Local.wait { lines("started").count == 2 && lines("joined").count == 4 })
        again.terminate()
        again.waitUntilExit()
        #expect(again.terminationStatus == 143 && lines("stopped").count == 2)
    }
}
