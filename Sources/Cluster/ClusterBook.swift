import Foundation
package import Job
import Models
package import Scheduler
package import Telemetry
import Wire

/// Keeps the books of a job: events and reports go in, a `ClusterStatus` comes out once a second.
///
/// Called on the scheduler's thread only; `board` is where other threads look.
package final class ClusterBook {
    /// The newest status, for whoever shows it.
    package let board = StatusBoard()
    /// What is known; rates and whatever follows from reports are filled in by `update`.
    package private(set) var status = ClusterStatus()
    var windows: [Member: ReportWindow] = [:]
    private var skews: [Member: ClockSkew] = [:]
    private var trainingBegan = 0.0
    private var steps: [Int: Int] = [:]
    /// Trained on by this process of the run.
    private(set) var samples = 0
    /// What came in since the last pulse.
    private var fresh = Stretch()
    private let shape: (servers: Int, shards: Int, workers: Int)
    let plan: JobPlan

    /// The most rows of a table; 0 for no limit.
    private let rowLimit: Int
    private var full: Set<String> = []
    /// Called with what has happened.
    var told: (EventStatus) -> Void = { _ in }
    /// Called with a warning that came up here.
    var warned: (String) -> Void = { _ in }

    /// - Parameters:
    ///   - job: what is run.
    ///   - directory: the run's; empty for none.
    package init(_ job: Job, directory: String = "") {
        plan = job.plan
        rowLimit = job.config.rows.limit
        let cluster = job.config.cluster
        shape = (cluster.servers, cluster.shards, cluster.workers)
        status.job.directory = directory.isEmpty ? "" : URL(filePath: directory).path
        status.job.name = (directory as NSString).lastPathComponent
        status.job.model = job.config.model.kind.rawValue
        status.job.version = SystemInfo.version
        status.job.started = Date().timeIntervalSince1970
        status.job.lastStep = plan.lastStep
        status.job.step = plan.startStep
        status.job.epochs = plan.epochs
        status.job.samplesTotal = plan.samples(through: plan.lastStep) - plan.samples(through: plan.startStep)
        status.job.config = (try? job.config.yaml()) ?? ""
        status.job.build = SystemInfo.build
        for (role, count) in [("scheduler", 1), ("server", shape.servers), ("worker", shape.workers)] {
            for rank in 0..<count {
                var node = NodeStatus()
                (node.role, node.rank) = (role, rank)
                status.nodes.append(node)
            }
        }
        status.nodes[0].host = ProcessInfo.processInfo.hostName
        status.nodes[0].pid = Int(getpid())
        status.nodes[0].state = .running
        status.nodes[0].incarnation = 1
        board.publish(status)
    }

    /// Where others find the job.
    package func announce(_ change: (inout JobStatus) -> Void) {
        change(&status.job)
        if !status.job.scheduler.isEmpty { status.nodes[0].endpoints = [status.job.scheduler] }
        board.publish(status)
    }

    /// Which start of its run the job is, from 1.
    func announce(attempt: Int) {
        status.nodes[0].incarnation = UInt32(clamping: attempt)
        status.nodes[0].state = attempt > 1 ? .restarted : .running
    }

    /// Takes over what an earlier process of the run found out about the states up to the one that this one begins with.
    package func goOn(from earlier: ClusterStatus) {
        for evaluation in earlier.evaluations where evaluation.step <= plan.startStep { status.add(evaluation) }
        board.publish(status)
    }

    // MARK: Events

    /// Takes an event; returns the next point of the curves when a second has passed and there was progress.
    package func take(_ event: SchedulerEvent) -> SeriesPoint? {
        switch event {
        case .waiting(let wait): note(.waiting, "waiting for \(wait.name) (\(Int(bounded: wait.seconds)) s)")
        case .warning(let text): note(.warning, text)
        case .lost(let member, let how):
            note(.lost, how)
            if let index = index(of: member) { status.nodes[index].state = .lost }
            board.publish(status)
        case .joined(let member, let hello):
            note(.joined, "\(member) joined from \(hello.host), process \(hello.pid)")
        case .restarted(_, _, let how): note(.restarted, how)
        case .started(let nodes, let warnings):
            status.job.state = .running
            trainingBegan = Date().timeIntervalSince1970
            status.job.trainingStarted = trainingBegan
            fresh = Stretch()
            note(.started, "\(nodes) nodes are there, training begins")
            for warning in warnings { note(.warning, warning) }
        case .pulse(let members, let waits, let turnedAway):
            let strangers = board.turnedAway
            status.nodes[0].turnedAway = strangers > 0 ? turnedAway.merging(["page": strangers]) { $1 } : turnedAway
            return pulse(members, waits)
        case .counters(let member, let report):
            windows[member, default: ReportWindow()].add(report)
            skews[member, default: ClockSkew()].add(report.time, at: Date().timeIntervalSince1970)
            if let index = index(of: member) { status.nodes[index].clockSkewSeconds = skews[member]?.seconds }
        case .progress(let worker, let progress):
            samples = samples.plus(progress.samples)
            steps[worker] = progress.step
            fresh.add(progress)
        case .evaluated(let split, let step, let metrics, let isBest):
            status.add(
                EvaluationStatus(
                    time: Date().timeIntervalSince1970, split: split, step: step,
                    samples: plan.samples(through: step), auc: metrics.auc,
                    gauc: metrics.gauc, logLoss: metrics.logLoss, calibration: metrics.calibration, isBest: isBest))
            let text = "\(split) after step \(step): \(Monitor.describe(metrics))\(isBest ? " (best)" : "")"
            note(.evaluated, text, step: step)
        case .checkpoint(let step, _, let seconds, let bytes):
            status.job.checkpoint = CheckpointReport(
                step: step, time: Date().timeIntervalSince1970, seconds: seconds, bytes: bytes)
            note(.checkpoint, "checkpoint of step \(step)", step: step)
        case .checkpointFailed(let step, let reason):
            status.job.checkpointFailures += 1
            note(.warning, "checkpoint of step \(step) failed: \(reason)", step: step)
        case .finished(let outcome):
            status.job.step = outcome.step
            end(.finished, outcome.reason)
        case .stopped(let outcome, _):
            status.job.step = outcome.step
            end(.stopped, outcome.reason)
        case .failed(let report):
            status.failure = report
            end(.failed, report.what)
        }
        return nil
    }

    /// A table that is full refuses new ids, which nobody would notice otherwise.
    private func lookForFullTables() {
        for table in status.tables where table.refusedRows > 0 && full.insert(table.name).inserted {
            let text =
                "table '\(table.name)' has reached its limit of \(rowLimit) rows (rows.limit): "
                + "\(table.refusedRows) gradients of new ids were dropped so far. "
                + FailureDiagnosis.remedy(.tableLimit, what: "")
            warned(text)
            note(.warning, text)
        }
    }

    /// - Parameter step: that it is about; the one that has been reached by now is noted if that is later.
    private func note(_ kind: EventStatus.Kind, _ text: String, step: Int = 0) {
        let event = EventStatus(time: Date().timeIntervalSince1970, kind: kind, text: text, step: max(step, reached))
        told(event)
        status.events.append(event)
        if status.events.count > 500 { status.events.removeFirst(status.events.count - 500) }
    }

    private func end(_ state: JobStatus.State, _ reason: String) {
        status.job.state = state
        status.job.reason = reason
        status.job.ended = Date().timeIntervalSince1970
        // What came after the last pulse counts too.
        _ = settle(at: status.job.ended)
        note(EventStatus.Kind(rawValue: state.rawValue) ?? .failed, reason)
        for index in status.nodes.indices {
            if status.nodes[index].state.isUp { status.nodes[index].state = .done }
            status.nodes[index].step = max(status.nodes[index].step, lastStep(of: status.nodes[index]))
        }
        refresh(waits: [])
    }

    /// The step of a node by its last report.
    private func lastStep(of node: NodeStatus) -> Int {
        guard node.member != nil else { return status.job.step }
        let report = windows[node]?.newest
        return report?.worker?.step ?? report?.shards.map(\.step).max() ?? 0
    }

    /// All reports are in.
    func close() { refresh(waits: []) }

    // MARK: A second has passed

    private func pulse(_ members: [MemberPulse], _ waits: [WaitReport]) -> SeriesPoint? {
        let now = Date().timeIntervalSince1970
        for pulse in members {
            guard let index = index(of: pulse.member) else { continue }
            status.nodes[index].host = pulse.hello.host
            status.nodes[index].pid = pulse.hello.pid
            status.nodes[index].endpoints = pulse.hello.endpoints
            status.nodes[index].address = pulse.address
            status.nodes[index].incarnation = UInt32(clamping: pulse.starts)
            status.nodes[index].step = pulse.step
            status.nodes[index].activity = pulse.activity
            status.nodes[index].silentSeconds = pulse.silentSeconds
            status.nodes[index].state = state(of: pulse)
        }
        status.nodes[0].process = SystemInfo.process()
        status.nodes[0].activity = waits.first.map { "waiting for \($0.name)" } ?? "serving"
        // The pulse before the end may follow the one before it closely: too few samples for a point of a curve.
        let hasProgress = (status.job.samples == 0 || fresh.seconds > 0.5) && settle(at: now)
        status.nodes[0].step = status.job.step
        refresh(waits: waits)
        let point = hasProgress ? self.point(at: now) : nil
        board.publish(status, point: point)
        return point
    }

    private func state(of pulse: MemberPulse) -> NodeStatus.State {
        if pulse.isLost { return .lost }
        // After the end a node only takes its leave.
        if pulse.hasLeft || status.isOver { return .done }
        return pulse.starts > 1 ? .restarted : .running
    }

    /// The step that all workers have finished, as of now.
    var reached: Int { max(status.job.step, steps.values.min() ?? 0) }

    /// Makes the job's progress known that came since this was last called; whether there was any.
    private func settle(at now: Double) -> Bool {
        guard fresh.samples > 0 else { return false }
        status.job.samples = samples
        status.job.step = reached
        status.job.epoch = plan.epoch(of: max(1, status.job.step))
        status.job.loss = fresh.loss
        status.job.auxiliaryLoss = fresh.auxiliaryLoss
        status.job.auc = fresh.auc
        status.job.samplesPerSecond = Double(fresh.samples) / max(0.001, fresh.seconds)
        status.job.meanSamplesPerSecond = Double(samples) / max(0.001, now - trainingBegan)
        fresh = Stretch()
        return true
    }

    /// The place of a member among the nodes.
    private func index(of member: Member) -> Int? {
        switch member.role {
        case .server: member.rank < shape.servers ? 1 + member.rank : nil
        case .worker: member.rank < shape.workers ? 1 + shape.servers + member.rank : nil
        case .scheduler, .monitor: nil
        }
    }

    /// Makes everything that follows from the reports anew.
    private func refresh(waits: [WaitReport]) {
        status.time = Date().timeIntervalSince1970
        StatusDerivation(windows: windows, shape: shape, trainingStarted: trainingBegan)
            .fill(&status, waits: waits)
        lookForFullTables()
        board.publish(status)
    }

    private func point(at time: Double) -> SeriesPoint {
        func mean(_ value: (WorkerStatus) -> Double) -> Double {
            status.workers.isEmpty ? 0 : status.workers.reduce(0) { $0 + value($1) } / Double(status.workers.count)
        }
        return SeriesPoint(
            time: time, step: status.job.step, samplesPerSecond: status.job.samplesPerSecond, loss: status.job.loss,
            auc: status.job.auc, rows: status.shards.total(\.report.rows),
            receivedBytesPerSecond: status.shards.reduce(0) { $0 + $1.receivedBytesPerSecond },
            sentBytesPerSecond: status.shards.reduce(0) { $0 + $1.sentBytesPerSecond }, read: mean(\.read),
            wait: mean(\.wait), compute: mean(\.compute), push: mean(\.push))
    }
}

/// How far a node's clock is from this one, by the times of its reports.
///
/// A report says when it was written, and is here a while later: what is seen is the skew less the time on the way.
/// The largest of what was seen lately is therefore the nearest to the truth, whichever clock is ahead.
struct ClockSkew {
    private static let reports = 16
    private var seen: [Double] = []

    /// Takes the time of a report, in seconds since 1970, that came in `now`.
    mutating func add(_ time: Double, at now: Double) {
        seen.append(time - now)
        if seen.count > Self.reports { seen.removeFirst() }
    }

    /// Seconds by which the node's clock is ahead; nil before the first report.
    var seconds: Double? { seen.max() }
}
