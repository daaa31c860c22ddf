import Kernels
package import Tensors

/// How a history becomes one vector.
package enum Pooling: String, Choice {
    /// Σ e.
    case sum
    /// Σ e / length; an empty history gives 0.
    case mean
}

/// The pooled vector of every distinct history, [H × d].
package func pool(_ e: Matrix, _ histories: Histories, _ pooling: Pooling, _ arena: Arena) -> Matrix {
    let y = arena.matrix(rows: histories.count, columns: e.columns)
    Kernels.pool(e, histories, mean: pooling == .mean, into: y)
    return y
}

/// de += the gradients of the pooled vectors, [H × d].
package func unpool(_ dy: Matrix, _ histories: Histories, _ pooling: Pooling, addingTo de: Matrix) {
    poolBackward(dy, histories, mean: pooling == .mean, addingTo: de)
}
