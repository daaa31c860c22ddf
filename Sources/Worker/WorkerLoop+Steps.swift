import Datasets
import Models
import Telemetry
import Tensors
package import Wire

/// How a step goes: values in, round out, push, and on to the next.
extension WorkerLoop {
    /// Takes a message of a shard.
    package func receive(_ message: Message, from shard: Int) throws {
        // Only who pulls waits for values; what is left of an earlier step may be answered at any time.
        let activity = if case .pulling(let activity, _) = phase { activity } else { Activity.training }
        let began = ContinuousClock.now
        let progress = try client.receive(
            message, from: shard, plan: plan(of: activity), values: compute.values, dense: compute.parameters, at: now)
        client.counts.pushSeconds += began.duration(to: .now) / .seconds(1)
        if case .resend(let out) = progress { send([out]) }
        guard case .pulled = progress, case .pulling(_, let since) = phase else { return }
        noteValues(from: shard, activity, since)
        phase = .computing(activity, since: now)
        switch activity {
        case .training: trainRound()
        case .scoring(let scoring): scoreRound(scoring)
        }
    }

    /// Computes the step whose values are in, and fills the next.
    private func trainRound() {
        let next = nextOwn(after: step)
        if let next { prepareTraining(next) }
        start(training.current, .train, fill: next == nil ? nil : training.next, from: next.flatMap(source))
    }

    /// The round's micro-batches are done; in training their sums are pushed while the next batches are filled.
    package func computed() {
        guard case .computing(let activity, let since) = phase else { return }
        client.counts.computeSeconds += since.duration(to: now) / .seconds(1)
        phase = .reading(activity, since: now)
        guard case .training = activity else { return }
        let plan = training.current
        let pushes = compute.pushes()
        let losses = pushes.reduce(into: Losses(clicks: 0)) { $0 += $1.contribution.losses }
        // What is no number must not reach a shard: the state before this step stays what it was.
        if losses.total.isFinite, pushes.allSatisfy(\.contribution.isFinite) {
            for push in pushes {
                send(client.push(push.contribution, node: push.node, of: plan, isWhole: pushes.count == 1, at: now))
            }
        } else {
            diverge(plan, losses)
        }
        client.counts.pushSeconds += now.duration(to: .now) / .seconds(1)
        observe(plan, losses)
    }

    /// Tells that a step yields no numbers.
    private func diverge(_ plan: StepPlan, _ losses: Losses) {
        client.counts.nonfinite += 1
        let what =
            losses.total.isFinite
            ? "a gradient of step \(plan.step) is not finite" : "the loss of step \(plan.step) is \(losses.total)"
        fail(
            "\(what): lower the learning rate, or look for absurd numeric features; the state before this step is unharmed",
            step: plan.step, cause: .diverged)
    }

    /// Tells the scheduler, once, that this worker cannot go on.
    func fail(_ message: String, step: Int, cause: FailureReport.Cause? = nil) {
        guard !hasFailed else { return }
        hasFailed = true
        actions.append(
            .control(
                .failed(Failure(role: .worker, rank: options.rank, step: step, message: message, cause: cause))))
    }

    /// The round is over: its computation, and the filling of the next batches.
    package func finishedRound() {
        if case .computing = phase { computed() }
        let (activity, hasComputed): (Activity, Bool)
        switch phase {
        case .filling(let filled): (activity, hasComputed) = (filled, false)
        case .reading(let read, let since):
            client.counts.readSeconds += since.duration(to: now) / .seconds(1)
            (activity, hasComputed) = (read, true)
        case .pulling, .computing, .standing, .finished: return
        }
        if case .scoring(let scoring) = activity {
            finishedScoring(scoring, hasComputed: hasComputed)
            return
        }
        let began = ContinuousClock.now
        if let next = training.filling {
            training.next.unite()
            (training.filling, training.ready) = (nil, next)
        }
        client.counts.readSeconds += began.duration(to: .now) / .seconds(1)
        if hasComputed { done = step }
        moveOn(isDecided: false)
    }

    // MARK: Between steps

    /// Goes on with its next step; stands where a decision comes first, or everywhere once it is held.
    ///
    /// - Parameter isDecided: whether the scheduler has let it go on from the step that it has done.
    func moveOn(isDecided: Bool) {
        if isDecided, done >= options.plan.lastStep {
            finish()
            return
        }
        let decision = options.plan.decision(from: isDecided ? done + 1 : done)
        let next = training.ready ?? .max
        if next <= decision, !isHeld || isDecided && next == done + 1 {
            step = next
            training.ready = nil
            training.swap()
            pull(for: .training)
            return
        }
        let last = max(done, min(decision, next - 1))
        stand(behind: done...last)
        flush()
        actions.append(.control(.reached(Reached(from: done, step: last))))
        takeEarly()
    }

    /// From now on it stops after every step, beginning with the one that it is in, and asks what to do.
    package func hold() {
        isHeld = true
        // A step that waits for its values has not begun, and others may be held before it: it stands in front of it.
        guard case .pulling(.training, _) = phase else { return }
        client.cancelPull()
        training.ready = step
        training.swap()
        step = done
        moveOn(isDecided: false)
    }

    /// Does what the scheduler decided; what comes before the worker stands there waits until it does.
    package func receive(_ verdict: Verdict) {
        if case .finished = phase { return }
        guard verdict.step >= done else { return }
        guard case .standing(let steps, let since) = phase, steps.contains(verdict.step) else {
            early = verdict
            return
        }
        let waited = since.duration(to: now) / .seconds(1)
        client.counts.waitSeconds += waited
        // It is no part of the next message of progress.
        told.waitSeconds += waited
        switch verdict.action {
        case .proceed:
            done = verdict.step
            moveOn(isDecided: true)
        case .stop: finish()
        case .score(let split): beginScoring(split, after: verdict.step, behind: steps)
        }
    }

    /// Does what was decided before it stood here.
    func takeEarly() {
        guard let verdict = early, case .standing(let steps, _) = phase, steps.contains(verdict.step) else { return }
        early = nil
        receive(verdict)
    }

    private func finish() {
        phase = .finished
        actions.append(.finish)
    }

    /// Repeats requests whose deadline has passed.
    package func tick() {
        send(client.tick(at: now))
    }

    // MARK: Progress

    /// Counts the round's samples and predictions.
    private func observe(_ plan: StepPlan, _ losses: Losses) {
        for number in 0..<plan.owned.count {
            let batch = plan.batches[number]
            client.counts.samples += batch.sampleCount
            client.counts.references += batch.references
            window.add(logits: compute.logits[number].buffer, labels: batch.labels.buffer)
        }
        client.counts.steps += 1
        window.losses += losses
        if window.isDue(at: now) { flush() }
    }

    /// Sends what has been counted since the last progress message.
    func flush() {
        let counts = client.counts
        guard counts.samples > told.samples else { return }
        let progress = Progress(
            step: step, samples: counts.samples - told.samples, loss: window.losses.clicks,
            auxiliaryLoss: window.losses.auxiliary, computeSeconds: counts.computeSeconds - told.computeSeconds,
            waitSeconds: counts.waitSeconds - told.waitSeconds, wireSeconds: counts.pushSeconds - told.pushSeconds,
            readSeconds: counts.readSeconds - told.readSeconds, histogram: window.histogram)
        told = counts
        window.reset(at: now)
        actions.append(.control(.progress(progress)))
    }
}
