import Telemetry
import Wire

/// How checkpoints come about: shards write their parts, unasked or asked, and what is whole is committed.
extension SchedulerLoop {
    /// Shards of the job.
    var shardCount: Int { options.servers * options.shardsPerServer }

    func isOpen(_ step: Int) -> Bool {
        switch phase {
        case .running, .stopping(_, hasFailed: false): !unwritten.contains(step)
        case .gathering, .stopping, .ended: false
        }
    }

    /// Asks all servers to write the state after a step, in which all wait.
    mutating func askForSnapshot(of step: Int, _ final: Bool) {
        guard let directory = options.checkpoints else { return }
        let request = SnapshotRequest(step: step, directory: directory, final: final)
        for (member, _) in members.ranked(.server) { send(.snapshot(request), to: member) }
    }

    /// A shard says what became of its part of a checkpoint.
    mutating func take(_ part: Part, of shard: Int, _ step: Int, from member: Member) {
        let first = member.rank * options.shardsPerServer
        guard member.role == .server, (first..<first + options.shardsPerServer).contains(shard),
            (options.plan.startStep...options.plan.lastStep).contains(step), isOpen(step),
            options.plan.checkpoints(after: step) || sync?.step == step
        else { return }
        parts[step, default: [:]][shard] = part
        commitIfWhole(step)
    }

    /// Commits a checkpoint that has all its parts; none of a job that has failed.
    ///
    /// What cannot be whole is given up when the last shard has answered, too: nobody writes on, and every shard has the
    /// state. At a step of decision a checkpoint waits for the verdict and for the test split's scores: the manifest knows
    /// whether the state is the best, and who goes on from it need not score it again.
    mutating func commitIfWhole(_ step: Int) {
        guard isOpen(step), let shards = parts[step], shards.count == shardCount else { return }
        var written: [SnapshotDone] = []
        for (_, part) in shards.sorted(by: { $0.key < $1.key }) {
            switch part {
            case .written(let done): written.append(done)
            case .unwritten(let reason):
                giveUp(step, reason)
                return
            }
        }
        if options.plan.evaluates(after: step) {
            if (judgement.step ?? -1) < step { return }
            if let sync, sync.step == step, sync.scores != nil { return }
        }
        parts[step] = nil
        committing += 1
        // The parts of an earlier step may come after a later verdict.
        let known = (earlierJudgements + [judgement]).last { ($0.step ?? -1) <= step } ?? judgement
        effects.actions.append(.commit(step: step, parts: written, judgement: known))
    }

    /// The thread has committed a checkpoint, or could not.
    package mutating func committed(
        step: Int, _ result: Result<(path: String, seconds: Double, bytes: Int), any Error>
    ) {
        committing -= 1
        defer { endWhenAllReported() }
        switch result {
        case .success(let written):
            effects.events.append(
                .checkpoint(step: step, path: written.path, seconds: written.seconds, bytes: written.bytes))
            endCheckpoint(of: step, isWritten: true)
        case .failure(let error): giveUp(step, "\(error)")
        }
    }

    /// A checkpoint will not be whole: that is told and counted, and the job goes on with the one before.
    private mutating func giveUp(_ step: Int, _ reason: String) {
        unwritten.insert(step)
        unwrittenReason = reason
        parts[step] = nil
        effects.actions.append(.discard(step: step))
        effects.events.append(.checkpointFailed(step: step, reason: reason))
        endCheckpoint(of: step, isWritten: false)
    }

    /// Whoever waits for a checkpoint need not any more.
    ///
    /// Without the last one the work would be lost: then the job fails.
    mutating func endCheckpoint(of step: Int, isWritten: Bool) {
        committedStep = step
        guard case .running = phase, sync?.step == step, let decision = sync?.decision, decision.awaitsCheckpoint
        else { return }
        sync?.decision?.awaitsCheckpoint = false
        if !isWritten, decision.stops, options.keepLast {
            let what = "the last checkpoint, of step \(step), cannot be written: \(unwrittenReason)"
            take(Evidence(.ownWords, of: nil, what: what, at: now))
            return
        }
        goOn()
    }
}
