package import Tensors

/// Mean and (biased) variance of every column of x, each [1 × columns]: two passes, x has at least one row.
package func columnMoments(of x: Matrix, mean: Matrix, variance: Matrix) {
    assert(x.rows > 0 && mean.columns == x.columns && variance.columns == x.columns)
    let scale = 1 / Float(x.rows)
    columnBlocks(x.columns) { block in
        let m = sumOverRows(x.rows) { x.load($0, block) } * scale
        let v = sumOverRows(x.rows) { row in
            let d = x.load(row, block) - m
            return d * d
        }
        mean.store(m, 0, block)
        variance.store(v * scale, 0, block)
    }
}

/// 1 / √(x + ε), element by element.
package func inverseRoots(of x: Matrix, epsilon: Float, into y: Matrix) {
    for row in 0..<x.rows {
        for column in 0..<x.columns { y[row, column] = 1 / (x[row, column] + epsilon).squareRoot() }
    }
}

/// y = (x − mean) · inverse, column by column; x̂ of batch norm and of Dice.
package func standardize(_ x: Matrix, mean: Matrix, inverse: Matrix, into y: Matrix) {
    columnBlocks(x.columns) { block in
        let m = mean.load(0, block)
        let i = inverse.load(0, block)
        for row in 0..<x.rows { y.store((x.load(row, block) - m) * i, row, block) }
    }
}

/// y = x · scale + shift, column by column.
package func affine(_ x: Matrix, scale: Matrix, shift: Matrix, into y: Matrix) {
    columnBlocks(x.columns) { block in
        let s = scale.load(0, block)
        let b = shift.load(0, block)
        for row in 0..<x.rows { y.store((x.load(row, block) * s) + b, row, block) }
    }
}

/// Gradients of batch norm y = x̂·γ + β: dγ += Σ dy·x̂, dβ += Σ dy, and dx.
///
/// dx = γ·inverse·(dy − mean(dy) − x̂·mean(dy·x̂)) where the statistics are of the rows themselves (`ofRows`), else
/// γ·inverse·dy.
package func normBackward(
    _ dy: Matrix, standardized x: Matrix, gamma: Matrix, inverse: Matrix, ofRows: Bool, addingTo dGamma: Matrix,
    _ dBeta: Matrix, into dx: Matrix
) {
    let scale = dy.rows > 0 ? 1 / Float(dy.rows) : 0
    columnBlocks(dy.columns) { block in
        let a = sumOverRows(dy.rows) { dy.load($0, block) }
        let b = sumOverRows(dy.rows) { dy.load($0, block) * x.load($0, block) }
        dBeta.add(a, block)
        dGamma.add(b, block)
        let g = gamma.load(0, block) * inverse.load(0, block)
        let meanA = ofRows ? a * scale : Vector.zero
        let meanB = ofRows ? b * scale : Vector.zero
        for row in 0..<dy.rows {
            let d = dy.load(row, block) - meanA - x.load(row, block) * meanB
            dx.store(d * g, row, block)
        }
    }
}
