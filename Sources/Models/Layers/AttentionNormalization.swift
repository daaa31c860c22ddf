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

    private func scale(_ width: Int) -> Float {
        self == .softmaxScaled || self == .sigmoid ? 1 / Float(width).squareRoot() : 1
    }

    /// The weights of the scores, [pairs × 1] both.
    func weights(of scores: Matrix, width: Int, _ histories: Histories, _ pass: Pass) -> Matrix {
        let weights = pass.matrix(rows: scores.rows, columns: 1)
        switch self {
        case .none: return scores
        case .softmax, .softmaxScaled: segmentSoftmax(scores, scale: scale(width), histories, into: weights)
        case .sigmoid:
            let scaled = pass.matrix(rows: 1, columns: scores.rows)
            for pair in 0..<scores.rows { scaled.base[pair] = scores.base[pair] * scale(width) }
            logistic(scaled, into: Matrix(base: weights.base, rows: 1, columns: scores.rows))
        }
        return weights
    }

    /// The gradient of the scores, in place of that of the weights.
    func backward(_ d: Matrix, weights: Matrix, width: Int, _ histories: Histories) {
        switch self {
        case .none: break
        case .softmax, .softmaxScaled: segmentSoftmaxBackward(d, output: weights, scale: scale(width), histories)
        case .sigmoid:
            for pair in 0..<d.rows {
                let weight = weights.base[pair]
                d.base[pair] *= weight * (1 - weight) * scale(width)
            }
        }
    }
}
