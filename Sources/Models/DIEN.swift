package import Datasets
import Kernels
package import Layers
package import Tensors

/// Deep Interest Evolution Network: interests as the states of a GRU, and what the target makes of their course (Zhou et
/// al., AAAI 2019).
///
/// ```
/// h_1 … h_L = GRU(e_1 … e_L)               interest extractor; its states have to tell the next behavior: L_aux
/// a_t = softmax_t(h_t·W·q)                 attention of the target
/// o = last of AUGRU(h_1 … h_L; a)          interest evolution: AUGRU, AGRU, AIGRU, or a GRU whose outputs a pools
/// x = [user; q; o; context; numeric]       in the order of `input`
/// z = Tower(x) (+ item bias)               loss = cross-entropy + α·L_aux
/// ```
/// The extractor, the auxiliary loss and the products of the states with the evolution's input weights are computed once for
/// every distinct history, whatever the number of its candidates. An empty history gives o = 0.
package struct DIEN: Model {
    /// Everything that is configured of the model.
    package struct Options: Codable, Sendable, Equatable {
        /// Parts of x in order; default user, target, attention (o), context, numeric.
        package var input: [InputPart] = [.user, .target, .attention, .context, .numeric]
        /// Width and conventions of both GRUs.
        package var gru = GRU.Options()
        /// The attention of the target to the states.
        package var attention = InterestAttention.Options()
        /// How interests evolve; default augru.
        package var evolution = Evolution.augru
        /// How AUGRU joins attention and update gate; default product.
        package var augru = AUGRUForm.product
        /// The loss of the extractor.
        package var auxiliary = AuxiliaryLoss.Options()
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
            case input, gru, attention, evolution, augru, auxiliary, pooling, top, embedding
            case itemBias = "item_bias"
            case denseInitial = "dense_initial"
        }

        /// The defaults.
        package init() {}
    }

    package let layout: ParameterLayout
    package let needs: BatchNeeds
    package var tables: [EmbeddingTable] { inputs.tables }
    private let inputs: Inputs
    private let extractor: GRU
    private let auxiliary: AuxiliaryLoss?
    private let evolution: InterestEvolution
    private let pooling: Pooling
    private let top: Tower
    private let weight: Float

    /// Lays out the model for the features of a schema.
    package init(_ options: Options, schema: Schema) throws(ModelError) {
        try options.validate()
        let hidden = options.gru.hidden
        inputs = try Inputs(
            schema, parts: options.input, embedding: options.embedding, takesWholeBehaviors: true,
            attention: { _, behavior in hidden > 0 ? hidden : behavior }, itemBias: options.itemBias)
        let width = hidden > 0 ? hidden : inputs.behaviorWidth
        try options.attention.validate(width: width, compared: inputs.comparedWidth)
        pooling = options.pooling
        weight = options.auxiliary.weight
        needs = BatchNeeds(negatives: weight > 0 ? options.auxiliary.negatives : nil)
        let initial = options.denseInitial.dense
        var layout = ParameterLayout()
        extractor = GRU(
            "extractor", input: inputs.behaviorWidth, width: width, options.gru, in: &layout, initial: initial)
        auxiliary =
            weight > 0
            ? AuxiliaryLoss(
                "auxiliary", states: width, behaviors: inputs.behaviorWidth, options.auxiliary, in: &layout,
                initial: initial) : nil
        evolution = InterestEvolution(options, width: width, inputs, in: &layout, initial: initial)
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
        let time = TimeMajor(offsets: batch.historyOffsets.base, count: batch.historyCount, arena)
        let h = extractor.forward(
            e, rowOf: batch.positionBehavior.base, attention: nil, time, parameters, arena)
        let states = batch.histories(at: time.rowOf)
        let o = evolution.forward(q, h.states, states, time, parameters, training: true, key: key, arena)
        let v =
            inputs.takesHistory ? batch.pool(inputs.compared(e), pooling, arena) : arena.matrix(rows: count, columns: 0)
        let x = inputs.join(batch, rows, target: q, history: v, attention: o.y, arena)
        let biases = inputs.biases(of: batch, rows, arena)
        let step = top.train(
            x, biases: biases, labels: batch.labels.base, logits: z, parameters, into: gradient, key: key, arena)

        let dq = arena.zeros(rows: count, columns: q.columns)
        let dO = arena.zeros(rows: count, columns: o.y.columns)
        let dv = arena.zeros(rows: count, columns: v.columns)
        let de = arena.zeros(rows: e.rows, columns: e.columns)
        let dStates = arena.zeros(rows: time.rows, columns: h.states.columns)
        inputs.split(
            step.dx, batch, target: q, history: v, attention: o.y, rowGradients: rowGradients, dq: dq, dHistory: dv,
            dAttention: dO)
        if inputs.takesHistory { batch.unpool(dv, pooling, addingTo: inputs.compared(de), arena) }
        evolution.backward(
            dO, o, q, h.states, states, time, parameters, into: gradient, addingTo: dq, dStates, key: key, arena)
        var losses = Losses(clicks: step.loss)
        if let auxiliary {
            losses.auxiliary = auxiliary.train(
                h.states, e, batch.pairs(at: time.rowOf, arena), factor: weight * Float(count), parameters,
                into: gradient, addingTo: dStates, de, arena)
        }
        extractor.backward(dStates, h, e, time, parameters, into: gradient, addingTo: de, nil, arena)
        inputs.scatterBiases(step.dz, batch, to: rowGradients)
        inputs.scatterTargets(dq, batch, to: rowGradients)
        inputs.scatterBehaviors(de, batch, to: rowGradients)
        return losses
    }

    package func score(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, logits: UnsafeMutablePointer<Float>,
        _ arena: Arena
    ) {
        let count = batch.sampleCount
        let z = Matrix(base: logits, rows: count, columns: 1)
        let q = inputs.targets(of: batch, rows, arena)
        let e = inputs.behaviors(of: batch, rows, arena)
        let time = TimeMajor(offsets: batch.historyOffsets.base, count: batch.historyCount, arena)
        let h = extractor.forward(
            e, rowOf: batch.positionBehavior.base, attention: nil, time, parameters, arena)
        let o = evolution.forward(
            q, h.states, batch.histories(at: time.rowOf), time, parameters, training: false, key: 0, arena)
        let v =
            inputs.takesHistory ? batch.pool(inputs.compared(e), pooling, arena) : arena.matrix(rows: count, columns: 0)
        let x = inputs.join(batch, rows, target: q, history: v, attention: o.y, arena)
        top.score(x, biases: inputs.biases(of: batch, rows, arena), logits: z, parameters, arena)
    }
}
