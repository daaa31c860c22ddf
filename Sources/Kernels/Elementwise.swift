package import Tensors

/// y = x.
package func copy(_ x: Matrix, into y: Matrix) {
    for row in 0..<y.rows { y[row].update(from: x[row], count: y.columns) }
}

/// y = a∘b.
package func multiply(_ a: Matrix, _ b: Matrix, into y: Matrix) {
    columnBlocks(y.columns) { block in
        for row in 0..<y.rows { y.store(a.load(row, block) * b.load(row, block), row, block) }
    }
}

/// y += a.
package func add(_ a: Matrix, to y: Matrix) {
    for row in 0..<y.rows {
        let (from, to) = (a[row], y[row])
        for column in 0..<y.columns { to[column] += from[column] }
    }
}

/// y += a∘b.
package func addProduct(_ a: Matrix, _ b: Matrix, to y: Matrix) {
    for row in 0..<y.rows {
        let (left, right, to) = (a[row], b[row], y[row])
        for column in 0..<y.columns { to[column] += left[column] * right[column] }
    }
}

/// y = a + b or a − b, for small parameter matrices.
package func combine(_ a: Matrix, _ b: Matrix, sign: Float, into y: Matrix) {
    for row in 0..<y.rows {
        let (left, right, to) = (a[row], b[row], y[row])
        for column in 0..<y.columns { to[column] = left[column] + sign * right[column] }
    }
}

/// y += factor·a.
package func add(_ a: Matrix, times factor: Float, to y: Matrix) {
    for row in 0..<y.rows {
        let (from, to) = (a[row], y[row])
        for column in 0..<y.columns { to[column] += factor * from[column] }
    }
}
