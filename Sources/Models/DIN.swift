package import Datasets
import Kernels
package import Layers
package import Tensors

/// Deep Interest Network: the target decides what of the history counts (Zhou et al., KDD 2018, equation 3).
///
/// ```
/// u = Σ_t a(e_t, q)·e_t                         a: a small network on [q; e; q−e; q∘e], its output not normalized
/// u = norm(u)·W + b                             optional (`Interest`)
/// v = pool(e₁ … e_L)                            only for the history parts of x
/// x = [user; q; u; context; numeric]            in the order of `input`
/// z = Tower(x) (+ item bias)
/// ```
/// Weights are not normalized over t unless asked: their sum is the intensity of the interest. An empty history gives
/// u = 0 in every mode.
package struct DIN: Model {
    /// Everything that is configured of the model.
    package struct Options: Codable, Sendable, Equatable {
        /// Parts of x in order; default user, target, attention, context, numeric.
        package var input: [InputPart] = [.user, .target, .attention, .context, .numeric]
        /// The attention unit.
        package var attention = AttentionOptions()
        /// What happens to the attention's vector first; default nothing.
        package var interest = Interest.Options()
        /// How the history parts of x are pooled; default sum.
        package var pooling = Pooling.sum
        /// The top network; its activation here is dice by default.
        package var top = Tower.Options(activation: .dice)
        /// Whether the schema's bias fields, rows of width 1, are added to the logit; default false.
        package var itemBias = false
        /// Widths and initial values of the tables.
        package var embedding = EmbeddingOptions()
        /// How the dense weights start; default glorot_uniform.
        package var denseInitial = WeightInitial.glorotUniform

        package enum CodingKeys: String, CodingKey, CaseIterable {
            case input, attention, interest, pooling, top, embedding
            case itemBias = "item_bias"
            case denseInitial = "dense_initial"
        }

        /// The defaults.
        package init() {}

        /// Throws the first setting that makes no sense.
        func validate() throws(ModelError) {
            try top.validate()
            try attention.validate()
            try embedding.validate()
        }
    }

    package let layout: ParameterLayout
    package var tables: [EmbeddingTable] { inputs.tables }
    private let inputs: Inputs
    private let attention: TargetAttention
    private let interest: Interest
    private let pooling: Pooling
    private let top: Tower

    /// Lays out the model for the features of a schema.
    package init(_ options: Options, schema: Schema) throws(ModelError) {
        try options.validate()
        inputs = try Inputs(
            schema, parts: options.input, embedding: options.embedding, attention: { compared, _ in compared },
            itemBias: options.itemBias)
        pooling = options.pooling
        let initial = options.denseInitial.dense
        var layout = ParameterLayout()
        attention = options.attention.layer(width: inputs.comparedWidth, initial: initial, in: &layout)
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

        let q = inputs.targets(of: batch, rows, arena)
        let e = inputs.behaviors(of: batch, rows, arena)
        let a = attention.forward(inputs.compared(q), e, batch.histories, parameters, training: true, key: key, arena)
        let u = interest.forward(a.pooled, parameters, training: true, arena)
        let v = inputs.takesHistory ? batch.pool(e, pooling, arena) : arena.matrix(rows: count, columns: 0)
        let x = inputs.join(batch, rows, target: q, history: v, attention: u.u, arena)
        let biases = inputs.biases(of: batch, rows, arena)
        let step = top.train(
            x, biases: biases, labels: batch.labels.base, logits: z, parameters, into: gradient, key: key, arena)

        let dq = arena.zeros(rows: count, columns: q.columns)
        let du = arena.zeros(rows: count, columns: u.u.columns)
        let dv = arena.zeros(rows: count, columns: v.columns)
        let de = arena.zeros(rows: e.rows, columns: e.columns)
        inputs.split(
            step.dx, batch, target: q, history: v, attention: u.u, rowGradients: rowGradients, dq: dq, dHistory: dv,
            dAttention: du)
        if inputs.takesHistory { batch.unpool(dv, pooling, addingTo: de, arena) }
        let da = interest.backward(du, u, parameters, into: gradient, arena)
        attention.backward(
            da, a, inputs.compared(q), e, batch.histories, parameters, into: gradient, addingTo: inputs.compared(dq),
            de,
            key: key, arena)
        inputs.scatterBiases(step.dz, batch, to: rowGradients)
        inputs.scatterTargets(dq, batch, to: rowGradients)
        inputs.scatterBehaviors(de, batch, to: rowGradients)
        return Losses(clicks: step.loss)
    }

    package func score(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, logits: UnsafeMutablePointer<Float>,
        _ arena: Arena
    ) {
        let count = batch.sampleCount
        let z = Matrix(base: logits, rows: count, columns: 1)
        let q = inputs.targets(of: batch, rows, arena)
        let e = inputs.behaviors(of: batch, rows, arena)
        let a = attention.forward(inputs.compared(q), e, batch.histories, parameters, training: false, key: 0, arena)
        let u = interest.forward(a.pooled, parameters, training: false, arena).u
        let v = inputs.takesHistory ? batch.pool(e, pooling, arena) : arena.matrix(rows: count, columns: 0)
        let x = inputs.join(batch, rows, target: q, history: v, attention: u, arena)
        top.score(x, biases: inputs.biases(of: batch, rows, arena), logits: z, parameters, arena)
    }
}
