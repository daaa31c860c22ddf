import Datasets
import Models
import Telemetry
import Tensors
package import Wire

/// How a step goes: values in, round out, push, and on to the next.
extension WorkerLoop {
    /// Takes a message of a shard.
    package func receive(
        _ message: Message, from shard: Int, at time: ContinuousClock.Instant, into actions: inout [Action]
    ) throws {
        // Only who pulls waits for values; what is left of an earlier step may be answered at any time.
        let activity = if case .pulling(let activity, _) = phase { activity } else { Activity.training }
        var resend: [ParameterClient.Outgoing] = []
        let began = ContinuousClock.now
        let progress = try client.receive(
            message, from: shard, plan: plan(of: activity), values: compute.values, dense: compute.parameters,
            resend: &resend,
            at: time)
        times.wire += began.duration(to: .now) / .seconds(1)
        for out in resend { actions.append(.data(shard: out.shard, out.message)) }
        guard progress == .pulled, case .pulling(_, let since) = phase else { return }
        noteValues(from: shard, activity, since, at: time)
        phase = .computing(activity, since: time)
        switch activity {
        case .training: trainRound(&actions)
        case .scoring(let scoring): scoreRound(scoring, &actions)
        }
    }

    /// Computes the step whose values are in, and fills the next.
    private func trainRound(_ actions: inout [Action]) {
        let next = nextOwn(after: step)
        if let next { prepareTraining(next) }
        start(
            training.current, .train, fill: next == nil ? nil : training.next, from: next.flatMap(source), &actions)
    }

    /// The round's micro-batches are done; in training their sums are pushed while the next batches are filled.
    package func computed(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        guard case .computing(let activity, let since) = phase else { return }
        times.compute += since.duration(to: time) / .seconds(1)
        phase = .reading(activity, since: time)
        guard case .training = activity else { return }
        let plan = training.current
        let pushes = compute.pushes()
        var losses = Losses(clicks: 0)
        for push in pushes {
            losses.clicks += push.contribution.losses.clicks
            losses.auxiliary += push.contribution.losses.auxiliary
        }
        // What is no number must not reach a shard: the state before this step stays what it was.
        if losses.total.isFinite, pushes.allSatisfy(\.contribution.isFinite) {
            for push in pushes {
                let messages = client.push(
                    push.contribution, node: push.node, of: plan, isWhole: pushes.count == 1, at: time)
                for out in messages { actions.append(.data(shard: out.shard, out.message)) }
            }
        } else {
            diverge(plan, losses, &actions)
        }
        times.wire += time.duration(to: .now) / .seconds(1)
        let samples = observe(plan)
        report(samples: samples, losses, at: time, &actions)
    }

    /// Tells that a step yields no numbers.
    private func diverge(_ plan: StepPlan, _ losses: Losses, _ actions: inout [Action]) {
        counts.nonfinite += 1
        let what =
            losses.total.isFinite
            ? "a gradient of step \(plan.step) is not finite" : "the loss of step \(plan.step) is \(losses.total)"
        fail(
            "\(what): lower the learning rate, or look for absurd numeric features; the state before this step is unharmed",
            step: plan.step, cause: .diverged, &actions)
    }

    /// Tells the scheduler, once, that this worker cannot go on.
    func fail(
        _ message: String, step: Int, cause: FailureReport.Cause? = nil, _ actions: inout [Action]
    ) {
        guard !hasFailed else { return }
        hasFailed = true
        actions.append(
            .control(
                .failed(Failure(role: .worker, rank: options.rank, step: step, message: message, cause: cause))))
    }

    /// The round is over: its computation, and the filling of the next batches.
    package func finishedRound(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        if case .computing = phase { computed(at: time, into: &actions) }
        let (activity, hasComputed): (Activity, Bool)
        switch phase {
        case .filling(let filled): (activity, hasComputed) = (filled, false)
        case .reading(let read, let since):
            times.read += since.duration(to: time) / .seconds(1)
            (activity, hasComputed) = (read, true)
        case .pulling, .computing, .standing, .finished: return
        }
        if case .scoring(let scoring) = activity {
            finishedScoring(scoring, hasComputed: hasComputed, at: time, &actions)
            return
        }
        let began = ContinuousClock.now
        if let next = training.filling {
            training.next.unite()
            (training.filling, training.ready) = (nil, next)
        }
        times.read += began.duration(to: .now) / .seconds(1)
        if hasComputed { done = step }
        moveOn(isDecided: false, at: time, &actions)
    }

    // MARK: Between steps

    /// Goes on with its next step; stands where a decision comes first, or everywhere once it is held.
    ///
    /// - Parameter isDecided: whether the scheduler has let it go on from the step that it has done.
    func moveOn(isDecided: Bool, at time: ContinuousClock.Instant, _ actions: inout [Action]) {
        if isDecided, done >= options.plan.lastStep {
            finish(&actions)
            return
        }
        let decision = options.plan.decision(from: isDecided ? done + 1 : done)
        let next = training.ready ?? .max
        if next <= decision, !isHeld || isDecided && next == done + 1 {
            step = next
            training.ready = nil
            training.swap()
            pull(for: .training, at: time, &actions)
            return
        }
        let last = max(done, min(decision, next - 1))
        stand(behind: done...last, at: time)
        flush(at: time, &actions)
        actions.append(.control(.reached(Reached(from: done, step: last))))
        takeEarly(at: time, &actions)
    }

    /// From now on it stops after every step, beginning with the one that it is in, and asks what to do.
    package func hold(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        isHeld = true
        // A step that waits for its values has not begun, and others may be held before it: it stands in front of it.
        guard case .pulling(.training, _) = phase else { return }
        client.cancelPull()
        training.ready = step
        training.swap()
        step = done
        moveOn(isDecided: false, at: time, &actions)
    }

    /// Does what the scheduler decided; what comes before the worker stands there waits until it does.
    package func receive(
        _ verdict: Verdict, at time: ContinuousClock.Instant, into actions: inout [Action]
    ) {
        if case .finished = phase { return }
        guard verdict.step >= done else { return }
        guard case .standing(let steps, let since) = phase, steps.contains(verdict.step) else {
            early = verdict
            return
        }
        counts.waitSeconds += since.duration(to: time) / .seconds(1)
        switch verdict.action {
        case .proceed:
            done = verdict.step
            moveOn(isDecided: true, at: time, &actions)
        case .stop: finish(&actions)
        case .score(let split): beginScoring(split, after: verdict.step, behind: steps, at: time, &actions)
        }
    }

    /// Does what was decided before it stood here.
    func takeEarly(at time: ContinuousClock.Instant, _ actions: inout [Action]) {
        guard let verdict = early, case .standing(let steps, _) = phase, steps.contains(verdict.step) else { return }
        early = nil
        receive(verdict, at: time, into: &actions)
    }

    private func finish(_ actions: inout [Action]) {
        phase = .finished
        actions.append(.finish)
    }

    /// Repeats requests whose deadline has passed.
    package func tick(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        for out in client.tick(at: time) { actions.append(.data(shard: out.shard, out.message)) }
    }

    // MARK: Progress

    /// Counts the round's predictions and says how many samples there were.
    private func observe(_ plan: StepPlan) -> Int {
        var samples = 0
        for number in 0..<plan.owned.count {
            let batch = plan.batches[number]
            samples += batch.sampleCount
            counts.references += batch.references
            window.add(logits: compute.logits[number].buffer, labels: batch.labels.buffer)
        }
        return samples
    }

    private func report(
        samples: Int, _ losses: Losses, at time: ContinuousClock.Instant, _ actions: inout [Action]
    ) {
        counts.steps += 1
        counts.samples += samples
        window.samples += samples
        window.losses.clicks += losses.clicks
        window.losses.auxiliary += losses.auxiliary
        if window.isDue(at: time) { flush(at: time, &actions) }
    }

    /// Sends what has been counted since the last progress message.
    func flush(at time: ContinuousClock.Instant, _ actions: inout [Action]) {
        guard window.samples > 0 else { return }
        let progress = Progress(
            step: step, samples: window.samples, loss: window.losses.clicks, auxiliaryLoss: window.losses.auxiliary,
            computeSeconds: times.compute, waitSeconds: times.wait, wireSeconds: times.wire, readSeconds: times.read,
            histogram: window.histogram)
        settleTimes()
        window.reset(at: time)
        actions.append(.control(.progress(progress)))
    }
}
