package import Datasets
import Kernels
package import Layers
package import Tensors

/// Deep Session Interest Network: a history is sessions, homogeneous inside and different from one another (Feng et al.,
/// IJCAI 2019).
///
/// ```
/// Q_k = e's of session k + bias encoding           sessions are cut at pauses, the newest K are kept
/// I_k = mean_t(Transformer(Q_k))                   session interests, weights shared by all sessions
/// H_1 … H_K = Bi-LSTM(I_1 … I_K)                   interests that know their neighbors
/// U_I = Σ_k softmax_k(I_k·W_I·q)·I_k,   U_H = Σ_k softmax_k(H_k·W_H·q)·H_k
/// x = [user; q; U_I; U_H; context; numeric]        in the order of `input`, the attention part being [U_I; U_H]
/// z = Tower(x) (+ item bias)
/// ```
/// Transformer and Bi-LSTM are computed once for every distinct history, whatever the number of its candidates. Without a
/// session U_I = U_H = 0.
package struct DSIN: Model {
    /// How histories are cut.
    package struct SessionOptions: Codable, Sendable, Equatable {
        /// Seconds of a pause that a session survives; default 1800.
        package var gap = 1800
        /// Newest sessions that are kept; default 5.
        package var count = 5
        /// Newest behaviors of a session that are kept; default 10.
        package var length = 10

        package enum CodingKeys: String, CodingKey, CaseIterable { case gap, count, length }

        /// The defaults.
        package init() {}
    }

    /// Everything that is configured of the model.
    package struct Options: Codable, Sendable, Equatable {
        /// Parts of x in order; default user, target, attention (U_I and U_H), context, numeric.
        package var input: [InputPart] = [.user, .target, .attention, .context, .numeric]
        /// How histories are cut into sessions.
        package var sessions = SessionOptions()
        /// What a behavior's place adds to it; default bias.
        package var position = PositionEncoding.Kind.bias
        /// The session interest extractor.
        package var transformer = Transformer.Options()
        /// The interest interacting layer.
        package var interacting = BidirectionalLSTM.Options()
        /// The two interest activating layers.
        package var attention = DSIN.defaultAttention
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
            case input, sessions, position, transformer, interacting, attention, pooling, top, embedding
            case itemBias = "item_bias"
            case denseInitial = "dense_initial"
        }

        /// The defaults.
        package init() {}
    }

    private static var defaultAttention: InterestAttention.Options {
        var attention = InterestAttention.Options()
        attention.hidden = [64, 16]
        return attention
    }

    package let layout: ParameterLayout
    package let needs: BatchNeeds
    package var tables: [EmbeddingTable] { inputs.tables }
    private let inputs: Inputs
    private let extractor: SessionInterests
    private let pooling: Pooling
    private let top: Tower

    /// Lays out the model for the features of a schema.
    package init(_ options: Options, schema: Schema) throws(ModelError) {
        try options.validate()
        inputs = try Inputs(
            schema, parts: options.input, embedding: options.embedding, takesWholeBehaviors: true,
            attention: { options.attentionWidth(behavior: $1) }, itemBias: options.itemBias)
        try options.validate(width: inputs.behaviorWidth, compared: inputs.comparedWidth)
        pooling = options.pooling
        needs = BatchNeeds(
            sessions: SessionRule(
                gap: Int64(options.sessions.gap), count: options.sessions.count, length: options.sessions.length))
        let initial = options.denseInitial.dense
        var layout = ParameterLayout()
        extractor = SessionInterests(options, inputs, in: &layout, initial: initial)
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
        let u = extractor.forward(q, e, batch, parameters, training: true, key: key, arena)
        let v =
            inputs.takesHistory ? batch.pool(inputs.compared(e), pooling, arena) : arena.matrix(rows: count, columns: 0)
        let x = inputs.join(batch, rows, target: q, history: v, attention: u.y, arena)
        let biases = inputs.biases(of: batch, rows, arena)
        let step = top.train(
            x, biases: biases, labels: batch.labels.base, logits: z, parameters, into: gradient, key: key, arena)

        let dq = arena.zeros(rows: count, columns: q.columns)
        let du = arena.zeros(rows: count, columns: u.y.columns)
        let dv = arena.zeros(rows: count, columns: v.columns)
        let de = arena.zeros(rows: e.rows, columns: e.columns)
        inputs.split(
            step.dx, batch, target: q, history: v, attention: u.y, rowGradients: rowGradients, dq: dq, dHistory: dv,
            dAttention: du)
        if inputs.takesHistory { batch.unpool(dv, pooling, addingTo: inputs.compared(de), arena) }
        extractor.backward(du, u, q, batch, parameters, into: gradient, addingTo: dq, de, key: key, arena)
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
        let u = extractor.forward(q, e, batch, parameters, training: false, key: 0, arena)
        let v =
            inputs.takesHistory ? batch.pool(inputs.compared(e), pooling, arena) : arena.matrix(rows: count, columns: 0)
        let x = inputs.join(batch, rows, target: q, history: v, attention: u.y, arena)
        top.score(x, biases: inputs.biases(of: batch, rows, arena), logits: z, parameters, arena)
    }
}
