import Kernels
import Tensors
import Testing

@testable import Models

/// Three histories of lengths 3, 0 and 2 over four behaviors; four samples, two of which share a history.
private struct Ragged {
    let of: [Int32] = [0, 1, 0, 2]
    let offsets: [Int32] = [0, 3, 3, 5]
    let behavior: [Int32] = [0, 1, 0, 2, 3]

    func with<Result>(_ body: (Histories) -> Result) -> Result {
        of.withUnsafeBufferPointer { of in
            offsets.withUnsafeBufferPointer { offsets in
                behavior.withUnsafeBufferPointer { behavior in
                    guard let a = of.baseAddress, let b = offsets.baseAddress, let c = behavior.baseAddress else {
                        preconditionFailure("the columns are not empty")
                    }
                    return body(Histories(samples: 4, count: 3, of: a, offsets: b, behavior: c))
                }
            }
        }
    }
}

@Suite struct GradientTests {
    @Test("dense: gradients equal central differences")
    func dense() {
        var layout = ParameterLayout()
        let layer = Dense("d", input: 5, output: 19, in: &layout)
        let check = FiniteDifferences(layout)
        let x = check.arena.waves(rows: 6, columns: 5, 1)
        check.check([x]) { [layer.run(x, $0, $1)] }
    }

    @Test("activations: gradients equal central differences", arguments: Activation.Kind.allCases, [3, 18])
    func activations(kind: Activation.Kind, width: Int) {
        var layout = ParameterLayout()
        let layer = Activation("a", width: width, kind: kind, in: &layout)
        let check = FiniteDifferences(layout)
        let x = check.arena.waves(rows: 7, columns: width, 1)
        check.check([x], samples: 7) { [layer.run(x, $0, $1)] }
    }

    @Test("batch norm: gradients equal central differences", arguments: [true, false])
    func norm(ofBatch: Bool) {
        var layout = ParameterLayout()
        let layer = BatchNorm("n", width: 21, kind: ofBatch ? .batch : .constant, in: &layout)
        let check = FiniteDifferences(layout)
        let x = check.arena.waves(rows: 6, columns: 21, 2)
        check.check([x], samples: 6) { [layer.run(x, $0, $1)] }
    }

    @Test("pooling over ragged histories: gradients equal central differences", arguments: Pooling.allCases)
    func pooling(kind: Pooling) {
        let check = FiniteDifferences(ParameterLayout())
        let e = check.arena.waves(rows: 4, columns: 5, 1)
        Ragged().with { histories in
            check.check([e]) { pass, above in
                let (y, de) = (pass.matrix(rows: 3, columns: 5), pass.zeros(like: e))
                pool(e, histories, mean: kind == .mean, into: y)
                if let dy = above(y) { poolBackward(dy, histories, mean: kind == .mean, addingTo: de) }
                return [de]
            }
        }
    }

    @Test(
        "target attention, factored and ragged: gradients equal central differences",
        arguments: AttentionNormalization.allCases, [Activation.Kind.sigmoid, .dice])
    func attention(normalization: AttentionNormalization, activation: Activation.Kind) {
        var layout = ParameterLayout()
        let layer = TargetAttention(
            "t", width: 4, hidden: [6, 3], activation: activation, normalization: normalization, dropout: 0.2,
            in: &layout)
        let check = FiniteDifferences(layout)
        let q = check.arena.waves(rows: 4, columns: 4, 1)
        let e = check.arena.waves(rows: 4, columns: 4, 2)
        Ragged().with { histories in
            check.check([q, e], key: 3) { pass, above in
                let (q, e) = (pass.variable(q), pass.variable(e))
                layer.run(q, e, histories, pass, above)
                return [q.gradient, e.gradient]
            }
        }
    }

    @Test("cross-entropy on logits: the loss is its formula, its gradient σ(z) − y, also far out")
    func crossEntropyGradient() {
        let arena = Arena()
        let z = arena.matrix(rows: 37, columns: 1)
        let dz = arena.matrix(rows: 37, columns: 1)
        var labels = [Float](repeating: 0, count: 37)
        for index in 0..<37 {
            z.base[index] = Float(index - 18) * 5
            labels[index] = index % 3 == 0 ? 1 : 0
        }
        let loss = crossEntropy(z, labels: labels, gradient: dz)
        var expected = 0.0
        for index in 0..<37 {
            let magnitude = Double(z.base[index].magnitude)
            var (power, tail) = (1.0, 0.0)
            for k in 1...40 {
                // ln(1 + e^−m) by its series; at 0 it is ln 2.
                power *= magnitude == 0 ? 0 : reciprocalExponential(magnitude)
                tail += (k % 2 == 1 ? 1 : -1) * power / Double(k)
            }
            if magnitude == 0 { tail = 0.693_147_180_559_945_3 }
            expected += max(0, Double(z.base[index])) - Double(z.base[index]) * Double(labels[index]) + tail
            let p =
                z.base[index] >= 0
                ? 1 / (1 + reciprocalExponential(magnitude)) : 1 - 1 / (1 + reciprocalExponential(magnitude))
            #expect(abs(Double(dz.base[index]) - (p - Double(labels[index]))) < 1e-6)
        }
        #expect(abs(loss - expected) < 1e-5 * expected)
    }

    /// e^−m for m ≥ 0, by its series in pieces of 1/8.
    private func reciprocalExponential(_ m: Double) -> Double {
        let pieces = Int(m * 8) + 1
        let r = -m / Double(pieces)
        var (term, sum) = (1.0, 1.0)
        for k in 1..<16 {
            term *= r / Double(k)
            sum += term
        }
        return (0..<pieces).reduce(1.0) { value, _ in value * sum }
    }
}
