package import Tensors

/// y = γ∘x̂ + β with x̂ = (x − mean)/√(variance + ε) of each row, the variance biased (Ba and others 2016).
///
/// `standardized` keeps x̂, `inverse` [rows × 1] keeps 1/√(variance + ε).
package func layerNorm(
    _ x: Matrix, gamma: Matrix, beta: Matrix, epsilon: Float, standardized: Matrix, inverse: Matrix, into y: Matrix
) {
    let share = 1 / Float(max(1, x.columns))
    for row in 0..<x.rows {
        let values = x[row]
        let mean = sum(x.columns) { load(values + $0, $1) } * share
        let variance = sum(x.columns) { first, count in
            let d = load(values + first, count) - mean
            return count == 16 ? d * d : masked(d * d, count)
        }
        inverse.base[row] = 1 / (variance * share + epsilon).squareRoot()
        let scale = inverse.base[row]
        let (to, kept) = (y[row], standardized[row])
        for column in 0..<x.columns {
            kept[column] = (values[column] - mean) * scale
            to[column] = kept[column] * gamma.base[column] + beta.base[column]
        }
    }
}

/// Gradients of the layer norm: dγ += Σ dy∘x̂, dβ += Σ dy, and with e = dy∘γ
/// dx = (e − mean(e) − x̂·mean(e∘x̂))/√(variance + ε), means over the row.
package func layerNormBackward(
    _ dy: Matrix, gamma: Matrix, standardized: Matrix, inverse: Matrix, addingTo dGamma: Matrix, _ dBeta: Matrix,
    into dx: Matrix
) {
    let share = 1 / Float(max(1, dy.columns))
    columnBlocks(dy.columns) { block in
        dGamma.add(sumOverRows(dy.rows) { dy.load($0, block) * standardized.load($0, block) }, block)
        dBeta.add(sumOverRows(dy.rows) { dy.load($0, block) }, block)
    }
    for row in 0..<dy.rows {
        let (g, x, to) = (dy[row], standardized[row], dx[row])
        let mean = sum(dy.columns) { load(g + $0, $1) * load(gamma.base + $0, $1) } * share
        let slope = sum(dy.columns) { load(g + $0, $1) * load(gamma.base + $0, $1) * load(x + $0, $1) } * share
        let scale = inverse.base[row]
        for column in 0..<dy.columns {
            to[column] = (g[column] * gamma.base[column] - mean - x[column] * slope) * scale
        }
    }
}

/// Σ over blocks of 16 columns of `value(first, count)`, lanes apart, then their fixed sum.
@inline(__always)
private func sum(_ columns: Int, _ value: (Int, Int) -> Vector) -> Float {
    var total = Vector.zero
    for first in stride(from: 0, to: columns, by: 16) { total += value(first, min(16, columns - first)) }
    return total.sum()
}

/// The first `count` lanes, the others 0.
@inline(__always)
private func masked(_ vector: Vector, _ count: Int) -> Vector {
    var result = vector
    for lane in count..<16 { result[lane] = 0 }
    return result
}
