/// How an embedding row starts: a pure function of (seed, table, id, column), whoever asks first and wherever the row lives.
package enum InitialValue: Sendable, Hashable {
    /// Normal with mean 0.
    case normal(deviation: Float)
    /// Uniform in ±limit.
    case uniform(limit: Float)
    /// Zero.
    case zero
}
