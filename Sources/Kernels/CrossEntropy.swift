package import Tensors

/// Binary cross-entropy on logits: Σ max(z, 0) − z·y + ln(1 + e^−|z|), in double, and dz = σ(z) − y.
///
/// z and dz are [samples × 1].
package func crossEntropy(_ z: Matrix, labels: UnsafePointer<Float>, gradient dz: Matrix) -> Double {
    var total = 0.0
    for first in stride(from: 0, to: z.rows, by: 16) {
        let count = min(16, z.rows - first)
        let x = load(z.base + first, count)
        let y = load(labels + first, count)
        let losses = losses(x, y)
        for lane in 0..<count { total += Double(losses[lane]) }
        store(logistic(x) - y, dz.base + first, count)
    }
    return total
}

/// max(z, 0) − z·y + ln(1 + e^−|z|).
@inline(__always)
private func losses(_ z: Vector, _ y: Vector) -> Vector {
    let tail = logarithmOfOnePlus(exponential(-z.replacing(with: -z, where: z .< 0)))
    return z.replacing(with: 0, where: z .< 0) - z * y + tail
}

/// Σ w·(max(z, 0) − z·y + ln(1 + e^−|z|)), in double, and dz = w·(σ(z) − y): the first `positives` rows have y = 1, the
/// others 0.
package func weightedCrossEntropy(_ z: Matrix, weights: Matrix, positives: Int, gradient dz: Matrix) -> Double {
    var total = 0.0
    for label: Float in [1, 0] {
        let rows = label == 1 ? 0..<positives : positives..<z.rows
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
            let count = min(16, rows.upperBound - first)
            let (x, w) = (load(z.base + first, count), load(weights.base + first, count))
            let losses = losses(x, Vector(repeating: label)) * w
            for lane in 0..<count { total += Double(losses[lane]) }
            store((logistic(x) - label) * w, dz.base + first, count)
        }
    }
    return total
}
