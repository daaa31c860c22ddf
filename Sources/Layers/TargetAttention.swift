import Kernels
package import Tensors

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
package struct TargetAttention: Sendable {
    /// What backward needs; `pooled` is the result.
    package struct Tape {
        /// Σ weight·e, [samples × d].
        package let pooled: Matrix
        /// [pairs × 1].
        package let weights: Matrix
        let products: Matrix
        let layers: UnsafeMutablePointer<LayerTape>
        let last: Matrix
    }

    /// A hidden layer's input and activation.
    struct LayerTape: BitwiseCopyable {
        let input: Matrix
        let activation: Activation.Tape
    }

    private struct Layer {
        let dense: Dense
        let activation: Activation
    }

    private let width: Int
    private let layers: [Layer]
    private let output: Dense
    private let normalization: AttentionNormalization
    private let dropoutRate: Float

    /// Declares "<name>.0.weight" and so on, "<name>.output".
    ///
    /// - Parameters:
    ///   - width: d, floats of a target or behavior vector.
    ///   - hidden: widths of the hidden layers, at least one.
    ///   - dropout: share of hidden units that a training step drops.
    package init(
        _ name: String, width: Int, hidden: [Int], activation: Activation.Kind, normalization: AttentionNormalization,
        dropout: Float, in layout: inout ParameterLayout, initial: DenseInitial = .glorotUniform
    ) {
        precondition(!hidden.isEmpty, "the attention unit has a hidden layer")
        self.width = width
        self.normalization = normalization
        dropoutRate = dropout
        var input = 4 * width
        var layers: [Layer] = []
        for (number, units) in hidden.enumerated() {
            let dense = Dense("\(name).\(number)", input: input, output: units, in: &layout, initial: initial)
            let unit = Activation("\(name).\(number).activation", width: units, kind: activation, in: &layout)
            layers.append(Layer(dense: dense, activation: unit))
            input = units
        }
        self.layers = layers
        output = Dense("\(name).output", input: input, output: 1, in: &layout, initial: initial)
    }

    // MARK: Forward

    /// The interest of every sample in its target.
    ///
    /// - Parameters:
    ///   - q: targets, [samples × d].
    ///   - e: distinct behaviors, [behaviors × d].
    ///   - key: of dropout's random numbers.
    package func forward(
        _ q: Matrix, _ e: Matrix, _ histories: Histories, _ parameters: DenseVector, training: Bool, key: UInt64,
        _ arena: Arena
    ) -> Tape {
        let tape = weigh(q, e, histories, parameters, training: training, key: key, arena)
        weightedPool(e, histories, weights: tape.weights, into: tape.pooled)
        return tape
    }

    /// The weights alone; `pooled` has room for the interest and is not set.
    package func weigh(
        _ q: Matrix, _ e: Matrix, _ histories: Histories, _ parameters: DenseVector, training: Bool, key: UInt64,
        _ arena: Arena
    ) -> Tape {
        let products = arena.matrix(rows: histories.pairs, columns: width)
        pairProducts(q, e, histories, into: products)
        let tapes = arena.array(of: LayerTape.self, count: layers.count)
        var x = products
        for (number, layer) in layers.enumerated() {
            let z =
                number == 0
                ? firstLayer(q, e, products, histories, parameters, arena)
                : layer.dense.forward(x, parameters, arena)
            let activation = layer.activation.forward(z, parameters, training: training, arena)
            (tapes + number).initialize(to: LayerTape(input: x, activation: activation))
            x = training ? drop(activation.y, number, key, arena) : activation.y
        }
        let scores = output.forward(x, parameters, arena)
        let weights = normalization.weights(of: scores, width: width, histories, arena)
        let pooled = arena.matrix(rows: histories.samples, columns: width)
        return Tape(pooled: pooled, weights: weights, products: products, layers: tapes, last: x)
    }

    private func drop(_ x: Matrix, _ number: Int, _ key: UInt64, _ arena: Arena) -> Matrix {
        guard dropoutRate > 0 else { return x }
        return dropout(x, rate: dropoutRate, key: key, stream: UInt64(0x100 + number), arena)
    }

    /// The four blocks of the first layer's weight (or of its gradient): of q, e, q − e and q∘e.
    private func blocks(_ weight: Matrix) -> (q: Matrix, e: Matrix, difference: Matrix, product: Matrix) {
        (
            weight.rows(0..<width), weight.rows(width..<2 * width), weight.rows(2 * width..<3 * width),
            weight.rows(3 * width..<4 * width)
        )
    }

    private func firstLayer(
        _ q: Matrix, _ e: Matrix, _ products: Matrix, _ histories: Histories, _ parameters: DenseVector, _ arena: Arena
    ) -> Matrix {
        let w = blocks(parameters[layers[0].dense.weight])
        let units = layers[0].dense.weight.columns
        let ofTarget = arena.matrix(rows: width, columns: units)
        let ofBehavior = arena.matrix(rows: width, columns: units)
        combine(w.q, w.difference, sign: 1, into: ofTarget)
        combine(w.e, w.difference, sign: -1, into: ofBehavior)
        let targets = arena.matrix(rows: q.rows, columns: units)
        broadcast(parameters[layers[0].dense.bias], to: targets)
        gemm(q, ofTarget, addingTo: targets)
        let behaviors = arena.matrix(rows: e.rows, columns: units)
        gemm(e, ofBehavior, into: behaviors)
        let z = arena.matrix(rows: products.rows, columns: units)
        pairSums(targets, behaviors, histories, into: z)
        gemm(products, w.product, addingTo: z)
        return z
    }

    // MARK: Backward

    /// dq and de of the gradient of `pooled`, added; so are those of the parameters.
    package func backward(
        _ dPooled: Matrix, _ tape: Tape, _ q: Matrix, _ e: Matrix, _ histories: Histories, _ parameters: DenseVector,
        into gradient: DenseVector, addingTo dq: Matrix, _ de: Matrix, key: UInt64, _ arena: Arena
    ) {
        let dScores = arena.matrix(rows: tape.weights.rows, columns: 1)
        weightedPoolBackward(dPooled, e, histories, weights: tape.weights, addingTo: de, into: dScores)
        backward(
            weights: dScores, tape, q, e, histories, parameters, into: gradient, addingTo: dq, de, key: key, arena)
    }

    /// dq and de of the gradient of the weights [pairs × 1], which is used up, added; so are those of the parameters.
    package func backward(
        weights dScores: Matrix, _ tape: Tape, _ q: Matrix, _ e: Matrix, _ histories: Histories,
        _ parameters: DenseVector, into gradient: DenseVector, addingTo dq: Matrix, _ de: Matrix, key: UInt64,
        _ arena: Arena
    ) {
        normalization.backward(dScores, weights: tape.weights, width: width, histories)
        var dx = output.backward(dScores, x: tape.last, parameters, into: gradient, arena)
        for number in layers.indices.reversed() {
            let (layer, kept) = (layers[number], tape.layers[number])
            let dz = layer.activation.backward(
                drop(dx, number, key, arena), kept.activation, parameters, into: gradient, samples: histories.samples,
                arena)
            if number > 0 {
                dx = layer.dense.backward(dz, x: kept.input, parameters, into: gradient, arena)
            } else {
                firstLayerBackward(dz, tape.products, q, e, histories, parameters, gradient, dq, de, arena)
            }
        }
    }

    private func firstLayerBackward(
        _ dz: Matrix, _ products: Matrix, _ q: Matrix, _ e: Matrix, _ histories: Histories, _ parameters: DenseVector,
        _ gradient: DenseVector, _ dq: Matrix, _ de: Matrix, _ arena: Arena
    ) {
        let units = dz.columns
        let w = blocks(parameters[layers[0].dense.weight])
        let dw = blocks(gradient[layers[0].dense.weight])
        gemm(transposed: products, dz, addingTo: dw.product)
        let dProducts = arena.matrix(rows: products.rows, columns: width)
        gemm(dz, transposed: w.product, into: dProducts)
        pairProductsBackward(dProducts, q, e, histories, addingTo: dq, de)

        let dTargets = arena.zeros(rows: q.rows, columns: units)
        let dBehaviors = arena.zeros(rows: e.rows, columns: units)
        pairSumsBackward(dz, histories, addingTo: dTargets, dBehaviors)
        addRows(of: dTargets, to: gradient[layers[0].dense.bias])
        let dOfTarget = arena.zeros(rows: width, columns: units)
        let dOfBehavior = arena.zeros(rows: width, columns: units)
        gemm(transposed: q, dTargets, addingTo: dOfTarget)
        gemm(transposed: e, dBehaviors, addingTo: dOfBehavior)
        add(dOfTarget, to: dw.q)
        add(dOfBehavior, to: dw.e)
        add(dOfTarget, to: dw.difference)
        add(dOfBehavior, times: -1, to: dw.difference)

        let weight = arena.matrix(rows: width, columns: units)
        combine(w.q, w.difference, sign: 1, into: weight)
        gemm(dTargets, transposed: weight, addingTo: dq)
        combine(w.e, w.difference, sign: -1, into: weight)
        gemm(dBehaviors, transposed: weight, addingTo: de)
    }
}
