package import Tensors

/// y[h] = Σ of the rows of e that history h holds, times 1/length when `mean`; an empty history gives 0.
package func pool(_ e: Matrix, _ histories: Histories, mean: Bool, into y: Matrix) {
    clear(y)
    for history in 0..<histories.count {
        let positions = histories.positions(of: history)
        let to = y[history]
        for position in positions {
            let from = e[Int(histories.behavior[position])]
            for column in 0..<e.columns { to[column] += from[column] }
        }
        guard mean, positions.count > 1 else { continue }
        let scale = 1 / Float(positions.count)
        for column in 0..<e.columns { to[column] *= scale }
    }
}

/// de[behavior] += dy[h], times 1/length when `mean`, for every position.
package func poolBackward(_ dy: Matrix, _ histories: Histories, mean: Bool, addingTo de: Matrix) {
    for history in 0..<histories.count {
        let positions = histories.positions(of: history)
        let scale = mean && positions.count > 1 ? 1 / Float(positions.count) : 1
        let from = dy[history]
        for position in positions {
            let to = de[Int(histories.behavior[position])]
            for column in 0..<de.columns { to[column] += scale * from[column] }
        }
    }
}

/// Calls `body` for every pair in order: with its number, its sample, and the row of its behavior.
@inline(__always)
private func eachPair(_ histories: Histories, _ body: (_ pair: Int, _ sample: Int, _ row: Int) -> Void) {
    var pair = 0
    for sample in 0..<histories.samples {
        for position in histories.positions(ofSample: sample) {
            body(pair, sample, Int(histories.behavior[position]))
            pair += 1
        }
    }
}

/// y[s] = Σ over the pairs of sample s of weight·e[behavior]; weights is [pairs × 1].
package func weightedPool(_ e: Matrix, _ histories: Histories, weights: Matrix, into y: Matrix) {
    clear(y)
    eachPair(histories) { pair, sample, row in
        let (from, to, weight) = (e[row], y[sample], weights.base[pair])
        for column in 0..<e.columns { to[column] += weight * from[column] }
    }
}

/// Gradients of the weighted pooling: de[behavior] += weight·dy[s], and dWeights = dy[s]·e[behavior].
package func weightedPoolBackward(
    _ dy: Matrix, _ e: Matrix, _ histories: Histories, weights: Matrix, addingTo de: Matrix, into dWeights: Matrix
) {
    eachPair(histories) { pair, sample, row in
        let (g, from, to, weight) = (dy[sample], e[row], de[row], weights.base[pair])
        for column in 0..<e.columns { to[column] += weight * g[column] }
        dWeights.base[pair] = dot(g, from, e.columns)
    }
}

/// Σ aᵢ·bᵢ in 16 lanes and their fixed sum.
@inline(__always)
func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var sum = Vector.zero
    var index = 0
    while index + 16 <= count {
        sum += load(a + index, 16) * load(b + index, 16)
        index += 16
    }
    var total = sum.sum()
    while index < count {
        total += a[index] * b[index]
        index += 1
    }
    return total
}

/// y[pair] = q[s]∘e[behavior], [pairs × d].
package func pairProducts(_ q: Matrix, _ e: Matrix, _ histories: Histories, into y: Matrix) {
    eachPair(histories) { pair, sample, row in
        let (target, from, to) = (q[sample], e[row], y[pair])
        for column in 0..<y.columns { to[column] = target[column] * from[column] }
    }
}

/// y[pair] = a[s] + b[behavior], [pairs × h].
package func pairSums(_ a: Matrix, _ b: Matrix, _ histories: Histories, into y: Matrix) {
    eachPair(histories) { pair, sample, row in
        let (target, from, to) = (a[sample], b[row], y[pair])
        for column in 0..<y.columns { to[column] = target[column] + from[column] }
    }
}

/// Gradients of the pair sums: da[s] += dy[pair], db[behavior] += dy[pair].
package func pairSumsBackward(_ dy: Matrix, _ histories: Histories, addingTo da: Matrix, _ db: Matrix) {
    eachPair(histories) { pair, sample, row in
        let (from, left, right) = (dy[pair], da[sample], db[row])
        for column in 0..<dy.columns {
            left[column] += from[column]
            right[column] += from[column]
        }
    }
}

/// Gradients of the pair products: dq[s] += dy∘e[behavior], de[behavior] += dy∘q[s].
package func pairProductsBackward(
    _ dy: Matrix, _ q: Matrix, _ e: Matrix, _ histories: Histories, addingTo dq: Matrix, _ de: Matrix
) {
    eachPair(histories) { pair, sample, row in
        let (target, left) = (q[sample], dq[sample])
        let (from, other, right) = (dy[pair], e[row], de[row])
        for column in 0..<dy.columns {
            left[column] += from[column] * other[column]
            right[column] += from[column] * target[column]
        }
    }
}

/// Softmax over the pairs of each sample: y = e^(k·x − max) / Σ; a sample without pairs has none.
///
/// x and y are [pairs × 1].
package func segmentSoftmax(_ x: Matrix, scale: Float, _ histories: Histories, into y: Matrix) {
    var first = 0
    for sample in 0..<histories.samples {
        let count = histories.positions(ofSample: sample).count
        defer { first += count }
        guard count > 0 else { continue }
        let (from, to) = (x.base + first, y.base + first)
        var top = -Float.infinity
        for index in 0..<count { top = max(top, from[index] * scale) }
        map(from, into: to, count: count) { exponential($0 * scale - top) }
        var sum = Vector.zero
        for index in stride(from: 0, to: count, by: 16) { sum += load(to + index, min(16, count - index)) }
        let inverse = 1 / sum.sum()
        for index in 0..<count { to[index] *= inverse }
    }
}

/// dx = k·y·(dy − Σ y·dy) within each sample, in place of dy.
package func segmentSoftmaxBackward(_ dy: Matrix, output y: Matrix, scale: Float, _ histories: Histories) {
    var first = 0
    for sample in 0..<histories.samples {
        let count = histories.positions(ofSample: sample).count
        let (g, p) = (dy.base + first, y.base + first)
        let mean = dot(g, p, count)
        for index in 0..<count { g[index] = scale * p[index] * (g[index] - mean) }
        first += count
    }
}

/// y[pair] = v[s]·e[behavior], [pairs × 1]: a bilinear score once v = q·Wᵀ stands there.
package func pairScores(_ v: Matrix, _ e: Matrix, _ histories: Histories, into y: Matrix) {
    eachPair(histories) { pair, sample, row in y.base[pair] = dot(v[sample], e[row], e.columns) }
}

/// Gradients of the pair scores: dv[s] += dy·e[behavior], de[behavior] += dy·v[s].
package func pairScoresBackward(
    _ dy: Matrix, _ v: Matrix, _ e: Matrix, _ histories: Histories, addingTo dv: Matrix, _ de: Matrix
) {
    eachPair(histories) { pair, sample, row in
        let (target, left) = (v[sample], dv[sample])
        let (other, right, g) = (e[row], de[row], dy.base[pair])
        for column in 0..<e.columns {
            left[column] += g * other[column]
            right[column] += g * target[column]
        }
    }
}

/// y[s] = mean of the rows `offsets[s]..<offsets[s + 1]` of x; each segment has a row.
package func segmentMeans(of x: Matrix, offsets: UnsafePointer<Int32>, into y: Matrix) {
    clear(y)
    for segment in 0..<y.rows {
        let (first, end) = (Int(offsets[segment]), Int(offsets[segment + 1]))
        let to = y[segment]
        for row in first..<end {
            let from = x[row]
            for column in 0..<x.columns { to[column] += from[column] }
        }
        let share = 1 / Float(max(1, end - first))
        for column in 0..<x.columns { to[column] *= share }
    }
}

/// dx of the means: dy[s] divided by the segment's length, for every row of it.
package func segmentMeansBackward(_ dy: Matrix, offsets: UnsafePointer<Int32>, into dx: Matrix) {
    for segment in 0..<dy.rows {
        let (first, end) = (Int(offsets[segment]), Int(offsets[segment + 1]))
        let (from, share) = (dy[segment], 1 / Float(max(1, end - first)))
        for row in first..<end {
            let to = dx[row]
            for column in 0..<dx.columns { to[column] = from[column] * share }
        }
    }
}
