import Parameters
import Testing

@testable import Job
@testable import Models

@Suite struct ConfigTests {
    private func problems(_ text: String, _ overrides: [String] = []) -> [String] {
        do {
            _ = try ConfigReader.read(text: text, name: "job.yaml", overrides: overrides)
            return []
        } catch let error as ConfigError {
            return error.problems
        } catch {
            return ["\(error)"]
        }
    }

    @Test("an empty file gives the defaults, and the whole configuration reads back equal")
    func roundTrip() throws {
        var config = try ConfigReader.read(text: "", name: "job.yaml")
        #expect(config == JobConfig())
        #expect(try ConfigReader.read(text: config.yaml(), name: "whole") == config)
        config = try ConfigReader.read(
            text: "model: {preset: din-paper}\ntrain: {seed: 7}", name: "job.yaml",
            overrides: ["train.batch=1024", "rows.optimizer={kind: adagrad, rate: 0.05}", "model.top.hidden=[64, 32]"])
        #expect(config.train.seed == 7 && config.train.batch == 1024)
        #expect(config.rows.optimizer.kind == .adagrad && config.rows.optimizer.rate == 0.05)
        #expect(try ConfigReader.read(text: config.yaml(), name: "whole") == config)
        let options = try #require(config.model.options as? DIN.Options)
        #expect(options.top.hidden == [64, 32] && options.embedding.width == 12)
    }

    @Test("an unknown key is named with its line, its section's keys and the nearest of them")
    func unknown() {
        let found = problems("train:\n  batch: 512\n  micro_bach: 64\nmodle: {}\n")
        #expect(found.count == 2)
        #expect(
            found[0].hasPrefix("job.yaml:3: unknown key 'train.micro_bach'; did you mean 'micro_batch'? Known here: "))
        #expect(found[1].hasPrefix("job.yaml:4: unknown key 'modle'; did you mean 'model'?"))
        #expect(
            problems("", ["train.epoch=3"])[0].hasPrefix(
                "command line: unknown key 'train.epoch'; did you mean 'epochs'?"))
        #expect(
            problems("model: {kind: din, atention: {hidden: [8]}}")[0].contains(
                "'model.atention'; did you mean 'attention'?"))
    }

    @Test(
        "a value that makes no sense is named with its place and what is expected",
        arguments: [
            ("train:\n  batch: many", "job.yaml:2: train.batch is 'many', expected a whole number"),
            ("model: {kind: dim}", "job.yaml:1: model.kind is 'dim',"),
            ("train: {micro_batch: 1024}", "train.micro_batch is 1024, expected 1 to 512 samples, the batch"),
            ("rows: {optimizer: {rate: -1}}", "optimizer.rate"),
            ("cluster: {servers: 0}", "cluster.servers is 0, expected 1 to 1024"),
            ("model: {preset: din-papr}", "there is no preset 'din-papr'; choose one of base-dien-code"),
            ("- 1\n- 2", "expected `key: value` lines"), ("train: [1", "is no YAML"),
            ("train: 5", "expected a section of keys"),
        ])
    func values(text: String, expected: String) {
        let found = problems(text)
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("an override without = or with a broken value is explained")
    func overrides() {
        #expect(problems("", ["train.batch"])[0].contains("write key=value"))
        #expect(problems("", ["train.batch=[1"])[0].contains("is no YAML"))
    }

    @Test("the fingerprint knows what determines the bits, and nothing else")
    func fingerprint() throws {
        var config = JobConfig()
        let first = try config.fingerprint()
        config.cluster.workers = 7
        config.train.epochs = 9
        config.checkpoint.every = 3
        config.monitor.page = "off"
        #expect(try config.fingerprint() == first)
        config.train.seed = 2
        #expect(try config.fingerprint() != first)
    }

    @Test("damaged text never crashes the reader")
    func damage() throws {
        let whole = Array(try JobConfig().yaml().utf8)
        for place in stride(from: 0, to: whole.count, by: 19) {
            for byte in [UInt8(ascii: "{"), UInt8(ascii: ":"), UInt8(ascii: "\n"), 0xc3, UInt8(ascii: "9")] {
                var bytes = whole
                bytes[place] = byte
                _ = problems(String(decoding: bytes, as: UTF8.self))
            }
        }
    }
}
