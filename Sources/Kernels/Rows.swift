package import Tensors

/// target[i] = source[index[i]] for every row i of the target, or 0 where the index is negative.
package func gatherRows(of source: Matrix, at index: UnsafePointer<Int32>, into target: Matrix) {
    assert(source.columns == target.columns)
    for row in 0..<target.rows {
        if index[row] < 0 {
            target[row].update(repeating: 0, count: target.columns)
        } else {
            target[row].update(from: source[Int(index[row])], count: target.columns)
        }
    }
}

/// target[index[i]] += source[i] where the index is not negative, rows i in ascending order: the order of additions is
/// that of the batch.
package func scatterAddRows(of source: Matrix, at index: UnsafePointer<Int32>, addingTo target: Matrix) {
    assert(source.columns == target.columns)
    for row in 0..<source.rows where index[row] >= 0 {
        let (from, to) = (source[row], target[Int(index[row])])
        for column in 0..<source.columns { to[column] += from[column] }
    }
}

/// Every row of the target = the one row given.
package func broadcast(_ row: Matrix, to target: Matrix) {
    assert(row.rows == 1 && row.columns == target.columns)
    for i in 0..<target.rows { target[i].update(from: row.base, count: target.columns) }
}

/// sum += Σ rows of x, from the first to the last.
package func addRows(of x: Matrix, to sum: Matrix) {
    assert(sum.rows == 1 && sum.columns == x.columns)
    for row in 0..<x.rows {
        let values = x[row]
        for column in 0..<x.columns { sum.base[column] += values[column] }
    }
}

/// Row i of x times factors[i].
package func scaleRows(of x: Matrix, by factors: UnsafePointer<Float>) {
    for row in 0..<x.rows {
        let (values, factor) = (x[row], factors[row])
        for column in 0..<x.columns { values[column] *= factor }
    }
}

/// sums[i] += x[i]·source[index[i]].
package func rowProducts(
    of x: Matrix, gatheredFrom source: Matrix, at index: UnsafePointer<Int32>,
    addingTo sums: UnsafeMutablePointer<Float>
) {
    for row in 0..<x.rows { sums[row] += dot(x[row], source[Int(index[row])], x.columns) }
}
