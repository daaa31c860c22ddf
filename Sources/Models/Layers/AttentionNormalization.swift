import Kernels
import Tensors

/// What the scores of an attention go through before they weigh the behaviors.
enum AttentionNormalization: String, Choice {
    /// Nothing: the sum of weights is the intensity of the interest (the paper of DIN).
    case none
    /// Softmax over the history.
    case softmax
    /// Softmax of score / √width (the public code of DIN).
    case softmaxScaled = "softmax_scaled"
    /// σ(score / √width), each on its own.
    case sigmoid

    /// The gradient of the scores, of what `above` makes of their weights; [pairs × 1] all.
    func run(_ scores: Matrix, width: Int, _ histories: Histories, _ pass: Pass, _ above: Above) -> Matrix? {
        if self == .none { return above(scores) }
        let scale = self == .softmax ? 1 : 1 / Float(width).squareRoot()
        let weights = pass.matrix(rows: scores.rows, columns: 1)
        guard self == .sigmoid else {
            segmentSoftmax(scores, scale: scale, histories, into: weights)
            let d = above(weights)
            if let d { segmentSoftmaxBackward(d, output: weights, scale: scale, histories) }
            return d
        }
        let scaled = pass.matrix(rows: 1, columns: scores.rows)
        for pair in 0..<scores.rows { scaled.base[pair] = scores.base[pair] * scale }
        logistic(scaled, into: Matrix(base: weights.base, rows: 1, columns: scores.rows))
        guard let d = above(weights) else { return nil }
        for pair in 0..<d.rows {
            let weight = weights.base[pair]
            d.base[pair] *= weight * (1 - weight) * scale
        }
        return d
    }
}
