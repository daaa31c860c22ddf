import Foundation
package import Telemetry
import Tensors

/// A run as its files tell it, whether it is finished, failed, running or was killed.
package struct RecordedRun: Sendable {
    /// The directory holds no run.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Any line of `metrics.jsonl`; nil what it does not have.
    package struct Line: Decodable, Sendable {
        let event: String
        let time: Double
        var step: Int?
        var samples: Double?
        var samplesPerSecond: Double?
        var loss: Double?
        var auxiliaryLoss: Double?
        var auc: Double?
        var gauc: Double?
        var logLoss: Double?
        var calibration: Double?
        var split: String?
        var rows: Int?
        var receivedBytesPerSecond: Double?
        var sentBytesPerSecond: Double?
        var read: Double?
        var wait: Double?
        var compute: Double?
        var push: Double?
        var node: String?
        var host: String?
        var nodes: Int?
        var path: String?
        var seconds: Double?
        var what: String?
        /// What older versions called `what`.
        var reason: String?
    }

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
    package var points: [Line]
    /// Its starts: more than one when it was continued.
    package var starts: [Start] = []
    /// The resolved configuration, YAML; empty when unknown.
    package var config: String
    /// The configuration of the same model with nothing set; empty when unknown.
    package var defaults = ""
    /// What the files lack, in words.
    package var gaps: [String] = []

    package init(name: String, status: ClusterStatus, points: [Line], config: String, defaults: String = "") {
        self.name = name
        self.status = status
        self.points = points
        self.config = config
        self.defaults = defaults
    }

    /// Reads a run's directory.
    package init(directory: String) throws {
        /// Nil when there is no such file.
        func read(_ name: String) throws(SafetensorsError) -> Data? {
            do { return try Files.read(directory + "/" + name, limit: .max) } catch {
                if error.isMissing { return nil }
                throw error
            }
        }
        var status: ClusterStatus?
        var problem: String?
        var hasStatus = false
        do {
            if let stored = try read("status.json") {
                hasStatus = true
                status = try TelemetryJSON.decode(ClusterStatus.self, from: stored)
            }
        } catch {
            problem = TelemetryJSON.problem(error)
        }
        let metrics = try read("metrics.jsonl")
        guard hasStatus || metrics != nil else {
            throw Failure(
                description: problem
                    ?? "\(directory): holds neither status.json nor metrics.jsonl: name a run's directory")
        }
        let records = (metrics ?? Data()).split(separator: 10)
        let lines = records.compactMap { try? TelemetryJSON.decode(Line.self, from: Data($0)) }
        self.init(
            name: URL(filePath: directory).standardizedFileURL.lastPathComponent, status: status ?? ClusterStatus(),
            points: RecordedRun.latest(lines.filter(\.isProgress)),
            config: (try? Files.text(of: directory + "/config.yaml")) ?? ""
        )
        if status == nil {
            gaps.append(
                problem.map {
                    "Its status.json cannot be read (\($0)): there are no statistics of shards and workers."
                } ?? "It has no status.json: there are no statistics of shards and workers.")
        }
        if lines.count < records.count {
            gaps.append("\(records.count - lines.count) lines of its metrics.jsonl cannot be read.")
        }
        if config.isEmpty { config = self.status.job.config }
        starts = RecordedRun.starts(lines)
        complete(with: lines)
    }

    /// Without what was done again: a run that was continued has been at some steps twice.
    private static func latest(_ all: [Line]) -> [Line] {
        all.reduce(into: []) { points, point in
            while let last = points.last, last.place > point.place { points.removeLast() }
            points.append(point)
        }
    }

    /// Every start of training and its end; who joins for the next one comes before that.
    private static func starts(_ lines: [Line]) -> [Start] {
        lines.reduce(into: []) { starts, line in
            if line.event == "started" { return starts.append(Start(began: line.time, ended: line.time)) }
            guard let last = starts.indices.last, line.end != nil || line.isWork else { return }
            starts[last].ended = max(starts[last].ended, line.time)
            starts[last].samples = max(starts[last].samples, line.isProgress ? line.wholeSamples : 0)
        }
    }

    /// What `status.json` lacks: all of it in a run of an older version, its end in a run that was killed.
    private mutating func complete(with lines: [Line]) {
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
        let last = lines.last(where: \.isProgress)
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

extension RecordedRun.Line {
    /// A file's number may be any: one that is no count is 0.
    var wholeSamples: Int { samples.flatMap { Int(exactly: $0.rounded()) } ?? 0 }

    /// How the job ended, if this line says so.
    var end: JobStatus.State? {
        let state = JobStatus.State(rawValue: event)
        return state == .waiting || state == .running ? nil : state
    }

    /// Whether it is a point of the curves.
    var isProgress: Bool { event == "progress" }
    var place: Int { step ?? 0 }

    /// Whether it is said while a job is at work.
    var isWork: Bool { ["progress", "evaluated", "checkpoint"].contains(event) }

    var evaluation: EvaluationStatus? {
        guard event == "evaluated", let split else { return nil }
        return EvaluationStatus(
            time: time, split: split, step: step ?? 0, samples: wholeSamples, auc: auc, gauc: gauc,
            logLoss: logLoss ?? .nan, calibration: calibration ?? .nan, isBest: false)
    }

    var happening: EventStatus? {
        let node = node ?? "a node"
        let texts: [EventStatus.Kind: String] = [
            .joined: "\(node) on \(host ?? "an unknown host")", .started: "training on \(nodes ?? 0) nodes",
            .evaluated: "\(split ?? ""): AUC \(Quantity.metric(auc))",
            .checkpoint: "\(path ?? "") in \(seconds.map(Quantity.duration) ?? Quantity.none)",
            .warning: what ?? event, .restarted: what ?? "\(node) restarted", .lost: "\(node): \(what ?? "")",
            .failed: what ?? reason ?? "", .stopped: what ?? "", .finished: reason ?? "",
        ]
        guard let kind = EventStatus.Kind(rawValue: event), let text = texts[kind] else { return nil }
        return EventStatus(time: time, kind: kind, text: text, step: step ?? 0)
    }
}
