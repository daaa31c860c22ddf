package import Tensors

/// y = max(x, 0).
package func relu(_ x: Matrix, into y: Matrix) {
    map(x, into: y) { $0.replacing(with: 0, where: $0 .<= 0) }
}

/// dx = dy where y > 0, else 0.
package func reluBackward(_ dy: Matrix, output y: Matrix, into dx: Matrix) {
    columnBlocks(dy.columns) { block in
        for row in 0..<dy.rows {
            dx.store(dy.load(row, block).replacing(with: 0, where: y.load(row, block) .<= 0), row, block)
        }
    }
}

/// dx = dy·y·(1 − y), the gradient of the logistic function.
package func logisticBackward(_ dy: Matrix, output y: Matrix, into dx: Matrix) {
    columnBlocks(dy.columns) { block in
        for row in 0..<dy.rows {
            let p = y.load(row, block)
            dx.store(dy.load(row, block) * p * (1 - p), row, block)
        }
    }
}

/// y = x where x > 0, else α·x; α is [1 × columns] (DIN, equation 2).
package func prelu(_ x: Matrix, alpha: Matrix, into y: Matrix) {
    columnBlocks(x.columns) { block in
        let a = alpha.load(0, block)
        for row in 0..<x.rows {
            let v = x.load(row, block)
            y.store(v.replacing(with: v * a, where: v .<= 0), row, block)
        }
    }
}

/// Gradients of PReLU: dα += Σ dy·x over x ≤ 0, and dx.
package func preluBackward(_ dy: Matrix, _ x: Matrix, alpha: Matrix, addingTo dAlpha: Matrix, into dx: Matrix) {
    columnBlocks(dy.columns) { block in
        let a = alpha.load(0, block)
        dAlpha.add(
            sumOverRows(dy.rows) { row in
                let v = x.load(row, block)
                return (dy.load(row, block) * v).replacing(with: 0, where: v .> 0)
            }, block)
        for row in 0..<dy.rows {
            let g = dy.load(row, block)
            dx.store(g.replacing(with: g * a, where: x.load(row, block) .<= 0), row, block)
        }
    }
}

/// Dice: y = x·(α + (1 − α)·p), p = σ(x·scale − shift) (DIN, equation 3).
///
/// `scale` = 1/√(variance + ε) and `shift` = mean·scale; p is kept for the backward pass.
package func dice(_ x: Matrix, alpha: Matrix, scale: Matrix, shift: Matrix, p: Matrix, into y: Matrix) {
    columnBlocks(x.columns) { block in
        let (a, s, b) = (alpha.load(0, block), scale.load(0, block), shift.load(0, block))
        for row in 0..<x.rows {
            let v = x.load(row, block)
            let q = logistic(v * s - b)
            p.store(q, row, block)
            y.store(v * (a + (1 - a) * q), row, block)
        }
    }
}

/// Gradients of Dice whose statistics are those of the rows: dα += Σ dy·x·(1 − p), and dx.
///
/// With z the standardized x and dz = dy·x·(1 − α)·p·(1 − p):
/// dx = dy·(α + (1 − α)·p) + scale·(dz − mean(dz) − z·mean(dz·z)); without `ofRows` the means are left out.
package func diceBackward(
    _ dy: Matrix, _ x: Matrix, p: Matrix, alpha: Matrix, scale: Matrix, shift: Matrix, ofRows: Bool,
    addingTo dAlpha: Matrix, into dx: Matrix
) {
    let share = dy.rows > 0 && ofRows ? 1 / Float(dy.rows) : 0
    columnBlocks(dy.columns) { block in
        let (a, s, b) = (alpha.load(0, block), scale.load(0, block), shift.load(0, block))
        let rest = 1 - a
        var sums = (alpha: Vector.zero, first: Vector.zero, second: Vector.zero)
        var row = 0
        while row < dy.rows {
            let end = min(row + 64, dy.rows)
            var part = (alpha: Vector.zero, first: Vector.zero, second: Vector.zero)
            while row < end {
                let (g, v, q) = (dy.load(row, block), x.load(row, block), p.load(row, block))
                let t = g * v * (1 - q)
                part.alpha += t
                let dz = t * rest * q
                part.first += dz
                part.second += dz * (v * s - b)
                row += 1
            }
            sums.alpha += part.alpha
            sums.first += part.first
            sums.second += part.second
        }
        dAlpha.add(sums.alpha, block)
        let (m, n) = (sums.first * share, sums.second * share)
        for row in 0..<dy.rows {
            let (g, v, q) = (dy.load(row, block), x.load(row, block), p.load(row, block))
            let dz = g * v * (1 - q) * rest * q
            let inner = dz - m - (v * s - b) * n
            dx.store(g * (a + rest * q) + s * inner, row, block)
        }
    }
}

/// Gradient by `scale` of Dice with p = σ(x·scale): dScale += Σ dy·x²·(1 − α)·p·(1 − p).
package func diceScaleBackward(_ dy: Matrix, _ x: Matrix, p: Matrix, alpha: Matrix, addingTo dScale: Matrix) {
    columnBlocks(dy.columns) { block in
        let rest = 1 - alpha.load(0, block)
        dScale.add(
            sumOverRows(dy.rows) { row in
                let (v, q) = (x.load(row, block), p.load(row, block))
                return dy.load(row, block) * v * v * rest * q * (1 - q)
            }, block)
    }
}
