/// The steps of a job as a pure function of its configuration: what every role derives, so that nobody has to be told.
///
/// Steps count from 1; "state t" is the state after step t; state 0 is the initial one.
package struct JobPlan: Codable, Sendable, Equatable {
    /// When the validation split is scored.
    package enum Evaluation: Codable, Sendable, Equatable {
        /// Not during training.
        case never
        /// After every so many steps.
        case steps(Int)
        /// So many times an epoch, evenly spread; the last at its end.
        case perEpoch(Int)
    }

    /// The most steps of a job: a header has 32 bits for them, and one more has to be countable.
    package static let mostSteps = Int(UInt32.max) - 1

    /// Samples of the training split.
    package var trainSamples: Int
    /// Samples of a global batch, B.
    package var batch: Int
    /// Samples of a micro-batch.
    package var microBatch: Int
    /// Passes over the training split.
    package var epochs: Int
    /// The last step at the latest, if given.
    package var maxSteps: Int?
    /// The state from which this run starts: 0, or that of the checkpoint it resumes.
    package var startStep: Int
    /// When to validate.
    package var evaluation: Evaluation
    /// A checkpoint after every so many steps; 0 for none but the last.
    package var checkpointEvery: Int

    package init(
        trainSamples: Int, batch: Int, microBatch: Int, epochs: Int, maxSteps: Int? = nil, startStep: Int = 0,
        evaluation: Evaluation = .perEpoch(1), checkpointEvery: Int = 0
    ) {
        self.trainSamples = trainSamples
        self.batch = batch
        self.microBatch = microBatch
        self.epochs = epochs
        self.maxSteps = maxSteps
        self.startStep = startStep
        self.evaluation = evaluation
        self.checkpointEvery = checkpointEvery
    }

    /// Steps of one epoch; the last may hold fewer samples.
    package var stepsPerEpoch: Int { parts(of: trainSamples, batch) }

    /// The last step; no job has more than a header can count.
    package var lastStep: Int {
        let (steps, overflows) = stepsPerEpoch.multipliedReportingOverflow(by: epochs)
        return max(startStep, min(overflows ? .max : steps, maxSteps ?? .max, Self.mostSteps))
    }

    /// The epoch of a step, from 0.
    package func epoch(of step: Int) -> Int { (step - 1) / stepsPerEpoch }

    /// The positions of a step in its epoch's order.
    package func positions(of step: Int) -> Range<Int> {
        let first = (step - 1) % stepsPerEpoch * batch
        return first..<min(first + batch, trainSamples)
    }

    /// Micro-batches of a step, M.
    package func microBatches(of step: Int) -> Int { microBatches(over: positions(of: step).count) }

    /// Micro-batches over so many samples.
    package func microBatches(over samples: Int) -> Int { parts(of: samples, microBatch) }

    /// Parts of a size, the last one maybe smaller; without a sum that could overflow.
    private func parts(of samples: Int, _ size: Int) -> Int {
        samples / size + (samples % size > 0 ? 1 : 0)
    }

    /// Whether the validation split is scored in state `step`.
    package func evaluates(after step: Int) -> Bool {
        (step > startStep || lastStep == startStep) && step <= lastStep && decision(from: step) == step
    }

    /// The first step from `step` on after which the scheduler decides; none lies beyond the last step.
    package func decision(from step: Int) -> Int {
        guard step < lastStep else { return step }
        let first = max(step, startStep + 1)
        let next: Int
        switch evaluation {
        case .never: return lastStep
        case .steps(let interval):
            let rest = first % max(1, interval)
            next = rest == 0 ? first : first.addingReportingOverflow(max(1, interval) - rest).partialValue
        case .perEpoch(let most):
            let times = min(most, stepsPerEpoch)
            guard times > 0 else { return lastStep }
            let (epoch, before) = (first - 1).quotientAndRemainder(dividingBy: stepsPerEpoch)
            // The first step of the epoch by whose end one more evaluation is due than before `first`.
            let due = before * times / stepsPerEpoch + 1
            next = epoch * stepsPerEpoch + (due * stepsPerEpoch + times - 1) / times
        }
        return next < first ? lastStep : min(next, lastStep)
    }

    /// Whether every shard writes a checkpoint of state `step` unasked.
    package func checkpoints(after step: Int) -> Bool {
        checkpointEvery > 0 && step > startStep && step % checkpointEvery == 0 && step != lastStep
    }

    /// Samples trained on up to and with a step.
    package func samples(through step: Int) -> Int {
        let (epochs, rest) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
        return epochs * trainSamples + min(rest * batch, trainSamples)
    }
}
