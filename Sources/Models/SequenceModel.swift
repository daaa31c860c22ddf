import Datasets
import Kernels
import Tensors

/// The frame of every model: embeddings in, interests by a network, joined columns through the top network, one logit.
///
/// ```
/// q, e = rows of targets and behaviors            `Inputs`
/// y = network(q, e)                               what the paper is about: `InterestNetwork`
/// v = pool(e₁ … e_L)                              only for the history parts of x
/// x = [user; q; v; y; context; numeric]           in the order of `input`
/// z = Tower(x) (+ item bias)                      loss = Σ l(z, label) (+ the network's own)
/// ```
struct SequenceModel<Network: InterestNetwork>: Model {
    /// What a forward pass leaves for the way back.
    private struct Run {
        let parts: Parts
        let network: Network.Tape?
        let top: Tower.Tape
    }

    let layout: ParameterLayout
    var tables: [EmbeddingTable] { inputs.tables }
    var needs: BatchNeeds { network.needs }
    private let inputs: Inputs
    private let network: Network
    private let pooling: Pooling
    private let top: Tower

    /// Lays out the model for the features of a schema.
    init(_ options: FramedOptions<Network>, schema: Schema) throws(ModelError) {
        try options.validate()
        let attends = Network.part == .attention
        inputs = try Inputs(
            schema, options.frame, takesWholeBehaviors: Network.takesWholeBehaviors,
            attention: attends ? { Network.width(options, compared: $0, behavior: $1) } : nil)
        let initial = options.frame.denseInitial.dense
        var layout = ParameterLayout()
        network = try Network(options, inputs, in: &layout, initial: initial)
        pooling = options.frame.pooling
        top = Tower(input: inputs.width, options.frame.top, initial: initial, in: &layout)
        self.layout = layout
    }

    /// Whether the network is part of x.
    private var attends: Bool { Network.part == .attention || inputs.takesHistory }
    /// Whether the pooled history is part of x, and not the network's own.
    private var pools: Bool { Network.part == .attention && inputs.takesHistory }

    private func forward(_ s: Scene, _ rows: RowBlocks, logits: Matrix, _ pass: Pass) -> Run {
        let none = pass.matrix(rows: s.batch.sampleCount, columns: 0)
        let (y, tape) = attends ? network.forward(s, pass) : (none, nil)
        let v = pools ? s.batch.pool(s.comparedBehaviors, pooling, pass) : none
        let parts = Network.part == .attention ? Parts(history: v, attention: y) : Parts(history: y, attention: none)
        let x = inputs.join(s, rows, parts, pass)
        let top = top.forward(x, biases: inputs.biases(of: s.batch, rows, pass), logits: logits, pass)
        return Run(parts: parts, network: tape, top: top)
    }

    func train(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, into gradient: DenseVector,
        rowGradients: RowBlocks, logits: UnsafeMutablePointer<Float>, key: UInt64, _ arena: Arena
    ) -> Losses {
        gradient.clear()
        rowGradients.clear()
        let count = batch.sampleCount
        let pass = Pass(training: count, parameters, into: gradient, key: key, arena)
        let z = Matrix(base: logits, rows: count, columns: 1)
        let s = inputs.scene(of: batch, rows, pass)
        let run = forward(s, rows, logits: z, pass)

        let dz = pass.matrix(rows: count, columns: 1)
        var losses = Losses(clicks: crossEntropy(z, labels: batch.labels.base, gradient: dz))
        let dx = top.backward(dz, run.top, pass)
        let (d, dParts) = (s.zeros(pass), run.parts.zeros(pass))
        inputs.split(dx, s, run.parts, rowGradients: rowGradients, addingTo: d, dParts)
        if pools { batch.unpool(dParts.history, pooling, addingTo: d.comparedBehaviors, pass) }
        if let tape = run.network {
            let dy = Network.part == .attention ? dParts.attention : dParts.history
            losses.auxiliary = network.backward(dy, tape, s, addingTo: d, pass)
        }
        inputs.scatter(d, biases: dz, to: rowGradients)
        return losses
    }

    func score(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, logits: UnsafeMutablePointer<Float>,
        _ arena: Arena
    ) {
        let pass = Pass(scoring: batch.sampleCount, parameters, arena)
        let z = Matrix(base: logits, rows: batch.sampleCount, columns: 1)
        _ = forward(inputs.scene(of: batch, rows, pass), rows, logits: z, pass)
    }
}
