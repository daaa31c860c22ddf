package import Foundation
package import Telemetry
import Tensors

/// What a run's `metrics.jsonl` tells after its end.
package enum RunRecord {
    /// The curves: one point for every line of progress, oldest first.
    ///
    /// A run that was continued has been at some steps twice: what it did there later counts.
    package static func series(in directory: String) -> [SeriesPoint] {
        var points: [SeriesPoint] = []
        for line in lines(in: directory, event: "progress") {
            guard let point = try? TelemetryJSON.decode(SeriesPoint.self, from: line) else { continue }
            while let last = points.last, last.step > point.step { points.removeLast() }
            points.append(point)
        }
        return points
    }

    /// The lines of one kind of event, oldest first.
    package static func lines(in directory: String, event: String) -> [Data] {
        guard let data = try? Files.read(directory + "/metrics.jsonl", limit: .max) else { return [] }
        let mark = Data("\"event\":\"\(event)\"".utf8)
        return data.split(separator: 10).filter { $0.firstRange(of: mark) != nil }.map { Data($0) }
    }
}
