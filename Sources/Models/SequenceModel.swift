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

    /// Sets the logits z, and hands them to `above`; returns the network's own loss.
    private func run(
        _ s: Scene, _ rows: RowBlocks, rowGradients: RowBlocks?, logits z: Matrix, _ pass: Pass, _ above: Above
    ) -> Double {
        let none = pass.variable(pass.matrix(rows: z.rows, columns: 0))
        guard attends else {
            finish(Parts(history: none, attention: none), s, rows, rowGradients, z, pass, above)
            return 0
        }
        return network.run(s, pass) { y in
            let y = pass.variable(y)
            if pools {
                s.batch.pool(s.comparedBehaviors, pooling, pass) { v in
                    let v = pass.variable(v)
                    finish(Parts(history: v, attention: y), s, rows, rowGradients, z, pass, above)
                    return v.gradient
                }
            } else {
                let isHistory = Network.part == .history
                let parts = Parts(history: isHistory ? y : none, attention: isHistory ? none : y)
                finish(parts, s, rows, rowGradients, z, pass, above)
            }
            return y.gradient
        }
    }

    /// From the parts of x to the logits, and back.
    private func finish(
        _ parts: Parts, _ s: Scene, _ rows: RowBlocks, _ rowGradients: RowBlocks?, _ z: Matrix, _ pass: Pass,
        _ above: Above
    ) {
        let x = inputs.join(s, rows, parts, pass)
        let dx = top.run(x, biases: inputs.biases(of: s.batch, rows, pass), logits: z, pass, above)
        if let dx, let rowGradients { inputs.split(dx, s, parts, rowGradients: rowGradients) }
    }

    func train(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, into gradient: DenseVector,
        rowGradients: RowBlocks, logits: UnsafeMutablePointer<Float>, key: UInt64, _ arena: Arena
    ) -> Losses {
        gradient.clear()
        rowGradients.clear()
        let count = batch.sampleCount
        let pass = Pass(training: count, parameters, into: gradient, key: key, arena)
        let s = inputs.scene(of: batch, rows, pass)
        let z = Matrix(base: logits, rows: count, columns: 1)
        let dz = pass.matrix(like: z)
        var losses = Losses(clicks: 0)
        losses.auxiliary = run(s, rows, rowGradients: rowGradients, logits: z, pass) { z in
            losses.clicks = crossEntropy(z, labels: batch.labels.base, gradient: dz)
            return dz
        }
        inputs.scatter(s, biases: dz, to: rowGradients)
        return losses
    }

    func score(
        _ batch: MicroBatch, rows: RowBlocks, _ parameters: DenseVector, logits: UnsafeMutablePointer<Float>,
        _ arena: Arena
    ) {
        let pass = Pass(scoring: batch.sampleCount, parameters, arena)
        let z = Matrix(base: logits, rows: batch.sampleCount, columns: 1)
        _ = run(inputs.scene(of: batch, rows, pass), rows, rowGradients: nil, logits: z, pass) { _ in nil }
    }
}
