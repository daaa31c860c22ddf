import Models
import Tensors
import Wire

/// What a worker counts between two progress messages besides its counters: losses, and predictions by label.
final class ProgressWindow {
    private static let bins = 512
    private static let interval = Duration.milliseconds(250)
    /// Sums of the losses since the last message.
    var losses = Losses(clicks: 0)
    private let negatives = Column<UInt32>()
    private let positives = Column<UInt32>()
    private var since: ContinuousClock.Instant?

    init() { reset(at: nil) }

    /// Whether a message is due; the first use begins the window.
    func isDue(at time: ContinuousClock.Instant) -> Bool {
        guard let since else {
            since = time
            return false
        }
        return since.duration(to: time) > ProgressWindow.interval
    }

    /// Predictions in equal bins of [0, 1], for a running AUC.
    var histogram: ScoreHistogram {
        ScoreHistogram(negatives: Array(negatives.buffer), positives: Array(positives.buffer))
    }

    func reset(at time: ContinuousClock.Instant?) {
        losses = Losses(clicks: 0)
        negatives.fill(ProgressWindow.bins, with: 0)
        positives.fill(ProgressWindow.bins, with: 0)
        since = time
    }

    /// Counts predictions; z / (1 + |z|) is monotone in the logit, which is all that AUC asks for.
    func add(logits: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Float>) {
        for index in 0..<min(logits.count, labels.count) where logits[index].isFinite {
            let place = (logits[index] / (1 + logits[index].magnitude) + 1) / 2
            let bin = min(ProgressWindow.bins - 1, Int(place * Float(ProgressWindow.bins)))
            if labels[index] > 0.5 { positives[bin] += 1 } else { negatives[bin] += 1 }
        }
    }
}
