/// How an embedding row starts: a pure function of (seed, table, id, column), whoever asks first and wherever it lives.
package enum RowInitial: Sendable, Hashable {
    /// Normal with mean 0.
    case normal(deviation: Float)
    /// Uniform in ±limit.
    case uniform(limit: Float)
    /// Zero.
    case zero
}
