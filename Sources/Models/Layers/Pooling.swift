import Kernels
import Tensors

/// How a history becomes one vector.
enum Pooling: String, Choice {
    /// Σ e.
    case sum
    /// Σ e / length; an empty history gives 0.
    case mean

    /// The pooled vector of every distinct history, [H × d].
    func forward(_ e: Matrix, _ histories: Histories, _ arena: Arena) -> Matrix {
        let y = arena.matrix(rows: histories.count, columns: e.columns)
        pool(e, histories, mean: self == .mean, into: y)
        return y
    }

    /// de += the gradients of the pooled vectors, [H × d].
    func backward(_ dy: Matrix, _ histories: Histories, addingTo de: Matrix) {
        poolBackward(dy, histories, mean: self == .mean, addingTo: de)
    }
}
