import Display
import Foundation
import Telemetry
import Tensors

/// What a run left in its directory, read again only when a file has changed: who looks every second at a run that is over
/// does not read its whole record every second.
struct RunFiles {
    /// How often a file was read.
    private(set) var reads = 0
    /// Why the last status that was asked for cannot be read.
    private(set) var problem = ""
    private var statusStamp: Files.Stamp?
    private var newest: ClusterStatus?
    private var seriesStamp: Files.Stamp?
    private var points: [SeriesPoint] = []

    /// The status that a run left, or leaves every few seconds; nil when it cannot be read.
    mutating func status(in directory: String) -> ClusterStatus? {
        let path = directory + "/status.json"
        let stamp = try? Files.stamp(path)
        guard stamp == nil || stamp != statusStamp else { return newest }
        reads += 1
        statusStamp = stamp
        newest = nil
        do {
            newest = try TelemetryJSON.decode(ClusterStatus.self, from: try Files.read(path, limit: .max))
        } catch {
            problem = stamp == nil ? "there is none" : TelemetryJSON.problem(error)
        }
        return newest
    }

    /// The curves, oldest first.
    mutating func series(in directory: String) -> [SeriesPoint] {
        let stamp = try? Files.stamp(directory + "/metrics.jsonl")
        guard stamp == nil || stamp != seriesStamp else { return points }
        reads += 1
        // Of before it was read: what is added meanwhile is read the next time.
        seriesStamp = stamp
        points = Record.series(in: directory)
        return points
    }
}
