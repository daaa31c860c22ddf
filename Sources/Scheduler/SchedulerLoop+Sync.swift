package import Telemetry
import Wire

/// What happens while all workers wait: scores come in, the state is judged, and training goes on or ends.
extension SchedulerLoop {
    // MARK: Gathering

    /// A worker stands and waits for a verdict.
    mutating func arrive(_ member: Member, _ reached: Reached) {
        guard case .running = phase, member.role == .worker else { return }
        let plan = options.plan
        guard plan.startStep <= reached.from, reached.from <= reached.step, reached.step <= plan.lastStep,
            wish != nil || plan.evaluates(after: reached.step)
        else {
            let what = "\(member) stands at steps \(reached.from) to \(reached.step), where nothing is to be decided"
            take(Evidence(.ownWords, of: member, what: what, at: now))
            return
        }
        lastStep = max(lastStep, reached.from)
        standing[member.rank] = reached.from...reached.step
        if reached.from == reached.step, standingSince == nil { standingSince = now }
        gather()
    }

    /// Begins what is to be done at a step once every worker stands there.
    ///
    /// Undisturbed, that is the next decision. Workers that are held stop after the step they are in; nobody is asked during
    /// a step, so those behind the furthest go on until all stand at one step.
    mutating func gather() {
        guard case .running = phase, sync == nil, let furthest = standing.values.map(\.lowerBound).max() else { return }
        if wish != nil {
            for (rank, steps) in standing.sorted(by: { $0.key < $1.key }) where steps.upperBound < furthest {
                standing[rank] = nil
                let verdict = Verdict(step: steps.upperBound, action: .proceed)
                send(.verdict(verdict), to: Member(role: .worker, rank: rank))
            }
        }
        guard standing.count == options.workers, let nearest = standing.values.map(\.upperBound).min() else { return }
        let step = wish == nil ? nearest : furthest
        guard standing.values.allSatisfy({ $0.contains(step) }) else { return }
        standingSince = nil
        sync = SyncPoint(step: step, since: now)
        if !options.plan.evaluates(after: step) || judgement.step == step {
            // Held in the middle, or in front of the step after a decision: nothing is to be decided but that all stop.
            goOn()
        } else if let split = options.validation, let samples = options.splits[split] {
            score(split, samples, isValidation: true)
        } else {
            judge(nil)
        }
    }

    // MARK: Scoring

    /// Has a split scored in the state in which all wait.
    private mutating func score(_ split: String, _ samples: Int, isValidation: Bool) {
        let scores = SyncPoint.Scores.gathering(ScoreBook(sampleCount: samples), split: split)
        if isValidation { sync?.stage = .judging(scores) } else { sync?.decision?.test = scores }
        sendVerdict(.score(split: split))
    }

    /// Scores of a part of the split that is being scored.
    mutating func take(_ scores: ScoresView, from member: Member) {
        guard member.role == .worker, let step = sync?.step, scores.range.step == step else { return }
        do {
            guard let book = try sync?.take(scores) else { return }
            effects.actions.append(.measure(book, split: scores.range.split, step: step))
        } catch {
            let what = "\(member) sent scores of \(scores.range.split) that do not fit: \(error)"
            take(Evidence(.ownWords, of: member, what: what, at: now))
        }
    }

    /// The thread has computed the metrics of a book.
    package mutating func measured(_ metrics: Metrics, split: String, step: Int) {
        guard case .running = phase, let point = sync, point.step == step,
            case .measuring(split) = point.scores
        else { return }
        guard point.decision != nil else { return judge(metrics) }
        sync?.decision?.test = nil
        judgement.test = metrics
        effects.events.append(.evaluated(split: split, step: step, metrics, isBest: false))
        commitIfWhole(step)
        goOn()
    }

    // MARK: Judging

    /// Decides about the state in which all wait: is it the best, is it written, is it the end.
    private mutating func judge(_ metrics: Metrics?) {
        guard var point = sync else { return }
        var decision = SyncPoint.Decision()
        earlierJudgements = earlierJudgements.suffix(3) + [judgement]
        judgement.step = point.step
        point.since = now
        decision.stops = point.step >= options.plan.lastStep
        var isBest = false
        if let metrics {
            warnOfUndefined(metrics)
            let gain = options.earlyStop?.minimumGain ?? 0
            isBest = judgement.best.map { value(of: metrics) > value(of: $0) } ?? true
            let counts = judgement.best.map { value(of: metrics) > value(of: $0) + gain } ?? true
            judgement.withoutGain = counts ? 0 : judgement.withoutGain + 1
            if isBest { (judgement.bestStep, judgement.best, judgement.test) = (point.step, metrics, nil) }
            effects.events.append(
                .evaluated(split: options.validation ?? "", step: point.step, metrics, isBest: isBest))
            if let rule = options.earlyStop, judgement.withoutGain >= rule.patience, !decision.stops {
                decision.stops = true
                endReason = "no better \(options.metric.rawValue) in \(rule.patience) evaluations"
            }
        }
        let writes = options.checkpoints != nil && (isBest && options.keepBest || decision.stops && options.keepLast)
        if writes {
            decision.awaitsCheckpoint = true
            if !options.plan.checkpoints(after: point.step) {
                askForSnapshot(of: point.step, decision.stops)
            }
        }
        point.stage = .decided(decision)
        sync = point
        if let split = options.test, let samples = options.splits[split], isBest || (metrics == nil && decision.stops) {
            score(split, samples, isValidation: false)
        }
        // Its parts may all have come before the verdict: the plan wants a checkpoint of a state that is no better, too.
        commitIfWhole(point.step)
        // A shard may have said before the verdict that it cannot write this state.
        if writes, unwritten.contains(point.step) {
            endCheckpoint(of: point.step, isWritten: false)
        }
        goOn()
    }

    /// What states are compared by; larger is better.
    ///
    /// A split of one class, or whose users have one each, has no AUC or GAUC in any state: the log loss takes its place.
    private func value(of metrics: Metrics) -> Double {
        switch options.metric {
        case .auc: metrics.auc ?? -metrics.logLoss
        case .gauc: metrics.gauc ?? -metrics.logLoss
        case .logLoss: -metrics.logLoss
        }
    }

    /// Says once that the metric by which the best state is chosen does not exist.
    private mutating func warnOfUndefined(_ metrics: Metrics) {
        let why: String? =
            switch options.metric {
            case .auc where metrics.auc == nil: "its samples are all of one class"
            case .gauc where metrics.gauc == nil: "no user has clicks and non-clicks"
            default: nil
            }
        guard let why, judgement.best == nil else { return }
        effects.events.append(
            .warning(
                "\(options.metric.rawValue) of '\(options.validation ?? "")' is undefined (\(why)): the best state is "
                    + "chosen by log_loss; set train.metric to log_loss, or data.validation to another split"))
    }

    /// Lets training go on, or ends it, once nothing is outstanding.
    mutating func goOn() {
        guard case .running = phase, let point = sync, let decision = point.decision, decision.isSettled else { return }
        if decision.stops {
            stop()
        } else if let wish {
            stopHere(point, wish)
        } else {
            sendVerdict(.proceed)
            sync = nil
        }
    }
}
