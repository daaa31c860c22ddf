/// What a job remembers of its evaluations: later ones are compared with it, so it lies in every checkpoint.
///
/// A job that goes on from a checkpoint would otherwise call a worse state the best, or stop early too late.
package struct Judgement: Codable, Sendable, Equatable {
    /// By what states are compared, and on which data: what was judged by something else cannot be compared.
    package var basis: String
    /// The newest state that was judged; nil before the first.
    package var step: Int?
    /// The best state.
    package var bestStep: Int?
    /// Its validation metrics.
    package var best: Metrics?
    /// The test metrics in the best state.
    package var test: Metrics?
    /// Evaluations in a row that brought no gain.
    package var withoutGain = 0
}

extension Judgement {
    /// Nothing judged yet.
    package init(basis: String) { self.init(basis: basis, step: nil) }
}
