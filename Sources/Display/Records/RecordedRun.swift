import Foundation
package import Telemetry
import Tensors

/// A run as its files tell it, whether it is finished, failed, running or was killed.
package struct RecordedRun: Sendable {
    /// A time in which it was trained: from the beginning of training to the last that is known of it.
    package struct Start: Sendable {
        package var began: Double
        package var ended: Double
        /// Trained on in it.
        package var samples = 0
    }

    /// What the run is called.
    package var name: String
    /// `status.json`, completed from `metrics.jsonl` where it says less.
    package var status: ClusterStatus
    /// The lines of progress, oldest first.
    package var points: [Record]
    /// Its starts: more than one when it was continued.
    package var starts: [Start] = []
    /// The resolved configuration, YAML; empty when unknown.
    package var config: String
    /// The configuration of the same model with nothing set; empty when unknown.
    package var defaults = ""
    /// What the files lack, in words.
    package var gaps: [String] = []

    /// Every property in its order.
    package init(name: String, status: ClusterStatus, points: [Record], config: String, defaults: String = "") {
        self.name = name
        self.status = status
        self.points = points
        self.config = config
        self.defaults = defaults
    }

    /// Reads a run's directory.
    package init(directory: String) throws {
        /// Nil when there is no such file.
        func found<Content>(_ read: () throws(SafetensorsError) -> Content) throws(SafetensorsError) -> Content? {
            do { return try read() } catch {
                if error.isMissing { return nil }
                throw error
            }
        }
        var status: ClusterStatus?
        var problem: String?
        var hasStatus = false
        do {
            if let stored = try found({ () throws(SafetensorsError) in
                try Files.read(directory + "/status.json", limit: .max)
            }) {
                hasStatus = true
                status = try TelemetryJSON.decode(ClusterStatus.self, from: stored)
            }
        } catch {
            problem = TelemetryJSON.problem(error)
        }
        let metrics = try found { () throws(SafetensorsError) in try Record.lines(in: directory) }
        guard hasStatus || metrics != nil else {
            throw Complaint(
                problem
                    ?? "\(directory): holds neither status.json nor metrics.jsonl: name a run's directory")
        }
        let lines = (metrics ?? []).compactMap(Record.init)
        self.init(
            name: URL(filePath: directory).standardizedFileURL.lastPathComponent, status: status ?? ClusterStatus(),
            points: Record.latest(lines.filter { $0.event == "progress" }) { $0.step ?? 0 },
            config: (try? Files.text(of: directory + "/config.yaml")) ?? ""
        )
        if status == nil {
            gaps.append(
                problem.map {
                    "Its status.json cannot be read (\($0)): there are no statistics of shards and workers."
                } ?? "It has no status.json: there are no statistics of shards and workers.")
        }
        if let metrics, lines.count < metrics.count {
            gaps.append("\(metrics.count - lines.count) lines of its metrics.jsonl cannot be read.")
        }
        if config.isEmpty { config = self.status.job.config }
        starts = RecordedRun.starts(lines)
        complete(with: lines)
    }

    /// Every start of training and its end; who joins for the next one comes before that.
    private static func starts(_ lines: [Record]) -> [Start] {
        lines.reduce(into: []) { starts, line in
            if line.event == "started" { return starts.append(Start(began: line.time, ended: line.time)) }
            guard let last = starts.indices.last, line.end != nil || line.isWork else { return }
            starts[last].ended = max(starts[last].ended, line.time)
            starts[last].samples = max(starts[last].samples, line.event == "progress" ? line.wholeSamples : 0)
        }
    }

    /// What `status.json` lacks: all of it in a run of an older version, its end in a run that was killed.
    private mutating func complete(with lines: [Record]) {
        if status.evaluations.isEmpty || status.evaluationsLeftOut != nil {
            // What a run did again counts as it was done later.
            func key(_ found: EvaluationStatus) -> String { "\(found.split) \(found.step)" }
            let all = Dictionary(lines.compactMap(\.evaluation).map { (key($0), $0) }) { $1 }
            let known = Dictionary(status.evaluations.map { (key($0), $0) }) { $1 }
            status.evaluations = all.merging(known) { $1 }.values.sorted { ($0.time, $0.split) < ($1.time, $1.split) }
            status.evaluationsLeftOut = nil
        }
        if status.events.isEmpty { status.events = lines.compactMap(\.happening) }
        if status.job.name.isEmpty { status.job.name = name }
        let last = lines.last(where: { $0.event == "progress" })
        if status.job.step == 0, let last { status.job.step = last.step ?? 0 }
        if status.job.samples == 0, let last { status.job.samples = last.wholeSamples }
        if status.job.started == 0 { status.job.started = lines.first?.time ?? 0 }
        if status.job.trainingStarted == 0 {
            status.job.trainingStarted = lines.last { $0.event == "started" }?.time ?? 0
        }
        if status.time == 0 { status.time = lines.last?.time ?? 0 }
        guard status.job.state == .waiting || status.job.state == .running else { return }
        if !lines.isEmpty { status.job.state = .running }
        guard let end = lines.last(where: { $0.end != nil || $0.event == "started" }), let state = end.end
        else { return }
        status.job.state = state
        status.job.ended = end.time
        if status.job.reason.isEmpty { status.job.reason = end.what ?? end.reason ?? "" }
        if status.job.meanSamplesPerSecond == 0 { status.job.meanSamplesPerSecond = end.samplesPerSecond ?? 0 }
        if let step = end.step { status.job.step = max(status.job.step, step) }
    }
}
