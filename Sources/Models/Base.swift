package import Datasets
import Kernels
package import Layers
package import Tensors

/// The paper's baseline: embed, pool the history, join, and a multi-layer perceptron (DIN paper, 4.2).
///
/// ```
/// v = pool(e₁ … e_L)                        sum or mean; an empty history gives 0
/// v = norm(v)·W + b                         optional (`Interest`)
/// x = [user; q; v; context; numeric]        in the order of `input`, products on demand
/// z = Tower(x) (+ item bias)
/// ```
/// A history is pooled once for all its candidates. The target plays no part in the pooling: that is what DIN changes.
package struct Base: Model {
    /// Everything that is configured of the baseline.
    package struct Options: Codable, Sendable, Equatable {
        /// Parts of x in order; default user, target, history, context, numeric.
        ///
        /// Add `history_product` (q∘v) to compare with a DIN that has it: the published code gives the product to DIN
        /// alone (the original code).
        package var input: [InputPart] = [.user, .target, .history, .context, .numeric]
        /// How a history becomes one vector; default mean.
        package var pooling = Pooling.mean
        /// What happens to the pooled history first; default nothing.
        package var interest = Interest.Options()
        /// The top network.
        package var top = Tower.Options()
        /// Whether the schema's bias fields, rows of width 1, are added to the logit; default false.
        package var itemBias = false
        /// Widths and initial values of the tables.
        package var embedding = EmbeddingOptions()
        /// How the dense weights start; default glorot_uniform.
        package var denseInitial = WeightInitial.glorotUniform

        package enum CodingKeys: String, CodingKey, CaseIterable {
            case input, pooling, interest, top, embedding
            case itemBias = "item_bias"
            case denseInitial = "dense_initial"
        }

        /// The defaults.
        package init() {}

        /// Throws the first setting that makes no sense.
        func validate() throws(ModelError) {
            try top.validate()
            try embedding.validate()
        }
    }

    package let layout: ParameterLayout
    package var tables: [EmbeddingTable] { inputs.tables }
    private let inputs: Inputs
    private let pooling: Pooling
    private let interest: Interest
    private let top: Tower

    /// Lays out the model for the features of a schema.
    package init(_ options: Options, schema: Schema) throws(ModelError) {
        try options.validate()
        inputs = try Inputs(
            schema, parts: options.input, embedding: options.embedding, attention: nil, itemBias: options.itemBias)
        pooling = options.pooling
        let initial = options.denseInitial.dense
        var layout = ParameterLayout()
        interest = Interest(width: inputs.comparedWidth, options.interest, initial: initial, in: &layout)
        top = Tower(input: inputs.width, options.top, initial: initial, in: &layout)
        self.layout = layout
    }

    package func train(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, into gradient: DenseVector,
        rowGradients: RowBlocks, logits: UnsafeMutablePointer<Float>, key: UInt64, _ arena: Arena
    ) -> Losses {
        gradient.clear()
        rowGradients.clear()
        let count = batch.sampleCount
        let z = Matrix(base: logits, rows: count, columns: 1)
        let none = arena.matrix(rows: count, columns: 0)

        let q = inputs.targets(of: batch, rows, arena)
        let e = inputs.behaviors(of: batch, rows, arena)
        let v = inputs.takesHistory ? batch.pool(e, pooling, arena) : none
        let u = interest.forward(v, parameters, training: true, arena)
        let x = inputs.join(batch, rows, target: q, history: u.u, attention: none, arena)
        let biases = inputs.biases(of: batch, rows, arena)
        let step = top.train(
            x, biases: biases, labels: batch.labels.base, logits: z, parameters, into: gradient, key: key, arena)

        let dq = arena.zeros(rows: count, columns: q.columns)
        let du = arena.zeros(rows: count, columns: v.columns)
        inputs.split(
            step.dx, batch, target: q, history: u.u, attention: none, rowGradients: rowGradients, dq: dq, dHistory: du,
            dAttention: none)
        inputs.scatterBiases(step.dz, batch, to: rowGradients)
        inputs.scatterTargets(dq, batch, to: rowGradients)
        if inputs.takesHistory {
            let dv = interest.backward(du, u, parameters, into: gradient, arena)
            let de = arena.zeros(rows: e.rows, columns: e.columns)
            batch.unpool(dv, pooling, addingTo: de, arena)
            inputs.scatterBehaviors(de, batch, to: rowGradients)
        }
        return Losses(clicks: step.loss)
    }

    package func score(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, logits: UnsafeMutablePointer<Float>,
        _ arena: Arena
    ) {
        let z = Matrix(base: logits, rows: batch.sampleCount, columns: 1)
        let none = arena.matrix(rows: batch.sampleCount, columns: 0)
        let q = inputs.targets(of: batch, rows, arena)
        let e = inputs.behaviors(of: batch, rows, arena)
        let v = inputs.takesHistory ? batch.pool(e, pooling, arena) : none
        let u = interest.forward(v, parameters, training: false, arena).u
        let x = inputs.join(batch, rows, target: q, history: u, attention: none, arena)
        top.score(x, biases: inputs.biases(of: batch, rows, arena), logits: z, parameters, arena)
    }
}
