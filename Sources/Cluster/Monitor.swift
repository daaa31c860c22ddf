import Display
import Foundation
package import Scheduler
package import Telemetry
import Wire

/// Turns what happens in a job into lines for a person and records for `metrics.jsonl`.
///
/// Called on one thread at a time: the clerk's of a scheduler that runs.
package final class Monitor {
    private let run: RunDirectory?
    /// The job's books, if they are kept.
    package let book: ClusterBook?
    /// Which start of the run this is, from 1.
    package var attempt: Int { run?.attempt ?? 1 }
    /// Whether the table of processes is printed whenever one came or went: where they are more than this one.
    package var showsNodes = false
    /// Since when the printed table has not shown that somebody came or went.
    private var tableIsDue: ContinuousClock.Instant?
    private var lost = 0
    /// The newest status, for whoever shows it.
    package var board: StatusBoard { book?.board ?? noBoard }
    private let noBoard = StatusBoard()
    private var tensorBoard: TensorBoardWriter?
    private let journal: RunJournal?
    private var saved: ContinuousClock.Instant?
    private static let saveEvery = Duration.seconds(10)
    private let samplesTotal: Int
    private let samplesBefore: Int
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let quiet: Bool
    private let label: String
    private var trainingBegan: ContinuousClock.Instant?
    private var shown = ContinuousClock.now
    private var samples = 0
    private var window = Window()
    private var seconds: [String: Double] = [:]
    private var steps: [Int: Int] = [:]
    private var running = RunningAUC()
    private var lineIsOpen = false
    /// Called with the samples of every progress message.
    package var observe: ((Int) -> Void)?
    /// The command that goes on with the run after a failure, where that is known.
    package var continuing: String?
    /// How the job ended.
    package private(set) var outcome: Outcome?
    /// Where and why it was stopped in order, if it was.
    package private(set) var stopped: (outcome: Outcome, cause: StopCause)?
    /// Why it failed, if it did.
    package private(set) var failure: FailureReport?

    /// - Parameters:
    ///   - samples: that will be trained on.
    ///   - before: samples that an earlier process of the run has trained on.
    ///   - quiet: says nothing but the summary.
    ///   - label: begins every line, where several jobs follow each other.
    package init(
        run: RunDirectory?, samples: Int, before: Int = 0, quiet: Bool = false, label: String = "",
        book: ClusterBook? = nil
    ) {
        self.run = run
        self.book = book
        journal = run.map { RunJournal($0) }
        samplesTotal = samples
        samplesBefore = before
        self.quiet = quiet
        self.label = label
    }

    /// Samples a second over all of training, pauses included.
    package var samplesPerSecond: Double {
        guard let trainingBegan else { return 0 }
        return Double(samples) / max(1e-9, lastProgress.map { trainingBegan.duration(to: $0) / .seconds(1) } ?? 0)
    }
    private var lastProgress: ContinuousClock.Instant?

    /// Takes an event.
    package func take(_ event: SchedulerEvent) {
        var event = event
        if case .failed(let report) = event, let continuing { event = .failed(report.continued(by: continuing)) }
        if let point = book?.take(event) { log(point) }
        for text in book?.takeWarnings() ?? [] { show(.warning(text)) }
        for event in book?.takeNews() ?? [] { journal?.add(event) }
        if case .evaluated = event, let newest = book?.status.evaluations.last { tensorBoard?.take(newest) }
        showNodes(event)
        show(event)
        switch event {
        case .pulse: save(isDue: saved.map { $0.duration(to: .now) > Self.saveEvery } ?? true)
        case .started, .finished, .stopped, .failed: save(isDue: true)
        default: break
        }
    }

    /// Writes the curves for TensorBoard too, from now on.
    ///
    /// - Parameter step: after which a resumed job goes on; nil for one from the start.
    package func writeTensorBoard(config: String, resumedAt step: Int?) {
        guard let run else { return }
        tensorBoard = TensorBoardWriter(directory: run.path + "/tensorboard", resumedAt: step) { [weak self] problem in
            self?.say("warning: \(problem)")
        }
        tensorBoard?.take(config: config)
    }

    /// The last that is to be known of the job is known.
    package func close() {
        book?.close()
        for text in book?.takeWarnings() ?? [] { show(.warning(text)) }
        save(isDue: true)
        for (name, count) in (run?.failedWrites ?? [:]).sorted(by: { $0.key < $1.key }) {
            say("warning: \(count) writes of \(name) failed")
        }
    }

    private func save(isDue: Bool) {
        guard isDue, let book else { return }
        saved = .now
        run?.save(book.status)
    }

    private func log(_ point: SeriesPoint) {
        guard let status = book?.status.job else { return }
        tensorBoard?.take(point, auxiliaryLoss: status.auxiliaryLoss)
        run?.log([
            "event": .text("progress"), "step": .number(Double(point.step)), "samples": .number(Double(status.samples)),
            "samples_per_second": .number(point.samplesPerSecond), "loss": .number(point.loss ?? .nan),
            "auxiliary_loss": .number(status.auxiliaryLoss ?? 0), "auc": .number(point.auc ?? .nan),
            "rows": .number(Double(point.rows)), "received_bytes_per_second": .number(point.receivedBytesPerSecond),
            "sent_bytes_per_second": .number(point.sentBytesPerSecond), "read": .number(point.read),
            "wait": .number(point.wait), "compute": .number(point.compute), "push": .number(point.push),
        ])
    }

    private func show(_ event: SchedulerEvent) {
        switch event {
        case .waiting(let wait): say("waiting for \(wait.name) (\(Int(bounded: wait.seconds)) s)")
        case .warning(let text):
            say("warning: \(text)")
            run?.log(["event": .text("warning"), "what": .text(text)])
        case .lost(let member, let how):
            run?.log(["event": .text("lost"), "node": .text("\(member)"), "what": .text(how)])
        case .restarted(let member, let hello, let how):
            say(how)
            run?.log([
                "event": .text("restarted"), "node": .text("\(member)"), "host": .text(hello.host), "what": .text(how),
            ])
        case .joined(let member, let hello):
            run?.log(["event": .text("joined"), "node": .text("\(member)"), "host": .text(hello.host)])
        case .started(let nodes, let warnings):
            trainingBegan = .now
            window.began = .now
            for warning in warnings { say("warning: \(warning)") }
            run?.log(["event": .text("started"), "nodes": .number(Double(nodes))])
        case .pulse, .counters: break
        case .progress(let worker, let progress): take(progress, of: worker)
        case .evaluated(let split, let step, let metrics, let isBest):
            say("step \(step): \(split) \(Monitor.describe(metrics))\(isBest ? " (best)" : "")")
            run?.log([
                "event": .text("evaluated"), "split": .text(split), "step": .number(Double(step)),
                "samples": .number(Double(samplesBefore.plus(samples))), "auc": .number(metrics.auc ?? .nan),
                "gauc": .number(metrics.gauc ?? .nan), "log_loss": .number(metrics.logLoss),
                "calibration": .number(metrics.calibration),
            ])
        case .checkpoint(let step, let path, let seconds, let bytes):
            run?.log([
                "event": .text("checkpoint"), "step": .number(Double(step)), "path": .text(path),
                "seconds": .number(seconds), "bytes": .number(Double(bytes)),
            ])
        case .checkpointFailed(let step, let reason):
            let what = "checkpoint of step \(step) failed: \(reason); training goes on"
            say("warning: \(what)")
            run?.log(["event": .text("warning"), "what": .text(what)])
        case .finished(let outcome): self.outcome = outcome
        case .stopped(let outcome, let cause):
            closeLine()
            stopped = (outcome, cause)
            run?.log([
                "event": .text("stopped"), "what": .text(outcome.reason), "step": .number(Double(outcome.step)),
                "samples_per_second": .number(samplesPerSecond),
            ])
        case .failed(let report): take(report)
        }
    }

    /// Shows and keeps a failure; an interruption is no surprise to whoever asked for it.
    private func take(_ report: FailureReport) {
        failure = report
        closeLine()
        run?.log([
            "event": .text("failed"), "cause": .text(report.cause.rawValue), "first": .text(report.first),
            "what": .text(report.what), "remedy": .text(report.remedy), "step": .number(Double(report.step)),
        ])
        guard report.cause != .interrupted else { return }
        if let data = try? TelemetryJSON.encode(report) { run?.write(data, to: "failure.json") }
        for line in report.lines {
            journal?.add(line)
            StandardError.line(label + line)
        }
    }

    /// What came since the last line.
    private struct Window {
        var began = ContinuousClock.now
        var samples = 0
        var loss = 0.0
        var auxiliary = 0.0
    }

    private func take(_ progress: Wire.Progress, of worker: Int) {
        samples = samples.plus(progress.samples)
        observe?(progress.samples)
        window.samples = window.samples.plus(progress.samples)
        window.loss += progress.loss
        window.auxiliary += progress.auxiliaryLoss
        steps[worker] = progress.step
        lastProgress = .now
        if let histogram = progress.histogram {
            running.add(negatives: histogram.negatives, positives: histogram.positives)
        }
        for (name, value) in [
            ("compute", progress.computeSeconds), ("wait", progress.waitSeconds), ("wire", progress.wireSeconds),
            ("read", progress.readSeconds),
        ] {
            seconds[name, default: 0] += value
        }
        let now = ContinuousClock.now
        guard shown.duration(to: now) > (isTerminal ? .milliseconds(500) : .seconds(5)), window.samples > 0 else {
            return
        }
        shown = now
        let rate = Double(window.samples) / (window.began.duration(to: now) / .seconds(1))
        let loss = window.loss / Double(window.samples)
        let auxiliary = window.auxiliary / Double(window.samples)
        let left = Double(max(0, samplesTotal.minus(samples))) / max(1, rate)
        let step = steps.values.min() ?? 0
        let auc = running.value
        show(
            "step \(step)  \(samples)/\(samplesTotal) samples  \(Int(bounded: rate)) samples/s  loss \(Monitor.digits(loss))  "
                + (auxiliary > 0 ? "auxiliary \(Monitor.digits(auxiliary))  " : "")
                + "running AUC \(auc.map(Monitor.digits) ?? "-")  \(Int(bounded: left)) s left")
        window = Window(began: now)
        running = RunningAUC()
    }

    /// Four digits behind the point.
    package static func digits(_ value: Double) -> String { String(format: "%.4f", value) }

    /// A split's metrics in one line.
    package static func describe(_ metrics: Metrics) -> String {
        "AUC \(metrics.auc.map(digits) ?? "-")  GAUC \(metrics.gauc.map(digits) ?? "-")  log loss \(digits(metrics.logLoss))  "
            + "calibration \(digits(metrics.calibration))"
    }

    private func show(_ line: String) {
        journal?.add(progress: line)
        guard !quiet else { return }
        if isTerminal {
            // A line that wraps could not be overwritten.
            let shown = (label + line).prefix(Monitor.columns - 1)
            StandardError.progress("\(shown)")
            lineIsOpen = true
        } else {
            say(line)
        }
    }

    /// Prints how all processes stand: when the job begins, soon after a loss or a restart, and at the end.
    private func showNodes(_ event: SchedulerEvent) {
        guard showsNodes, !quiet, let book else { return }
        switch event {
        case .started, .finished, .failed: printNodes(book.status)
        case .restarted: tableIsDue = tableIsDue ?? .now
        case .pulse where !book.status.isOver:
            let lost = book.status.nodes.count { $0.state == .lost }
            if lost > self.lost { tableIsDue = tableIsDue ?? .now }
            self.lost = lost
            // A loss is mostly followed by others and by the end, which has a table of its own.
            if let since = tableIsDue, since.duration(to: .now) > .seconds(1) { printNodes(book.status) }
        default: break
        }
    }

    private func printNodes(_ status: ClusterStatus) {
        tableIsDue = nil
        let width = (isTerminal ? Monitor.columns : 120) - label.count
        for line in Scene(status, width: width).briefNodes { say(line.text) }
    }

    private static var columns: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 1000
    }

    /// A line for a person, unless nothing is to be said but the summary.
    package func say(_ line: String) {
        guard !quiet else { return }
        StandardError.line(label + line, over: lineIsOpen)
        lineIsOpen = false
    }

    /// Leaves the progress of a terminal as it stands; what follows begins a line of its own.
    private func closeLine() {
        guard lineIsOpen else { return }
        StandardError.line("")
        lineIsOpen = false
    }

    /// The lines that end a job.
    package func summary() -> [String] {
        guard let outcome else { return [] }
        var lines = ["finished after step \(outcome.step) (\(outcome.reason))"]
        if let best = outcome.bestStep, let metrics = outcome.bestValidation {
            lines.append("best validation at step \(best): \(Monitor.describe(metrics))")
        }
        if let test = outcome.test { lines.append("test: \(Monitor.describe(test))") }
        if samples > 0 {
            let all = max(1e-9, seconds.values.reduce(0, +))
            let shares = ["compute", "wait", "wire", "read"].map {
                "\($0) \(Int(bounded: (100 * (seconds[$0] ?? 0) / all).rounded())) %"
            }
            lines.append(
                "\(Int(bounded: samplesPerSecond)) samples/s; workers' time: \(shares.joined(separator: ", "))")
        }
        var memory: [String: Int] = [:]
        for (member, report) in outcome.reports {
            memory["\(member.role)"] = max(memory["\(member.role)"] ?? 0, report.process.peakBytes)
        }
        let parts = memory.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value >> 20) MB" }
        if !parts.isEmpty { lines.append("peak memory: \(parts.joined(separator: ", "))") }
        for line in lines { journal?.add(line) }
        run?.log([
            "event": .text("finished"), "step": .number(Double(outcome.step)),
            "samples_per_second": .number(samplesPerSecond), "test_auc": .number(outcome.test?.auc ?? .nan),
            "test_gauc": .number(outcome.test?.gauc ?? .nan),
            "test_log_loss": .number(outcome.test?.logLoss ?? .nan),
            "validation_auc": .number(outcome.bestValidation?.auc ?? .nan),
            "validation_gauc": .number(outcome.bestValidation?.gauc ?? .nan),
            "validation_log_loss": .number(outcome.bestValidation?.logLoss ?? .nan),
        ])
        return lines
    }
}
