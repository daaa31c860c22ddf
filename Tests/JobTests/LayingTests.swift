import Foundation
import Parameters
import Testing
import Yams

@testable import Job
@testable import Models

/// The user's keys are laid over the documented defaults: a key that is not named keeps its value.
@Suite struct LayingTests {
    /// Every key of a tree, with its value as YAML that stands on a command line.
    static func keys(_ node: Node, _ path: [String] = []) -> [(key: String, value: String)] {
        if let mapping = node.mapping, !mapping.isEmpty {
            return mapping.flatMap { keys($0.value, path + [$0.key.string ?? ""]) }
        }
        let value = node.scalar?.string ?? node.sequence.map { "[\($0.compactMap(\.string).joined(separator: ", "))]" }
        let isText = node.scalar?.string.isEmpty ?? false
        return [(path.joined(separator: "."), isText ? "\"\"" : value ?? "{}")]
    }

    static func tree(_ config: JobConfig) throws -> [String: String] {
        let root = try #require(try Yams.compose(yaml: config.yaml()))
        return Dictionary(keys(root).map { ($0.key, $0.value) }) { $1 }
    }

    /// Other values for a key, the first of which that the reader takes is tried.
    static func others(_ key: String, _ value: String, _ read: ([String]) throws -> JobConfig) -> [String] {
        switch value {
        case "true": return ["false"]
        case "false": return ["true"]
        case "{}": return ["{item: 3}"]
        case _ where value.hasPrefix("["): return ["[7]", "[target, attention]", "[target, history]"]
        default: break
        }
        if let number = Int(value) { return ["\(number * 2)", "\(number + 1)", "\(number - 1)"] }
        if let number = Double(value) { return ["\(number / 2)", "\(number + 0.5)", "0.25"] }
        // A word: the complaint about a wrong one lists them all.
        do {
            _ = try read(["\(key)=zzz"])
            return ["zzz"]
        } catch {
            let words = "\(error)".components(separatedBy: "expected one of ").last ?? ""
            return words.components(separatedBy: ", ").filter { $0 != value }
        }
    }

    @Test(
        "a single key changes itself and what is documented to follow it, nothing else",
        arguments: ModelOptions.Kind.allCases)
    func single(kind: ModelOptions.Kind) throws {
        func read(_ overrides: [String]) throws -> JobConfig {
            try ConfigReader.read(text: "model: {kind: \(kind.rawValue)}", name: "job.yaml", overrides: overrides)
        }
        let defaults = try Self.tree(read([]))
        let keys = defaults.keys.sorted().filter { kind == .din || $0.hasPrefix("model.") }
        #expect(keys.count > 15)
        for key in keys where key != "model.kind" {
            let value = try #require(defaults[key])
            #expect(try Self.tree(read(["\(key)=\(value)"])) == defaults, "\(key)=\(value)")
            var followers: Set = [key]
            if key.hasSuffix("optimizer.kind") {
                followers.formUnion([key.replacing("kind", with: "rate"), key.replacing("kind", with: "epsilon")])
            }
            if key == "train.batch" { followers.insert("train.micro_batch") }
            if key == "model.embedding.widths" { followers.insert("model.embedding.widths.item") }
            let changed = Self.others(key, value, read).lazy.compactMap { try? Self.tree(read(["\(key)=\($0)"])) }.first
            {
                $0 != defaults
            }
            guard let changed else {
                Issue.record("no other value of \(key) is taken")
                continue
            }
            for (other, value) in changed where !followers.contains(other) {
                #expect(value == defaults[other], "\(other) follows \(key)")
            }
        }
    }

    @Test("a rate alone leaves the method as it was, a strength alone the regularization")
    func seen() throws {
        func read(_ overrides: String...) throws -> JobConfig {
            try ConfigReader.read(text: "", name: "job.yaml", overrides: overrides)
        }
        #expect(try read("rows.optimizer.rate=0.01").rows.optimizer.kind == .adam)
        #expect(try read("rows.regularization.lambda=10").rows.regularization.kind == .none)
        #expect(try read("dense.optimizer.rate=0.01").dense.optimizer.epsilon == 1e-8)
        let adagrad = try read("rows.optimizer.kind=adagrad").rows.optimizer
        #expect(adagrad.rate == 0.01 && adagrad.epsilon == 1e-10)
        #expect(try read("train.batch=128").train.microBatch == 128)
        #expect(try read("train.batch=1024").train.microBatch == 256)
        #expect(try read("train.batch=128", "train.micro_batch=32").train.microBatch == 32)
        let dien = try ConfigReader.read(text: "model: {preset: dien-official, top: {dropout: 0.1}}", name: "x").model
        let options = try #require(dien.options as? DIEN.Options)
        #expect(options.top.head == .softmax && options.top.dropout == 0.1 && options.auxiliary.weight == 2)
    }

    @Test("sections without keys say nothing; keys without values are named")
    func empty() throws {
        #expect(try ConfigReader.read(text: "train:\nmodel:\n  top:\n", name: "x") == JobConfig())
        #expect(
            throws: ConfigError(problems: [
                "x:2: train.batch has no value: give it one, \"\" if need be, or leave it out"
            ])
        ) {
            try ConfigReader.read(text: "train:\n  batch:\n", name: "x")
        }
    }

    @Test("numbers of many digits are kept")
    func digits() throws {
        let config = try ConfigReader.read(
            text: "rows: {schedule: {factor: 0.912345678901}}\ndata: {directory: runs 1e5}", name: "x")
        #expect(config.rows.schedule.factor == 0.912345678901 && config.data.directory == "runs 1e5")
        #expect(try ConfigReader.read(text: config.yaml(), name: "x") == config)
    }

    @Test("a text may look like a number of old, in quotes or without, and is read again as it was written")
    func texts() throws {
        for text in ["1:99", "5:75", "0:0", "010", "08", "1_0:99"] {
            for value in ["'\(text)'", text] where value != "010" {
                let config = try ConfigReader.read(
                    text: "data: {directory: \(value), test: \(value)}", name: "job.yaml")
                #expect(config.data.directory == text && config.data.test == text)
                #expect(try ConfigReader.read(text: try config.yaml(), name: "again") == config)
            }
        }
        for override in ["model.top.hidden=[010]", "model.embedding.widths={item: 010}", "train.batch=0:30"] {
            #expect(throws: ConfigError.self, "\(override)") {
                try ConfigReader.read(text: "", name: "job.yaml", overrides: [override])
            }
        }
    }
}
