import Kernels
import Tensors

/// DIN's activation unit: how much each behavior matters to the target (DIN, figure 2 and equation 3).
///
/// a(e, q) = MLP([q; e; q − e; q∘e]), computed without forming that vector: with the first layer's weight cut into
/// W = [Wq; We; Wd; Wp],
/// ```
/// z = q·(Wq + Wd)  once per sample
///   + e·(We − Wd)  once per distinct behavior
///   + (q∘e)·Wp + b once per pair
/// ```
/// Only real positions are computed: no padding exists that a mask would have to hide.
struct TargetAttention: Sendable {
    private let width: Int
    private let network: Perceptron
    private let normalization: AttentionNormalization

    /// Declares "<name>.0.weight" and so on, "<name>.output".
    ///
    /// - Parameters:
    ///   - width: d, floats of a target or behavior vector.
    ///   - hidden: widths of the hidden layers, at least one.
    ///   - dropout: share of hidden units that a training step drops.
    init(
        _ name: String, width: Int, hidden: [Int], activation: Activation.Kind, normalization: AttentionNormalization,
        dropout: Float, in layout: inout ParameterLayout, initial: DenseInitial = .glorotUniform
    ) {
        precondition(!hidden.isEmpty, "the attention unit has a hidden layer")
        self.width = width
        self.normalization = normalization
        network = Perceptron(
            name, input: 4 * width, hidden: hidden, outputs: 1, activation: activation, dropout: dropout,
            stream: 0x100, in: &layout, initial: initial)
    }

    /// The interest of every sample in its target, Σ weight·e, [samples × d].
    ///
    /// - Parameters:
    ///   - q: targets, [samples × d].
    ///   - e: distinct behaviors, [behaviors × d].
    func run(_ q: Variable, _ e: Variable, _ histories: Histories, _ pass: Pass, _ above: Above) {
        let pooled = pass.matrix(rows: histories.samples, columns: width)
        weigh(q, e, histories, pass) { weightedPool(e, histories, weights: $0, into: pooled, pass, above) }
    }

    /// The weights alone, [pairs × 1]; their gradient is used up.
    func weigh(_ q: Variable, _ e: Variable, _ histories: Histories, _ pass: Pass, _ above: Above) {
        let products = pass.matrix(rows: histories.pairs, columns: width)
        pairProducts(q.value, e.value, histories, into: products)
        let dz = network.run(sums: firstLayer(q.value, e.value, products, histories, pass), pass) { scores in
            normalization.run(scores, width: width, histories, pass, above)
        }
        if let dz { backward(dz, products, q, e, histories, pass) }
    }

    /// The four blocks of the first layer's weight (or of its gradient): of q, e, q − e and q∘e.
    private func blocks(_ weight: Matrix) -> (q: Matrix, e: Matrix, difference: Matrix, product: Matrix) {
        (
            weight.rows(0..<width), weight.rows(width..<2 * width), weight.rows(2 * width..<3 * width),
            weight.rows(3 * width..<4 * width)
        )
    }

    private func firstLayer(
        _ q: Matrix, _ e: Matrix, _ products: Matrix, _ histories: Histories, _ pass: Pass
    ) -> Matrix {
        let w = blocks(pass.parameters[network.first.weight])
        let units = network.first.weight.columns
        let ofTarget = pass.matrix(rows: width, columns: units)
        let ofBehavior = pass.matrix(rows: width, columns: units)
        combine(w.q, w.difference, sign: 1, into: ofTarget)
        combine(w.e, w.difference, sign: -1, into: ofBehavior)
        let targets = pass.matrix(rows: q.rows, columns: units)
        broadcast(pass.parameters[network.first.bias], to: targets)
        gemm(q, ofTarget, addingTo: targets)
        let behaviors = pass.matrix(rows: e.rows, columns: units)
        gemm(e, ofBehavior, into: behaviors)
        let z = pass.matrix(rows: products.rows, columns: units)
        pairSums(targets, behaviors, histories, into: z)
        gemm(products, w.product, addingTo: z)
        return z
    }

    /// Adds the gradients by q, e and the first layer, of that of its sums.
    private func backward(
        _ dz: Matrix, _ products: Matrix, _ q: Variable, _ e: Variable, _ histories: Histories, _ pass: Pass
    ) {
        guard let dq = q.gradient, let de = e.gradient else { return }
        let (q, e) = (q.value, e.value)
        let units = dz.columns
        let w = blocks(pass.parameters[network.first.weight])
        let dw = blocks(pass.gradient[network.first.weight])
        gemm(transposed: products, dz, addingTo: dw.product)
        let dProducts = pass.matrix(rows: products.rows, columns: width)
        gemm(dz, transposed: w.product, into: dProducts)
        pairProductsBackward(dProducts, q, e, histories, addingTo: dq, de)

        let dTargets = pass.zeros(rows: q.rows, columns: units)
        let dBehaviors = pass.zeros(rows: e.rows, columns: units)
        pairSumsBackward(dz, histories, addingTo: dTargets, dBehaviors)
        addRows(of: dTargets, to: pass.gradient[network.first.bias])
        let dOfTarget = pass.zeros(rows: width, columns: units)
        let dOfBehavior = pass.zeros(rows: width, columns: units)
        gemm(transposed: q, dTargets, addingTo: dOfTarget)
        gemm(transposed: e, dBehaviors, addingTo: dOfBehavior)
        add(dOfTarget, to: dw.q)
        add(dOfBehavior, to: dw.e)
        add(dOfTarget, to: dw.difference)
        add(dOfBehavior, times: -1, to: dw.difference)

        let weight = pass.matrix(rows: width, columns: units)
        combine(w.q, w.difference, sign: 1, into: weight)
        gemm(dTargets, transposed: weight, addingTo: dq)
        combine(w.e, w.difference, sign: -1, into: weight)
        gemm(dBehaviors, transposed: weight, addingTo: de)
    }
}
