import Foundation
import Testing
import Yams

@testable import Job

@Suite struct ConfigFileTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "configs").path

    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter {
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

    private static func keys(_ node: Node, _ path: [String]) -> Set<String> {
        guard let mapping = node.mapping else { return [path.joined(separator: ".")] }
        return mapping.reduce(into: [path.joined(separator: ".")]) { found, pair in
            found.formUnion(keys(pair.value, path + [pair.key.string ?? ""]))
        }
    }

    @Test("numbers are written as people write them")
    func numbers() throws {
        let text = try JobConfig().yaml()
        #expect(text.contains("rate: 0.001\n") && text.contains("scale: 0.01\n") && text.contains("silence: 20.0\n"))
        #expect(!text.contains("000000"))
    }
}
