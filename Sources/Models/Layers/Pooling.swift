import Kernels
import Tensors

/// How a history becomes one vector.
enum Pooling: String, Choice {
    /// Σ e.
    case sum
    /// Σ e / length; an empty history gives 0.
    case mean
}

/// Sets y to Σ weight·e over the pairs of every sample; returns the gradient of the weights, and adds to that of e.
func weightedPool(
    _ e: Variable, _ histories: Histories, weights: Matrix, into y: Matrix, _ pass: Pass, _ above: Above
) -> Matrix? {
    weightedPool(e.value, histories, weights: weights, into: y)
    guard let dy = above(y), let de = e.gradient else { return nil }
    let dWeights = pass.matrix(rows: weights.rows, columns: 1)
    weightedPoolBackward(dy, e.value, histories, weights: weights, addingTo: de, into: dWeights)
    return dWeights
}
