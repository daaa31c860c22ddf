import Foundation
import Models
import Parameters
import Tensors
import Yams

extension JobConfig {
    /// The whole configuration, defaults included; reading it gives an equal one.
    package func yaml() throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = false
        let text = try encoder.encode(self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { JobConfig.readable($0) }
            .joined(separator: "\n")
    }

    /// A line whose number is written as people do: 0.001, not 1.00000004749745e-3.
    private static func readable(_ line: Substring) -> String {
        guard let space = line.lastIndex(of: " "), line[..<space].hasSuffix(":"),
            let value = Double(line[line.index(after: space)...]),
            line.contains("e"), line.last?.isNumber == true, value.rounded() != value || line[space...].contains("e")
        else { return String(line) }
        // What is a float to the last of Yams' 15 digits was one, and its shortest form reads back to the same bits.
        let single = Float(value)
        return line[...space]
            + ((Double(single) - value).magnitude <= value.magnitude * 1e-14 ? "\(single)" : "\(value)")
    }

    /// Where two texts of configurations differ first, in words; empty where they do not.
    package static func difference(_ there: String, _ here: String) -> String {
        let lines = zip(there.split(separator: "\n"), here.split(separator: "\n"))
        guard let (old, new) = lines.first(where: { $0 != $1 }) else { return "" }
        func bare(_ line: Substring) -> String { line.trimmingCharacters(in: .whitespaces) }
        return ": '\(bare(old))' there, '\(bare(new))' here"
    }

    /// A number that names what determines the bits of a result: all but the cluster and what is saved.
    package func fingerprint() throws -> UInt64 {
        var copy = self
        copy.cluster = ClusterOptions()
        copy.checkpoint = CheckpointOptions()
        copy.monitor = MonitorOptions()
        copy.data.directory = ""
        copy.train.epochs = 0
        copy.train.maxSteps = 0
        return XXHash64.hash(try copy.yaml())
    }
}
