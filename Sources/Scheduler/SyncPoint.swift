import Telemetry
import Wire

/// A state in which all workers wait, and how far what is done there has come.
struct SyncPoint {
    /// A split that is scored in the state.
    enum Scores {
        /// Workers score, and the book takes what they send.
        case gathering(ScoreBook, split: String)
        /// The thread computes the metrics of a complete book.
        case measuring(split: String)

        var split: String {
            switch self {
            case .gathering(_, let split), .measuring(let split): split
            }
        }
    }

    /// What was decided about the state.
    struct Decision {
        /// Whether the job ends here.
        var stops = false
        /// Whether a checkpoint of the state is waited for.
        var awaitsCheckpoint = false
    }

    let step: Int
    /// Since when what is outstanding now has been.
    var since: ContinuousClock.Instant
    /// What is scored or measured now: the validation split while the state is judged, afterwards the test split.
    var scores: Scores?
    /// What was decided, also where nothing had to be; nil while the state is judged.
    var decision: Decision? = Decision()

    /// Whether it is decided and nothing is outstanding.
    var isSettled: Bool { scores == nil && decision?.awaitsCheckpoint == false }

    /// Takes scores; returns the book when it is complete, whose metrics are outstanding then.
    mutating func take(_ view: ScoresView) throws -> ScoreBook? {
        guard case .gathering(var book, let split) = scores, view.range.split == split else { return nil }
        // The book is held here alone while it grows: it is not copied.
        scores = .measuring(split: split)
        try book.add(first: view.range.first, logits: view.logits, labels: view.labels, keys: view.keys)
        if book.isComplete { return book }
        scores = .gathering(book, split: split)
        return nil
    }
}
