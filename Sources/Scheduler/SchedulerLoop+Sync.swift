import Evaluation
import Wire

/// What happens while all workers wait: scores come in, the state is judged, written, and training goes on or ends.
extension SchedulerLoop {
    /// A worker stands at a point of the plan where the scheduler decides.
    mutating func arrive(
        _ worker: Int, at step: Int, _ connection: [UInt8], _ time: ContinuousClock.Instant,
        _ effects: inout Effects
    ) {
        guard case .running = phase else { return }
        lastStep = max(lastStep, step)
        standing[worker] = step
        defer { rally(at: time, &effects) }
        // Held in the middle: nothing is to be decided but where all stop.
        if wish != nil, !options.plan.evaluates(after: step) { return }
        if sync?.step != step {
            sync = SyncPoint(step: step, since: time)
        }
        sync?.reached.insert(worker)
        if let split = options.validation, let samples = options.splits[split] {
            if sync?.book == nil {
                sync?.book = ScoreBook(sampleCount: samples)
                sync?.scoring = split
            }
            guard sync?.judged == false else { return }
            effects.actions.append(
                .send(to: connection, .verdict(Verdict(step: step, action: .score(split: split)))))
        } else if sync?.reached.count == options.workers {
            judge(nil, at: time, &effects)
        }
    }

    /// Scores of a part of the split that is being scored.
    mutating func take(
        _ scores: ScoresView, from member: Member, at time: ContinuousClock.Instant, _ effects: inout Effects
    ) {
        guard let point = sync, scores.range.step == point.step, scores.range.split == point.scoring else { return }
        do {
            try sync?.book?.add(
                first: scores.range.first, logits: scores.logits, labels: scores.labels, keys: scores.keys)
            guard let book = sync?.book, book.isComplete else { return }
            let metrics = book.metrics()
            sync?.book = nil
            sync?.scoring = nil
            if point.judged {
                judgement.test = metrics
                effects.events.append(.evaluated(split: scores.range.split, step: point.step, metrics, isBest: false))
                commitIfWhole(point.step, &effects)
                goOn(at: time, &effects)
            } else {
                judge(metrics, at: time, &effects)
            }
        } catch {
            let what = "\(member) sent scores of \(scores.range.split) that do not fit: \(error)"
            take(Evidence(.ownWords, of: member, what: what, at: time), at: time, into: &effects)
        }
    }

    /// Decides about the state in which all wait: is it the best, is it written, is it the end.
    private mutating func judge(_ metrics: Metrics?, at time: ContinuousClock.Instant, _ effects: inout Effects) {
        guard var point = sync else { return }
        point.judged = true
        earlierJudgements = earlierJudgements.suffix(3) + [judgement]
        judgement.step = point.step
        point.since = time
        point.stops = point.step >= options.plan.lastStep
        var isBest = false
        if let metrics {
            let gain = options.earlyStop?.minimumGain ?? 0
            isBest = judgement.best.map { value(of: metrics) > value(of: $0) } ?? true
            let counts = judgement.best.map { value(of: metrics) > value(of: $0) + gain } ?? true
            judgement.withoutGain = counts ? 0 : judgement.withoutGain + 1
            if isBest { (judgement.bestStep, judgement.best, judgement.test) = (point.step, metrics, nil) }
            effects.events.append(
                .evaluated(split: options.validation ?? "", step: point.step, metrics, isBest: isBest))
            if let rule = options.earlyStop, judgement.withoutGain >= rule.patience, !point.stops {
                point.stops = true
                endReason = "no better \(options.metric.rawValue) in \(rule.patience) evaluations"
            }
        }
        let writes = options.checkpoints != nil && (isBest && options.keepBest || point.stops && options.keepLast)
        if writes {
            point.awaitsCheckpoint = true
            if !options.plan.checkpoints(after: point.step) { askForSnapshot(of: point.step, point.stops, &effects) }
        }
        if let split = options.test, let samples = options.splits[split], isBest || (metrics == nil && point.stops) {
            point.book = ScoreBook(sampleCount: samples)
            point.scoring = split
        }
        sync = point
        if let split = point.scoring { sendVerdict(.score(split: split), &effects) }
        // Its parts may all have come before the verdict: the plan wants a checkpoint of a state that is no better, too.
        commitIfWhole(point.step, &effects)
        goOn(at: time, &effects)
    }

    private func value(of metrics: Metrics) -> Double {
        switch options.metric {
        case .auc: metrics.auc ?? 0
        case .gauc: metrics.gauc ?? 0
        case .logLoss: -metrics.logLoss
        }
    }

    /// Lets training go on, or ends it, once nothing is outstanding.
    mutating func goOn(at time: ContinuousClock.Instant, _ effects: inout Effects) {
        guard let point = sync, point.judged, !point.awaitsCheckpoint, point.scoring == nil else { return }
        if point.stops {
            stop(at: time, &effects)
        } else if let wish {
            stopHere(point, wish, at: time, &effects)
        } else {
            sendVerdict(.proceed, &effects)
            sync = nil
        }
    }

    // MARK: Checkpoints

    func askForSnapshot(of step: Int, _ final: Bool, _ effects: inout Effects) {
        guard let directory = options.checkpoints else { return }
        for (_, entry) in members.ranked(.server) {
            effects.actions.append(
                .send(to: entry.connection, .snapshot(SnapshotRequest(step: step, directory: directory, final: final))))
        }
    }

    /// A shard has written its part of a checkpoint.
    mutating func take(_ done: SnapshotDone, at time: ContinuousClock.Instant, _ effects: inout Effects) {
        parts[done.step, default: [:]][done.shard] = done
        commitIfWhole(done.step, &effects)
    }

    /// Commits a checkpoint that has all its parts.
    ///
    /// At a step of decision it waits for the verdict and for the test split's scores: the manifest knows whether the
    /// state is the best, and who goes on from it need not score it again.
    mutating func commitIfWhole(_ step: Int, _ effects: inout Effects) {
        if options.plan.evaluates(after: step) {
            if (judgement.step ?? -1) < step { return }
            if let sync, sync.step == step, sync.scoring != nil { return }
        }
        guard let shards = parts[step], shards.count == options.servers * options.shardsPerServer else { return }
        parts[step] = nil
        // The parts of an earlier step may come after a later verdict.
        let known = (earlierJudgements + [judgement]).last { ($0.step ?? -1) <= step } ?? judgement
        effects.actions.append(
            .commit(step: step, parts: shards.sorted { $0.key < $1.key }.map(\.value), judgement: known))
    }

    /// The thread has committed a checkpoint, or could not: then training goes on with the one before.
    package mutating func committed(
        step: Int, _ result: Result<(path: String, seconds: Double, bytes: Int), any Error>,
        at time: ContinuousClock.Instant,
        into effects: inout Effects
    ) {
        committedStep = step
        switch result {
        case .success(let written):
            effects.events.append(
                .checkpoint(step: step, path: written.path, seconds: written.seconds, bytes: written.bytes))
        case .failure(let error):
            effects.events.append(.checkpointFailed(step: step, reason: "\(error)"))
        }
        guard sync?.step == step else { return }
        sync?.awaitsCheckpoint = false
        goOn(at: time, &effects)
    }
}
