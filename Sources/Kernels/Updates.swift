/// One step of an optimizer over `count` weights, element by element; g is the mean gradient.
///
/// No element depends on another (but for the row-wise sum), so the result is the same however a span is cut.

/// SGD: w −= rate·g.
package func updateSGD(_ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, count: Int, rate: Float) {
    for i in 0..<count { w[i] -= rate * g[i] }
}

/// Heavy ball (Polyak 1964): v = momentum·v + g, w −= rate·v; with Nesterov's look-ahead w −= rate·(g + momentum·v).
package func updateMomentum(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ velocity: UnsafeMutablePointer<Float>, count: Int,
    rate: Float, momentum: Float, nesterov: Bool
) {
    for i in 0..<count {
        velocity[i] = momentum * velocity[i] + g[i]
        w[i] -= rate * (nesterov ? g[i] + momentum * velocity[i] : velocity[i])
    }
}

/// Adagrad of Duchi, Hazan and Singer 2011: sum += g², w −= rate·g / (√sum + epsilon).
package func updateAdagrad(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ sum: UnsafeMutablePointer<Float>, count: Int,
    rate: Float, epsilon: Float
) {
    for i in 0..<count {
        sum[i] += g[i] * g[i]
        w[i] -= rate * g[i] / (root(sum[i]) + epsilon)
    }
}

/// Adagrad with one accumulator a row: sum += mean of g², w −= rate·g / (√sum + epsilon).
package func updateAdagradRowwise(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ sum: UnsafeMutablePointer<Float>, count: Int,
    rate: Float, epsilon: Float
) {
    var squares: Float = 0
    for i in 0..<count { squares += g[i] * g[i] }
    sum[0] += squares / Float(count)
    let step = rate / (root(sum[0]) + epsilon)
    for i in 0..<count { w[i] -= step * g[i] }
}

/// Adam (Kingma and Ba 2015): w −= rate·(m / correction1) / (√(v / correction2) + epsilon), corrections 1 − βᵗ.
package func updateAdam(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
    _ v: UnsafeMutablePointer<Float>, count: Int, rate: Float, beta1: Float, beta2: Float, epsilon: Float,
    correction1: Float, correction2: Float
) {
    for i in 0..<count {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i]
        w[i] -= rate * (m[i] / correction1) / (root(v[i] / correction2) + epsilon)
    }
}

/// FTRL-proximal of McMahan and others 2013, per coordinate: z += g − (√n′ − √n)/α·w, w = 0 where |z| ≤ λ₁.
package func updateFTRL(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ z: UnsafeMutablePointer<Float>,
    _ n: UnsafeMutablePointer<Float>, count: Int, alpha: Float, beta: Float, l1: Float, l2: Float
) {
    for i in 0..<count {
        let squares = n[i] + g[i] * g[i]
        let rooted = root(squares)
        z[i] += g[i] - (rooted - root(n[i])) / alpha * w[i]
        n[i] = squares
        let size = abs(z[i])
        let shrunk = z[i] < 0 ? size - l1 : l1 - size
        w[i] = size <= l1 ? 0 : shrunk / ((beta + rooted) / alpha + l2)
    }
}

/// √x of a sum of squares.
///
/// `max` shows the compiler that x is not negative; else every lane asks, for the sake of `errno`, and none is a vector.
@inline(__always)
private func root(_ x: Float) -> Float { max(x, 0).squareRoot() }
