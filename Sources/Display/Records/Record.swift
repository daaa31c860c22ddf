package import Foundation
package import Telemetry
package import Tensors

/// A line of a run's `metrics.jsonl`; nil what its kind of line, or an older version, does not say.
package struct Record: Decodable, Sendable {
    /// "progress", "evaluated", "finished" and so on.
    package let event: String
    package let time: Double
    package let step: Int?
    package var samples: Double?
    package var samplesPerSecond, loss, auxiliaryLoss, auc, gauc, logLoss, calibration: Double?
    package var split: String?
    package var rows: Int?
    package var receivedBytesPerSecond, sentBytesPerSecond, read, wait, compute, push: Double?
    package var node, host: String?
    package var nodes: Int?
    package var path: String?
    package var seconds: Double?
    package var what: String?
    /// What older versions called `what`.
    package var reason: String?
    package var testAuc, testGauc, testLogLoss, validationAuc, validationGauc, validationLogLoss: Double?

    /// Progress up to a step, without figures.
    package init(time: Double, step: Int) {
        event = "progress"
        self.time = time
        self.step = step
    }

    // MARK: Reading

    package static let file = "metrics.jsonl"

    /// The lines of a run's record, oldest first.
    ///
    /// - Parameter event: of which alone; nil for all.
    package static func lines(in run: String, event: String? = nil) throws(SafetensorsError) -> [Data] {
        let lines = try Files.read("\(run)/\(file)", limit: .max).split(separator: 10)
        guard let event else { return lines }
        let mark = Data("\"event\":\"\(event)\"".utf8)
        return lines.filter { $0.firstRange(of: mark) != nil }
    }

    /// A line; nil for one that cannot be read.
    package init?(_ line: Data) {
        guard let record = try? TelemetryJSON.decode(Record.self, from: line) else { return nil }
        self = record
    }

    /// The last line of some kinds of event.
    package static func last(of events: Set<String>, in run: String) throws(SafetensorsError) -> Record? {
        try lines(in: run).reversed().lazy.compactMap(Record.init).first { events.contains($0.event) }
    }

    /// The curves of a run: one point for every whole line of progress, oldest first.
    package static func series(in run: String) -> [SeriesPoint] {
        let lines = (try? lines(in: run, event: "progress")) ?? []
        return latest(lines.compactMap { try? TelemetryJSON.decode(SeriesPoint.self, from: $0) }, step: \.step)
    }

    /// Without what was done again: a run that was continued has been at some steps twice.
    static func latest<Point>(_ all: [Point], step: (Point) -> Int) -> [Point] {
        all.reduce(into: []) { points, point in
            while let last = points.last, step(last) > step(point) { points.removeLast() }
            points.append(point)
        }
    }

    // MARK: What a line says

    /// A file's number may be any: one that is no count is 0.
    var wholeSamples: Int { samples.flatMap { Int(exactly: $0.rounded()) } ?? 0 }

    /// How the job ended, if this line says so.
    var end: JobStatus.State? {
        let state = JobStatus.State(rawValue: event)
        return state == .finished || state == .stopped || state == .failed ? state : nil
    }

    /// Whether it is said while a job is at work.
    var isWork: Bool { ["progress", "evaluated", "checkpoint"].contains(event) }

    /// What the line that ends a run says of the test split, or of the best validation.
    package func figures(ofTest isTest: Bool) -> (auc: Double?, gauc: Double?, logLoss: Double?) {
        isTest ? (testAuc, testGauc, testLogLoss) : (validationAuc, validationGauc, validationLogLoss)
    }

    package var evaluation: EvaluationStatus? {
        guard event == "evaluated", let split else { return nil }
        return EvaluationStatus(
            time: time, split: split, step: step ?? 0, samples: wholeSamples, auc: auc, gauc: gauc,
            logLoss: logLoss ?? .nan, calibration: calibration ?? .nan, isBest: false)
    }

    var happening: EventStatus? {
        guard let kind = EventStatus.Kind(rawValue: event) else { return nil }
        let text: String
        switch kind {
        case .joined: text = "\(node ?? "a node") on \(host ?? "an unknown host")"
        case .started: text = "training on \(nodes ?? 0) nodes"
        case .evaluated: text = "\(split ?? ""): AUC \(Quantity.metric(auc))"
        case .checkpoint: text = "\(path ?? "") in \(seconds.map(Quantity.duration) ?? Quantity.none)"
        case .warning: text = what ?? event
        case .restarted: text = what ?? "\(node ?? "a node") restarted"
        case .lost: text = "\(node ?? "a node"): \(what ?? "")"
        case .failed: text = what ?? reason ?? ""
        case .stopped: text = what ?? ""
        case .finished: text = reason ?? ""
        case .waiting: return nil
        }
        return EventStatus(time: time, kind: kind, text: text, step: step ?? 0)
    }
}
