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

    /// What was decided about the state, and what of it has not come yet.
    struct Decision {
        /// Whether the job ends here.
        var stops = false
        /// The test split, while it is scored.
        var test: Scores?
        /// Whether a checkpoint of the state is waited for.
        var awaitsCheckpoint = false

        /// Whether nothing is outstanding.
        var isSettled: Bool { test == nil && !awaitsCheckpoint }
    }

    /// How far it has come.
    enum Stage {
        /// The state is judged by the scores of the validation split.
        case judging(Scores)
        /// It is judged, or need not be.
        case decided(Decision)
    }

    let step: Int
    /// Since when what is outstanding now has been.
    var since: ContinuousClock.Instant
    var stage = Stage.decided(Decision())

    /// What was decided; nil while the state is judged.
    var decision: Decision? {
        get { if case .decided(let decision) = stage { decision } else { nil } }
        set { if let newValue { stage = .decided(newValue) } }
    }

    /// What is scored or measured now.
    var scores: Scores? {
        switch stage {
        case .judging(let scores): scores
        case .decided(let decision): decision.test
        }
    }

    private mutating func set(_ scores: Scores) {
        switch stage {
        case .judging: stage = .judging(scores)
        case .decided: decision?.test = scores
        }
    }

    /// Takes scores; returns the book when it is complete, whose metrics are outstanding then.
    mutating func take(_ view: ScoresView) throws -> ScoreBook? {
        guard case .gathering(var book, let split) = scores, view.range.split == split else { return nil }
        // The book is held here alone while it grows: it is not copied.
        set(.measuring(split: split))
        try book.add(first: view.range.first, logits: view.logits, labels: view.labels, keys: view.keys)
        if book.isComplete { return book }
        set(.gathering(book, split: split))
        return nil
    }
}
