package import Tensors

/// Scaled dot-product attention of the behaviors of a session to one another, all sessions of a micro-batch, head by head
/// (Vaswani and others 2017, equation 1; DSIN, equation 4).
///
/// Heads are blocks of columns. Keys stand in the lanes: of a session's keys and values a transposed copy is made, so
/// that scores, probabilities and their gradients of one query are whole vectors however narrow a head is. Only valid
/// behaviors exist; a query that may attend to none (`excludesSelf`, one behavior) gets zero.
package struct SelfAttention: BitwiseCopyable {
    /// [positions × d].
    package let q: Matrix
    /// [positions × d].
    package let k: Matrix
    /// [positions × d].
    package let v: Matrix
    /// [sessions + 1]: where each session begins.
    package let offsets: UnsafePointer<Int32>
    /// How many sessions.
    package let sessions: Int
    /// How many heads; divides d.
    package let heads: Int
    /// What scores are multiplied by.
    package let scale: Float
    /// Whether a behavior does not attend to itself.
    package let excludesSelf: Bool

    /// An attention over views that the caller keeps alive.
    package init(
        q: Matrix, k: Matrix, v: Matrix, offsets: UnsafePointer<Int32>, sessions: Int, heads: Int, scale: Float,
        excludesSelf: Bool
    ) {
        self.q = q
        self.k = k
        self.v = v
        self.offsets = offsets
        self.sessions = sessions
        self.heads = heads
        self.scale = scale
        self.excludesSelf = excludesSelf
    }

    private var width: Int { q.columns / heads }

    /// Lanes of a session's row of probabilities: its length, rounded up to whole vectors.
    private static func lanes(_ count: Int) -> Int { (count + 15) & ~15 }

    /// Floats that `forward` keeps: a row of lanes for each query and head.
    package var keptCount: Int {
        var count = 0
        for session in 0..<sessions { count += length(session) * heads * SelfAttention.lanes(length(session)) }
        return count
    }

    /// Floats of scratch that either pass needs.
    package var scratchCount: Int {
        var longest = 0
        for session in 0..<sessions { longest = max(longest, length(session)) }
        return (4 * q.columns + 1) * SelfAttention.lanes(longest)
    }

    private func length(_ session: Int) -> Int { Int(offsets[session + 1] - offsets[session]) }

    // MARK: Forward

    /// out = softmax(scale·q·kᵀ)·v within each session and head; `kept` takes the probabilities.
    package func forward(into out: Matrix, kept: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
        var probabilities = kept
        for session in 0..<sessions {
            let (first, length) = (Int(offsets[session]), length(session))
            let lanes = SelfAttention.lanes(length)
            let (keys, values) = (scratch, scratch + q.columns * lanes)
            transpose(k, first, length, lanes, into: keys)
            transpose(v, first, length, lanes, into: values)
            for head in 0..<heads {
                for query in 0..<length {
                    let row = head * width
                    score(q[first + query] + row, keys + row * lanes, query, length, lanes, into: probabilities)
                    let to = out[first + query] + row
                    for column in 0..<width {
                        to[column] = product(probabilities, values + (row + column) * lanes, lanes)
                    }
                    probabilities += lanes
                }
            }
        }
    }

    /// The probabilities of one query; lanes beyond the session are 0.
    @inline(__always)
    private func score(
        _ q: UnsafePointer<Float>, _ keys: UnsafePointer<Float>, _ query: Int, _ length: Int, _ lanes: Int,
        into p: UnsafeMutablePointer<Float>
    ) {
        var top = -Float.infinity
        for first in stride(from: 0, to: lanes, by: 16) {
            var sum = Vector.zero
            for column in 0..<width { sum += load(keys + column * lanes + first, 16) * q[column] }
            sum = hide(sum * scale, first, query, length, by: -Float.infinity)
            store(sum, p + first, 16)
            top = max(top, sum.max())
        }
        guard top > -Float.infinity else {
            for lane in 0..<lanes { p[lane] = 0 }
            return
        }
        var total = Vector.zero
        for first in stride(from: 0, to: lanes, by: 16) {
            let e = hide(exponential(load(p + first, 16) - top), first, query, length, by: 0)
            store(e, p + first, 16)
            total += e
        }
        let inverse = 1 / total.sum()
        for first in stride(from: 0, to: lanes, by: 16) { store(load(p + first, 16) * inverse, p + first, 16) }
    }

    /// Sets the lanes of keys that do not exist or are not to be seen.
    @inline(__always)
    private func hide(_ vector: Vector, _ first: Int, _ query: Int, _ length: Int, by value: Float) -> Vector {
        var result = vector
        if first + 16 > length { for lane in max(0, length - first)..<16 { result[lane] = value } }
        if excludesSelf, query >= first, query < first + 16 { result[query - first] = value }
        return result
    }

    // MARK: Backward

    /// Gradients by q, k and v, set.
    ///
    /// dp = dout·vᵀ, ds = scale·p∘(dp − Σ p·dp), dq = ds·k, dk = dsᵀ·q, dv = pᵀ·dout.
    package func backward(
        _ dOut: Matrix, kept: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>, into dq: Matrix, _ dk: Matrix,
        _ dv: Matrix
    ) {
        var probabilities = kept
        let d = q.columns
        for session in 0..<sessions {
            let (first, length) = (Int(offsets[session]), length(session))
            let lanes = SelfAttention.lanes(length)
            let (keys, values) = (scratch, scratch + d * lanes)
            let (dKeys, dValues) = (scratch + 2 * d * lanes, scratch + 3 * d * lanes)
            let ds = scratch + 4 * d * lanes
            transpose(k, first, length, lanes, into: keys)
            transpose(v, first, length, lanes, into: values)
            dKeys.update(repeating: 0, count: 2 * d * lanes)
            for head in 0..<heads {
                let row = head * width
                for query in 0..<length {
                    let g = dOut[first + query] + row
                    scoreBackward(g, values + row * lanes, probabilities, lanes, into: ds)
                    let (from, to) = (q[first + query] + row, dq[first + query] + row)
                    for column in 0..<width {
                        let place = (row + column) * lanes
                        to[column] = product(ds, keys + place, lanes)
                        for block in stride(from: 0, to: lanes, by: 16) {
                            let (dKey, dValue) = (dKeys + place + block, dValues + place + block)
                            store(load(dKey, 16) + load(ds + block, 16) * from[column], dKey, 16)
                            store(load(dValue, 16) + load(probabilities + block, 16) * g[column], dValue, 16)
                        }
                    }
                    probabilities += lanes
                }
            }
            for position in 0..<length {
                let (toKey, toValue) = (dk[first + position], dv[first + position])
                for column in 0..<d {
                    toKey[column] = dKeys[column * lanes + position]
                    toValue[column] = dValues[column * lanes + position]
                }
            }
        }
    }

    @inline(__always)
    private func scoreBackward(
        _ g: UnsafePointer<Float>, _ values: UnsafePointer<Float>, _ p: UnsafePointer<Float>, _ lanes: Int,
        into ds: UnsafeMutablePointer<Float>
    ) {
        var weighted = Vector.zero
        for first in stride(from: 0, to: lanes, by: 16) {
            var sum = Vector.zero
            for column in 0..<width { sum += load(values + column * lanes + first, 16) * g[column] }
            store(sum, ds + first, 16)
            weighted += sum * load(p + first, 16)
        }
        let mean = weighted.sum()
        for first in stride(from: 0, to: lanes, by: 16) {
            store((load(ds + first, 16) - mean) * load(p + first, 16) * scale, ds + first, 16)
        }
    }

    // MARK: Lanes

    /// Σ a·b over whole vectors.
    @inline(__always)
    private func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ lanes: Int) -> Float {
        var sum = Vector.zero
        for first in stride(from: 0, to: lanes, by: 16) { sum += load(a + first, 16) * load(b + first, 16) }
        return sum.sum()
    }

    /// Column c of the session's rows in lanes `c * lanes` and on; lanes without a row are 0.
    private func transpose(
        _ x: Matrix, _ first: Int, _ length: Int, _ lanes: Int, into target: UnsafeMutablePointer<Float>
    ) {
        target.update(repeating: 0, count: x.columns * lanes)
        for position in 0..<length {
            let from = x[first + position]
            for column in 0..<x.columns { target[column * lanes + position] = from[column] }
        }
    }
}
