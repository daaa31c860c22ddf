package import Tensors

/// Binary cross-entropy on logits: Σ max(z, 0) − z·y + ln(1 + e^−|z|), in double, and dz = σ(z) − y.
///
/// z and dz are [samples × 1].
package func crossEntropy(_ z: Matrix, labels: UnsafePointer<Float>, gradient dz: Matrix) -> Double {
    var total = 0.0
    var first = 0
    while first < z.rows {
        let count = min(16, z.rows - first)
        let x = load(z.base + first, count)
        let y = load(labels + first, count)
        let magnitude = x.replacing(with: -x, where: x .< 0)
        let e = exponential(-magnitude)
        let losses = x.replacing(with: 0, where: x .< 0) - x * y + logarithmOfOnePlus(e)
        for lane in 0..<count { total += Double(losses[lane]) }
        store(logistic(x) - y, dz.base + first, count)
        first += 16
    }
    return total
}
