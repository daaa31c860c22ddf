import Telemetry
import Wire

/// What was trained on since a moment.
struct Stretch {
    private let began = ContinuousClock.now
    private(set) var samples = 0
    private var losses = (main: 0.0, auxiliary: 0.0)
    private var ranks = RunningAUC()

    mutating func add(_ progress: Progress) {
        samples = samples.plus(progress.samples)
        losses.main += progress.loss
        losses.auxiliary += progress.auxiliaryLoss
        if let histogram = progress.histogram {
            ranks.add(negatives: histogram.negatives, positives: histogram.positives)
        }
    }

    /// How long it is.
    var seconds: Double { began.duration(to: .now) / .seconds(1) }
    /// Cross-entropy a sample.
    var loss: Double { losses.main / Double(samples) }
    /// Auxiliary loss a sample, weighted.
    var auxiliaryLoss: Double { losses.auxiliary / Double(samples) }
    /// Of the predictions, before their update; nil without both classes.
    var auc: Double? { ranks.value }
}
