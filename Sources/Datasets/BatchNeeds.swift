package import Tensors

/// What a model asks of its micro-batches beyond ids and histories.
package struct BatchNeeds: Sendable, Hashable {
    /// The law of the behaviors that training compares with the true next one (DIEN's auxiliary loss); nil for none.
    package var negatives: NegativeLaw?
    /// How histories are cut into sessions (DSIN); nil keeps them whole.
    package var sessions: SessionRule?
    /// Whether samples and behaviors come with their times (BST).
    package var times: Bool

    /// Nothing, unless told.
    package init(negatives: NegativeLaw? = nil, sessions: SessionRule? = nil, times: Bool = false) {
        self.negatives = negatives
        self.sessions = sessions
        self.times = times
    }

    /// Whether the dataset has to have times.
    package var readsTimes: Bool { times || sessions != nil }
}
