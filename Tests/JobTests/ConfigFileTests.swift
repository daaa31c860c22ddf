import Foundation
import Models
import Testing
import Yams

@testable import Job

@Suite struct ConfigFileTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "configs").path

    static let files = ((try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []).filter {
        $0.hasSuffix(".yaml")
    }

    @Test("every config that comes with the program is good", arguments: files)
    func good(name: String) throws { _ = try ConfigReader.read(path: Self.directory + "/" + name) }

    @Test("the reference names every key, each with its default")
    func reference() throws {
        let path = Self.directory + "/reference.yaml"
        #expect(try ConfigReader.read(path: path) == JobConfig())
        let named = try #require(try Yams.compose(yaml: String(contentsOfFile: path, encoding: .utf8)))
        let all = try #require(try Yams.compose(yaml: JobConfig().yaml()))
        #expect(Self.keys(named, []) == Self.keys(all, []))
    }

    @Test("the config of each model names every key of it", arguments: ModelOptions.Kind.allCases)
    func models(kind: ModelOptions.Kind) throws {
        let path = Self.directory + "/\(kind.rawValue).yaml"
        let config = try ConfigReader.read(path: path)
        #expect(config.model.kind == kind)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let named = try #require(try Yams.compose(yaml: text)?.mapping?["model"])
        let all = try #require(try Yams.compose(yaml: config.yaml())?.mapping?["model"])
        #expect(Self.keys(named, []) == Self.keys(all, []))
        // Every line with a value says what it means.
        var isExplained = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "#", maxSplits: 1)
            let hasValue = words[0].contains(": ") && !words[0].contains("kind: \(kind.rawValue)")
            if hasValue, !line.hasPrefix("#") { #expect(words.count == 2 || isExplained, "\(line)") }
            isExplained = line.trimmingCharacters(in: .whitespaces).hasPrefix("#")
        }
    }

    @Test(
        "what documents call a key is one",
        arguments: [
            "README.md", "CONTRIBUTING.md", "docs/records.md", "docs/metrics.md", "docs/watching.md",
            "docs/machines.md", "docs/measured.md", "docs/checkpoint.md", "docs/architecture.md",
        ])
    func documents(name: String) throws {
        let text = try String(contentsOfFile: Self.directory + "/../" + name, encoding: .utf8)
        let known = try ModelOptions.Kind.allCases.reduce(into: Set<String>()) { found, kind in
            let config = try ConfigReader.read(text: "model: {kind: \(kind.rawValue)}", name: "x")
            found.formUnion(Self.keys(try #require(try Yams.compose(yaml: config.yaml())), []))
        }
        let key = /\b(?:data|model|train|rows|dense|cluster|checkpoint|monitor)(?:\.[a-z_0-9]+)+\b/
        for word in text.matches(of: key).map({ String($0.output) })
        where !word.hasSuffix(".md") && !word.hasSuffix(".safetensors") {
            #expect(known.contains(word), "\(name) speaks of \(word)")
        }
    }

    private static func keys(_ node: Node, _ path: [String]) -> Set<String> {
        guard let mapping = node.mapping else { return [path.joined(separator: ".")] }
        return mapping.reduce(into: [path.joined(separator: ".")]) { found, pair in
            found.formUnion(keys(pair.value, path + [pair.key.string ?? ""]))
        }
    }

    @Test("numbers are written as people write them")
    func numbers() throws {
        let text = try JobConfig().yaml()
        #expect(text.contains("rate: 0.001\n") && text.contains("scale: 0.01\n") && text.contains("silence: 12.0\n"))
        #expect(!text.contains("000000"))
    }
}
