import Datasets
import Evaluation
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
        let plan = score == nil ? training.current : scoring.current
        var resend: [ParameterClient.Outgoing] = []
        let began = ContinuousClock.now
        let progress = try client.receive(
            message, from: shard, plan: plan, values: compute.values, dense: compute.parameters, resend: &resend,
            at: time)
        times.wire += began.duration(to: .now) / .seconds(1)
        for out in resend { actions.append(.data(shard: out.shard, out.message)) }
        guard progress == .pulled, case .pulling(let since) = phase else { return }
        noteValues(from: shard, since, at: time)
        phase = .computing(since: time)
        if score == nil { trainRound(&actions) } else { scoreRound(&actions) }
    }

    /// Computes the step whose values are in, and fills the next.
    private func trainRound(_ actions: inout [Action]) {
        let hasNext = step < options.plan.lastStep
        if hasNext { prepareTraining(step + 1) }
        start(
            training.current, .train, fill: hasNext ? training.next : nil, from: hasNext ? source(of: step + 1) : nil,
            &actions)
        if training.current.owned.isEmpty { computed(at: .now, into: &actions) }
    }

    /// The round's micro-batches are done; in training their sums are pushed while the next batches are filled.
    package func computed(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        guard case .computing(let since) = phase else { return }
        times.compute += since.duration(to: time) / .seconds(1)
        roundComputed = time
        guard score == nil else { return }
        let plan = training.current
        let pushes = compute.pushes()
        var losses = Losses(clicks: 0)
        for push in pushes {
            losses.clicks += push.contribution.losses.clicks
            losses.auxiliary += push.contribution.losses.auxiliary
            let messages = client.push(
                push.contribution, node: push.node, of: plan, isWhole: pushes.count == 1, at: time)
            for out in messages { actions.append(.data(shard: out.shard, out.message)) }
        }
        times.wire += time.duration(to: .now) / .seconds(1)
        let samples = observe(plan)
        report(plan, samples: samples, losses, &actions)
    }

    /// The round is over: its computation, and the filling of the next batches.
    package func finishedRound(at time: ContinuousClock.Instant, into actions: inout [Action]) {
        if case .computing = phase, roundComputed == nil { computed(at: time, into: &actions) }
        if let since = roundComputed { times.read += since.duration(to: time) / .seconds(1) }
        roundComputed = nil
        if score != nil {
            finishedScoring(at: time, &actions)
            return
        }
        let began = ContinuousClock.now
        if phase == .filling {
            training.next.unite()
            training.advance()
            pull(training.current, evaluation: false, at: time, &actions)
            return
        }
        let done = step
        if done < options.plan.lastStep {
            training.next.unite()
            training.nextIsReady = true
        }
        times.read += began.duration(to: .now) / .seconds(1)
        if isHeld || options.plan.evaluates(after: done) {
            awaitVerdict(at: time)
            flush(&actions)
            actions.append(.control(.reached(Reached(step: done))))
        } else {
            proceed(at: time, &actions)
        }
    }

    /// Goes on with the step that has been filled.
    func proceed(at time: ContinuousClock.Instant, _ actions: inout [Action]) {
        guard training.nextIsReady else {
            phase = .finished
            actions.append(.finish)
            return
        }
        step += 1
        training.nextIsReady = false
        training.advance()
        pull(training.current, evaluation: false, at: time, &actions)
    }

    /// Does what the scheduler decided.
    package func receive(
        _ verdict: Verdict, at time: ContinuousClock.Instant, into actions: inout [Action]
    ) {
        guard verdict.step == step, phase == .awaitingVerdict else { return }
        noteVerdict(at: time)
        switch verdict.action {
        case .proceed: proceed(at: time, &actions)
        case .stop:
            phase = .finished
            actions.append(.finish)
        case .score(let split): beginScoring(split, at: time, &actions)
        }
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

    private func report(_ plan: StepPlan, samples: Int, _ losses: Losses, _ actions: inout [Action]) {
        counts.steps += 1
        counts.samples += samples
        if !losses.total.isFinite {
            counts.nonfinite += 1
            actions.append(
                .control(
                    .failed(
                        Failure(
                            role: .worker, rank: options.rank, step: plan.step,
                            message:
                                "the loss of step \(plan.step) is \(losses.total): lower the learning rate, or look for "
                                + "absurd numeric features; the state before this step is unharmed",
                            cause: .diverged))))
        }
        window.samples += samples
        window.losses.clicks += losses.clicks
        window.losses.auxiliary += losses.auxiliary
        if window.isDue { flush(&actions) }
    }

    /// Sends what has been counted since the last progress message.
    func flush(_ actions: inout [Action]) {
        guard window.samples > 0 else { return }
        let progress = Progress(
            step: step, samples: window.samples, loss: window.losses.clicks, auxiliaryLoss: window.losses.auxiliary,
            computeSeconds: times.compute, waitSeconds: times.wait, wireSeconds: times.wire, readSeconds: times.read,
            histogram: window.histogram)
        settleTimes()
        window.reset()
        actions.append(.control(.progress(progress)))
    }
}
