/// What a worker did for a step.
package struct Progress: Checked, Sendable, Equatable {
    package var step: Int
    /// Samples of its block.
    package var samples: Int
    /// Sum of their cross-entropies; may be NaN, which stops the job.
    @AsText package var loss: Double
    /// Sum of their auxiliary losses, weighted.
    @AsText package var auxiliaryLoss: Double
    /// Forward and backward.
    package var computeSeconds: Double
    /// Waiting for values.
    package var waitSeconds: Double
    /// Packing, sending and receiving.
    package var wireSeconds: Double
    /// Filling micro-batches.
    package var readSeconds: Double
    /// Predictions by label, for a running AUC.
    package var histogram: ScoreHistogram?

    package init(
        step: Int, samples: Int, loss: Double, auxiliaryLoss: Double = 0, computeSeconds: Double = 0,
        waitSeconds: Double = 0, wireSeconds: Double = 0, readSeconds: Double = 0,
        histogram: ScoreHistogram? = nil
    ) {
        self.step = step
        self.samples = samples
        self.loss = loss
        self.auxiliaryLoss = auxiliaryLoss
        self.computeSeconds = computeSeconds
        self.waitSeconds = waitSeconds
        self.wireSeconds = wireSeconds
        self.readSeconds = readSeconds
        self.histogram = histogram
    }

    var fault: String? {
        beyond(step: step) ?? beyond("samples", samples, 0...Limits().samples)
            ?? [computeSeconds, waitSeconds, wireSeconds, readSeconds].lazy
            .compactMap { beyond("seconds", $0, -longestTime...longestTime) }.first
            ?? histogram.flatMap {
                many("bins", $0.negatives.count, 1 << 16)
                    ?? beyond("number of bins", $0.positives.count, $0.negatives.count...$0.negatives.count)
            }
    }
}

/// Predictions counted in equal bins of [0, 1].
package struct ScoreHistogram: Codable, Sendable, Equatable {
    /// Samples with label 0 per bin.
    package var negatives: [UInt32]
    /// Samples with label 1 per bin.
    package var positives: [UInt32]

    package init(negatives: [UInt32], positives: [UInt32]) {
        self.negatives = negatives
        self.positives = positives
    }
}

/// A worker stands and waits for a verdict: at a step after which the scheduler decides, or after every step once it is held.
///
/// A worker that owns no micro-batch of the steps that follow stands at all of them at once.
package struct Reached: Checked, Sendable, Equatable {
    /// The last step in which it had something to do.
    package var from: Int
    /// The last step after which it can stand without having to do another: the next decision, or the one before its next
    /// own step.
    package var step: Int

    /// A worker that stands at steps `from` (unless given, `step`) to `step`.
    package init(from: Int? = nil, step: Int) {
        self.from = from ?? step
        self.step = step
    }

    var fault: String? { beyond(step: from) ?? beyond(step: step) }
}

/// What a worker does after a step.
package struct Verdict: Checked, Sendable, Equatable {
    /// What to do.
    package enum Action: Codable, Sendable, Equatable {
        /// Go on with the next step.
        case proceed
        case stop
        /// Score a split, then wait for the next verdict.
        case score(split: String)
    }

    /// The step that the verdict follows.
    package var step: Int
    /// What to do.
    package var action: Action

    package init(step: Int, action: Action) {
        self.step = step
        self.action = action
    }

    var fault: String? { beyond(step: step) }
}
