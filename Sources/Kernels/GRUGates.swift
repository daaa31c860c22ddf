package import Tensors

/// How far a step moves the state: h' = h + w∘(n − h), by what w is (DIEN, section 4.3.3).
package enum GRUMixing: Sendable {
    /// w = u: the GRU, and AIGRU, whose attention scales the input.
    case gate
    /// w = a: AGRU, which has no update gate.
    case attention
    /// w = a·u: AUGRU as the paper writes it.
    case product
    /// w = 1 − (1 − a)(1 − u): AUGRU as the public code computes it.
    case union
}

/// One step of the sequences that are that long: what the pointwise stages read and write.
///
/// Gate columns are u|r|n, or r|n where there is no update gate; `kept` has u|r|n|m (r|n|m) for the backward pass, u being
/// the share of the candidate that is taken and m = h·Un + b the recurrent part of the candidate.
package struct GRUStep {
    /// [n × gates]: x·W of the step's rows.
    package let input: Matrix
    /// [n × gates]: h·U; its candidate part is not read where the reset comes before the product.
    package let recurrent: Matrix
    /// [1 × gates]: b.
    package let bias: Matrix
    /// [1 × gates]: added to h·U, or of no columns.
    package let hiddenBias: Matrix
    /// [n × H]: h.
    package let previous: Matrix
    /// [n × (gates + H)].
    package let kept: Matrix
    /// [n]: a, where the mixing reads it.
    package let attention: UnsafeMutablePointer<Float>
    /// Which w.
    package let mixing: GRUMixing
    /// +1 where u = 1 takes the candidate, −1 where it keeps the state.
    package let sign: Float

    package init(
        input: Matrix, recurrent: Matrix, bias: Matrix, hiddenBias: Matrix, previous: Matrix, kept: Matrix,
        attention: UnsafeMutablePointer<Float>, mixing: GRUMixing, sign: Float
    ) {
        self.input = input
        self.recurrent = recurrent
        self.bias = bias
        self.hiddenBias = hiddenBias
        self.previous = previous
        self.kept = kept
        self.attention = attention
        self.mixing = mixing
        self.sign = sign
    }

    fileprivate var width: Int { previous.columns }
    /// Where the columns of r, n and m begin; those of u begin at 0.
    fileprivate var places: (r: Int, n: Int, m: Int) {
        let first = mixing == .attention ? 0 : width
        return (first, first + width, first + 2 * width)
    }

    /// The gates' sum of biases in a block; `place` is where the gate's columns begin.
    @inline(__always)
    fileprivate func biases(_ place: Int, _ block: ColumnBlock) -> (own: Vector, hidden: Vector) {
        (bias.load(0, place, block), hiddenBias.columns > 0 ? hiddenBias.load(0, place, block) : Vector.zero)
    }
}

extension Matrix {
    /// A block of one row, counted from column `place`.
    @inline(__always)
    func load(_ row: Int, _ place: Int, _ block: ColumnBlock) -> Vector {
        Kernels.load(self[row] + place + block.first, block.count)
    }

    /// Sets a block of one row, counted from column `place`.
    @inline(__always)
    func store(_ vector: Vector, _ row: Int, _ place: Int, _ block: ColumnBlock) {
        Kernels.store(vector, self[row] + place + block.first, block.count)
    }
}

/// w, the share of the candidate, of the gate u and the attention a.
@inline(__always)
private func mix(_ mixing: GRUMixing, _ u: Vector, _ a: Float) -> Vector {
    switch mixing {
    case .gate: u
    case .attention: Vector(repeating: a)
    case .product: u * a
    case .union: 1 - (1 - u) * (1 - a)
    }
}

/// The gates: u = σ(±(x·Wu + h·Uu + b)) and r = σ(x·Wr + h·Ur + b), kept; and r∘h into `resetState` where the reset comes
/// before the candidate's product.
package func gruGates(_ step: GRUStep, resetState: Matrix?) {
    let (r, _, _) = step.places
    columnBlocks(step.width) { block in
        if step.mixing != .attention {
            let bias = step.biases(0, block)
            let b = bias.own + bias.hidden
            for row in 0..<step.previous.rows {
                let x = step.input.load(row, 0, block) + step.recurrent.load(row, 0, block) + b
                step.kept.store(logistic(x * step.sign), row, 0, block)
            }
        }
        let bias = step.biases(r, block)
        let b = bias.own + bias.hidden
        for row in 0..<step.previous.rows {
            let gate = logistic(step.input.load(row, r, block) + step.recurrent.load(row, r, block) + b)
            step.kept.store(gate, row, r, block)
            if let resetState { resetState.store(gate * step.previous.load(row, block), row, block) }
        }
    }
}

/// The candidate n = tanh(x·Wn + b + r∘m), m = h·Un + b', and the state h' = h + w∘(n − h).
///
/// - Parameter candidate: (r∘h)·Un where the reset comes before the product: then n = tanh(x·Wn + b + (r∘h)·Un + b').
package func gruState(_ step: GRUStep, candidate: Matrix?, into state: Matrix) {
    switch step.mixing {
    case .gate: gruState(step, .gate, candidate, state)
    case .attention: gruState(step, .attention, candidate, state)
    case .product: gruState(step, .product, candidate, state)
    case .union: gruState(step, .union, candidate, state)
    }
}

@inline(__always)
private func gruState(_ step: GRUStep, _ mixing: GRUMixing, _ candidate: Matrix?, _ state: Matrix) {
    let (r, n, m) = step.places
    columnBlocks(step.width) { block in
        let bias = step.biases(n, block)
        for row in 0..<step.previous.rows {
            let h = step.previous.load(row, block)
            var x = step.input.load(row, n, block) + bias.own
            if let candidate {
                x += candidate.load(row, block) + bias.hidden
            } else {
                let recurrent = step.recurrent.load(row, n, block) + bias.hidden
                step.kept.store(recurrent, row, m, block)
                x += step.kept.load(row, r, block) * recurrent
            }
            let value = hyperbolicTangent(x)
            step.kept.store(value, row, n, block)
            let u = mixing == .attention ? Vector.zero : step.kept.load(row, 0, block)
            state.store(h + mix(mixing, u, step.attention[row]) * (value - h), row, block)
        }
    }
}

/// Gradients of a step's state `g` by the pre-activations of candidate and update gate, by h (its direct part, set) and
/// by a (added).
///
/// dw = g∘(n − h), dn = g∘w, dh = g∘(1 − w); du and da by w; the tanh and the logistic function in place of their inputs'.
/// The reset gate's part follows in `gruResetBackward`.
package func gruStateBackward(
    _ g: Matrix, _ step: GRUStep, into dInput: Matrix, _ dPrevious: Matrix,
    addingTo dAttention: UnsafeMutablePointer<Float>
) {
    switch step.mixing {
    case .gate: gruStateBackward(g, step, .gate, dInput, dPrevious, dAttention)
    case .attention: gruStateBackward(g, step, .attention, dInput, dPrevious, dAttention)
    case .product: gruStateBackward(g, step, .product, dInput, dPrevious, dAttention)
    case .union: gruStateBackward(g, step, .union, dInput, dPrevious, dAttention)
    }
}

@inline(__always)
private func gruStateBackward(
    _ g: Matrix, _ step: GRUStep, _ mixing: GRUMixing, _ dInput: Matrix, _ dPrevious: Matrix,
    _ dAttention: UnsafeMutablePointer<Float>
) {
    let (_, n, _) = step.places
    columnBlocks(step.width) { block in
        for row in 0..<g.rows {
            let a = step.attention[row]
            let (d, h, value) = (g.load(row, block), step.previous.load(row, block), step.kept.load(row, n, block))
            let u = mixing == .attention ? Vector.zero : step.kept.load(row, 0, block)
            let w = mix(mixing, u, a)
            let dw = d * (value - h)
            dPrevious.store(d - d * w, row, block)
            dInput.store(d * w * (1 - value * value), row, n, block)
            var du = dw
            var da = dw
            switch mixing {
            case .gate: break
            case .attention: du = .zero
            case .product:
                du = dw * a
                da = dw * u
            case .union:
                du = dw * (1 - a)
                da = dw * (1 - u)
            }
            if mixing != .attention { dInput.store(du * u * (1 - u) * step.sign, row, 0, block) }
            if mixing != .gate { dAttention[row] += block.sum(da) }
        }
    }
}

/// The reset gate's gradient where it comes after the product: dr = dn·m, and the recurrent side's gradients, which differ
/// from the input side's by dm = dn·r.
package func gruResetBackward(_ step: GRUStep, dInput: Matrix, into dRecurrent: Matrix) {
    let (r, n, m) = step.places
    columnBlocks(step.width) { block in
        for row in 0..<dInput.rows {
            let (dn, gate) = (dInput.load(row, n, block), step.kept.load(row, r, block))
            let dr = dn * step.kept.load(row, m, block) * gate * (1 - gate)
            dInput.store(dr, row, r, block)
            dRecurrent.store(dr, row, r, block)
            dRecurrent.store(dn * gate, row, n, block)
            if step.mixing != .attention { dRecurrent.store(dInput.load(row, 0, block), row, 0, block) }
        }
    }
}

/// The reset gate's gradient where it comes before the product: from t = dn·Unᵀ, dr = t∘h, and dh += t∘r.
package func gruEarlyResetBackward(_ t: Matrix, _ step: GRUStep, into dInput: Matrix, addingTo dPrevious: Matrix) {
    let (r, _, _) = step.places
    for row in 0..<t.rows {
        let (from, gates, h) = (t[row], step.kept[row] + r, step.previous[row])
        let (dr, dh) = (dInput[row] + r, dPrevious[row])
        for column in 0..<step.width {
            dr[column] = from[column] * h[column] * gates[column] * (1 - gates[column])
            dh[column] += from[column] * gates[column]
        }
    }
}
