import Display
import Foundation
package import Job
package import Scheduler
package import Telemetry
import Wire

/// Turns what happens in a job into lines for a person and records for `metrics.jsonl`.
///
/// Called on one thread at a time: the clerk's of a scheduler that runs.
package final class Monitor {
    let run: RunDirectory?
    /// The job's books.
    package let book: ClusterBook
    /// Whether the table of processes is printed whenever one came or went: where they are more than this one.
    package var showsNodes = false
    /// Since when the printed table has not shown that somebody came or went.
    private var tableIsDue: ContinuousClock.Instant?
    private var lost = 0
    private var tensorBoard: TensorBoardWriter?
    /// When how the job gets on was written into the scheduler's log, and how often that is.
    private var journaled: ContinuousClock.Instant?
    private static let journalEvery = Duration.seconds(5)
    private var saved: ContinuousClock.Instant?
    private static let saveEvery = Duration.seconds(10)
    private let samplesTotal: Int
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let quiet: Bool
    private let label: String
    private var trainingBegan: ContinuousClock.Instant?
    private var shown = ContinuousClock.now
    private var window = Stretch()
    private var seconds: [String: Double] = [:]
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
    ///   - quiet: says nothing but the summary.
    ///   - label: begins every line, where several jobs follow each other.
    package init(_ job: Job, run: RunDirectory?, quiet: Bool = false, label: String = "", book: ClusterBook? = nil) {
        self.run = run
        self.book = book ?? ClusterBook(job, directory: run?.path ?? "")
        samplesTotal = self.book.status.job.samplesTotal
        self.quiet = quiet
        self.label = label
        self.book.told = { run?.say("\($0.kind.rawValue): \($0.text)", at: $0.time) }
        self.book.warned = { [weak self] in self?.show(.warning($0)) }
    }

    /// Samples a second over all of training, pauses included.
    package var samplesPerSecond: Double {
        guard let trainingBegan else { return 0 }
        return Double(book.samples) / max(1e-9, lastProgress.map { trainingBegan.duration(to: $0) / .seconds(1) } ?? 0)
    }
    private var lastProgress: ContinuousClock.Instant?

    /// Takes an event.
    package func take(_ event: SchedulerEvent) {
        var event = event
        if case .failed(let report) = event, let continuing { event = .failed(report.continued(by: continuing)) }
        if let point = book.take(event) { log(point) }
        if case .evaluated = event, let newest = book.status.evaluations.last { tensorBoard?.take(newest) }
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
        book.close()
        save(isDue: true)
        for (name, count) in (run?.failedWrites ?? [:]).sorted(by: { $0.key < $1.key }) {
            say("warning: \(count) writes of \(name) failed")
        }
    }

    private func save(isDue: Bool) {
        guard isDue else { return }
        saved = .now
        run?.save(book.status)
    }

    private func log(_ point: SeriesPoint) {
        let status = book.status.job
        tensorBoard?.take(point, auxiliaryLoss: status.auxiliaryLoss)
        run?.log(
            "progress", [:],
            [
                "step": Double(point.step), "samples": Double(status.samples),
                "samples_per_second": point.samplesPerSecond, "loss": point.loss,
                "auxiliary_loss": status.auxiliaryLoss ?? 0, "auc": point.auc, "rows": Double(point.rows),
                "received_bytes_per_second": point.receivedBytesPerSecond,
                "sent_bytes_per_second": point.sentBytesPerSecond, "read": point.read, "wait": point.wait,
                "compute": point.compute, "push": point.push,
            ])
    }

    private func show(_ event: SchedulerEvent) {
        switch event {
        case .waiting(let wait): say("waiting for \(wait.name) (\(Int(bounded: wait.seconds)) s)")
        case .warning(let text):
            say("warning: \(text)")
            run?.log("warning", ["what": text])
        case .lost(let member, let how):
            run?.log("lost", ["node": "\(member)", "what": how])
        case .restarted(let member, let hello, let how):
            say(how)
            run?.log("restarted", ["node": "\(member)", "host": hello.host, "what": how])
        case .joined(let member, let hello):
            run?.log("joined", ["node": "\(member)", "host": hello.host])
        case .started(let nodes, let warnings):
            trainingBegan = .now
            window = Stretch()
            for warning in warnings { say("warning: \(warning)") }
            run?.log("started", [:], ["nodes": Double(nodes)])
        case .pulse, .counters: break
        case .progress(_, let progress): take(progress)
        case .evaluated(let split, let step, let metrics, let isBest):
            say("step \(step): \(split) \(Monitor.describe(metrics))\(isBest ? " (best)" : "")")
            run?.log(
                "evaluated", ["split": split],
                [
                    "step": Double(step),
                    "samples": Double(book.plan.samples(through: book.plan.startStep).plus(book.samples)),
                    "auc": metrics.auc, "gauc": metrics.gauc, "log_loss": metrics.logLoss,
                    "calibration": metrics.calibration,
                ])
        case .checkpoint(let step, let path, let seconds, let bytes):
            run?.log("checkpoint", ["path": path], ["step": Double(step), "seconds": seconds, "bytes": Double(bytes)])
        case .checkpointFailed(let step, let reason):
            let what = "checkpoint of step \(step) failed: \(reason); training goes on"
            say("warning: \(what)")
            run?.log("warning", ["what": what])
        case .finished(let outcome): self.outcome = outcome
        case .stopped(let outcome, let cause):
            closeLine()
            stopped = (outcome, cause)
            run?.log(
                "stopped", ["what": outcome.reason],
                ["step": Double(outcome.step), "samples_per_second": samplesPerSecond])
        case .failed(let report): take(report)
        }
    }

    /// Shows and keeps a failure; an interruption is no surprise to whoever asked for it.
    private func take(_ report: FailureReport) {
        failure = report
        closeLine()
        run?.log(
            "failed",
            ["cause": report.cause.rawValue, "first": report.first, "what": report.what, "remedy": report.remedy],
            ["step": Double(report.step)])
        guard report.cause != .interrupted else { return }
        if let data = try? TelemetryJSON.encode(report) { run?.write(data, to: "failure.json") }
        for line in report.lines {
            run?.say(line)
            StandardError.line(label + line)
        }
    }

    private func take(_ progress: Wire.Progress) {
        observe?(progress.samples)
        window.add(progress)
        lastProgress = .now
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
        let rate = Double(window.samples) / window.seconds
        let left = Double(max(0, samplesTotal.minus(book.samples))) / max(1, rate)
        let auxiliary = window.auxiliaryLoss
        show(
            "step \(book.reached)  \(book.samples)/\(samplesTotal) samples  \(Int(bounded: rate)) samples/s  "
                + "loss \(Monitor.digits(window.loss))  "
                + (auxiliary > 0 ? "auxiliary \(Monitor.digits(auxiliary))  " : "")
                + "running AUC \(window.auc.map(Monitor.digits) ?? "-")  \(Int(bounded: left)) s left")
        window = Stretch()
    }

    /// Four digits behind the point.
    package static func digits(_ value: Double) -> String { String(format: "%.4f", value) }

    /// A split's metrics in one line.
    package static func describe(_ metrics: Metrics) -> String {
        describe(metrics.auc, metrics.gauc, metrics.logLoss) + "  calibration \(digits(metrics.calibration))"
    }

    static func describe(_ auc: Double?, _ gauc: Double?, _ logLoss: Double) -> String {
        "AUC \(auc.map(digits) ?? "-")  GAUC \(gauc.map(digits) ?? "-")  log loss \(digits(logLoss))"
    }

    private func show(_ line: String) {
        if journaled.map({ $0.duration(to: .now) >= Self.journalEvery }) ?? true {
            journaled = .now
            run?.say(line)
        }
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
        guard showsNodes, !quiet else { return }
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
        if book.samples > 0 {
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
        for line in lines { run?.say(line) }
        run?.log(
            "finished", [:],
            [
                "step": Double(outcome.step), "samples_per_second": samplesPerSecond, "test_auc": outcome.test?.auc,
                "test_gauc": outcome.test?.gauc, "test_log_loss": outcome.test?.logLoss,
                "validation_auc": outcome.bestValidation?.auc, "validation_gauc": outcome.bestValidation?.gauc,
                "validation_log_loss": outcome.bestValidation?.logLoss,
            ])
        return lines
    }
}
