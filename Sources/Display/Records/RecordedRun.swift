import Foundation
package import Telemetry
import Tensors

/// A run as its files tell it, whether it is finished, failed, running or was killed.
package struct RecordedRun: Sendable {
    /// The directory holds no run.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// One line of progress; nil what older versions did not write.
    package struct Point: Sendable {
        package var time: Double
        package var step: Int
        package var samplesPerSecond: Double?
        package var loss: Double?
        package var auxiliaryLoss: Double?
        package var auc: Double?
        package var rows: Int?
        package var receivedBytesPerSecond: Double?
        package var sentBytesPerSecond: Double?
        package var read: Double?
        package var wait: Double?
        package var compute: Double?
        package var push: Double?

        /// A point without values.
        package init(time: Double, step: Int) {
            self.time = time
            self.step = step
        }
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
    package var points: [Point]
    /// Its starts: more than one when it was continued.
    package var starts: [Start] = []
    /// The resolved configuration, YAML; empty when unknown.
    package var config: String
    /// The configuration of the same model with nothing set; empty when unknown.
    package var defaults = ""
    /// What the files lack, in words.
    package var gaps: [String] = []

    /// Every property in its order.
    package init(name: String, status: ClusterStatus, points: [Point], config: String, defaults: String = "") {
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
            points: RecordedRun.latest(lines.compactMap(\.point)),
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
    private static func latest(_ all: [Point]) -> [Point] {
        all.reduce(into: []) { points, point in
            while let last = points.last, last.step > point.step { points.removeLast() }
            points.append(point)
        }
    }

    /// Every start of training and its end; who joins for the next one comes before that.
    private static func starts(_ lines: [Line]) -> [Start] {
        lines.reduce(into: []) { starts, line in
            if line.event == "started" { return starts.append(Start(began: line.time, ended: line.time)) }
            guard let last = starts.indices.last, line.end != nil || line.isWork else { return }
            starts[last].ended = max(starts[last].ended, line.time)
            starts[last].samples = max(starts[last].samples, line.event == "progress" ? line.wholeSamples : 0)
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
        let last = lines.last { $0.event == "progress" }
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

    /// Any line of `metrics.jsonl`.
    private struct Line: Decodable {
        let event: String
        let time: Double
        let step: Int?
        let samples: Double?
        let samplesPerSecond: Double?
        let loss: Double?
        let auxiliaryLoss: Double?
        let auc: Double?
        let gauc: Double?
        let logLoss: Double?
        let calibration: Double?
        let split: String?
        let rows: Int?
        let receivedBytesPerSecond: Double?
        let sentBytesPerSecond: Double?
        let read: Double?
        let wait: Double?
        let compute: Double?
        let push: Double?
        let node: String?
        let host: String?
        let nodes: Int?
        let path: String?
        let seconds: Double?
        let what: String?
        /// What older versions called `what`.
        let reason: String?

        /// A file's number may be any: one that is no count is 0.
        var wholeSamples: Int { samples.flatMap { Int(exactly: $0.rounded()) } ?? 0 }

        /// How the job ended, if this line says so.
        var end: JobStatus.State? {
            switch event {
            case "finished": .finished
            case "stopped": .stopped
            case "failed": .failed
            default: nil
            }
        }

        /// Whether it is said while a job is at work.
        var isWork: Bool { ["progress", "evaluated", "checkpoint"].contains(event) }

        var point: Point? {
            guard event == "progress" else { return nil }
            var point = Point(time: time, step: step ?? 0)
            point.samplesPerSecond = samplesPerSecond
            point.loss = loss
            point.auxiliaryLoss = auxiliaryLoss
            point.auc = auc
            point.rows = rows
            point.receivedBytesPerSecond = receivedBytesPerSecond
            point.sentBytesPerSecond = sentBytesPerSecond
            point.read = read
            point.wait = wait
            point.compute = compute
            point.push = push
            return point
        }

        var evaluation: EvaluationStatus? {
            guard event == "evaluated", let split else { return nil }
            return EvaluationStatus(
                time: time, split: split, step: step ?? 0, samples: wholeSamples, auc: auc, gauc: gauc,
                logLoss: logLoss ?? .nan, calibration: calibration ?? .nan, isBest: false)
        }

        var happening: EventStatus? {
            let (kind, text): (EventStatus.Kind, String)
            switch event {
            case "joined": (kind, text) = (.joined, "\(node ?? "a node") on \(host ?? "an unknown host")")
            case "started": (kind, text) = (.started, "training on \(nodes ?? 0) nodes")
            case "evaluated": (kind, text) = (.evaluated, "\(split ?? ""): AUC \(Quantity.metric(auc))")
            case "checkpoint":
                (kind, text) = (.checkpoint, "\(path ?? "") in \(seconds.map(Quantity.duration) ?? Quantity.none)")
            case "warning": (kind, text) = (.warning, what ?? event)
            case "restarted": (kind, text) = (.restarted, what ?? "\(node ?? "a node") restarted")
            case "lost": (kind, text) = (.lost, "\(node ?? "a node"): \(what ?? "")")
            case "failed": (kind, text) = (.failed, what ?? reason ?? "")
            case "stopped": (kind, text) = (.stopped, what ?? "")
            case "finished": (kind, text) = (.finished, reason ?? "")
            default: return nil
            }
            return EventStatus(time: time, kind: kind, text: text, step: step ?? 0)
        }
    }
}
