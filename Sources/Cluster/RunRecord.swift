package import Foundation
package import Telemetry

/// What a run's `metrics.jsonl` tells after its end.
package enum RunRecord {
    /// The curves: one point for every line of progress, oldest first.
    package static func series(in directory: String) -> [SeriesPoint] {
        lines(in: directory, event: "progress").compactMap { try? TelemetryJSON.decode(SeriesPoint.self, from: $0) }
    }

    /// The lines of one kind of event, oldest first.
    package static func lines(in directory: String, event: String) -> [Data] {
        guard let data = FileManager.default.contents(atPath: directory + "/metrics.jsonl") else { return [] }
        let mark = Data("\"event\":\"\(event)\"".utf8)
        return data.split(separator: 10).filter { $0.firstRange(of: mark) != nil }.map { Data($0) }
    }
}
