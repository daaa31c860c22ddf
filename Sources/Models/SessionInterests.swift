import Datasets
import Kernels
import Layers
import Tensors

/// DSIN between embeddings and top network: sessions to interests, interests to neighbors, and what the target makes of
/// both.
struct SessionInterests: Sendable {
    /// What backward needs; `y` is the result.
    struct Tape {
        /// [U_I; U_H] of every sample, or U_I alone.
        let y: Matrix
        let queries: Matrix
        let keys: Matrix
        let transformer: Transformer.Tape
        let interests: Matrix
        let interacting: BidirectionalLSTM.Tape?
        let ofInterests: InterestAttention.Tape
        let ofInteracting: InterestAttention.Tape?
        let sessions: Sessions
        let histories: Histories
    }

    private let position: PositionEncoding
    private let transformer: Transformer
    private let interacting: BidirectionalLSTM?
    private let attention: InterestAttention
    private let interacted: InterestAttention?
    private let width: Int

    /// Declares "position.…", "transformer.…", "interacting.…", "attention.…" and "interacted.…".
    init(_ options: DSIN.Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial) {
        width = inputs.behaviorWidth
        let target = options.attention.targetWidth(of: inputs)
        position = PositionEncoding(
            "position", kind: options.position, width: width, sessions: options.sessions.count,
            length: options.sessions.length, in: &layout)
        transformer = Transformer("transformer", width: width, options.transformer, in: &layout, initial: initial)
        attention = InterestAttention(
            "attention", width: width, target: target, options.attention, in: &layout, initial: initial)
        guard options.interacting.layers > 0 else {
            (interacting, interacted) = (nil, nil)
            return
        }
        let lstm = BidirectionalLSTM("interacting", width: width, options.interacting, in: &layout, initial: initial)
        interacting = lstm
        interacted = InterestAttention(
            "interacted", width: lstm.outputs, target: target, options.attention, in: &layout, initial: initial)
    }

    /// The vectors of all samples, of whole targets q and distinct behaviors e.
    func forward(
        _ q: Matrix, _ e: Matrix, _ batch: MicroBatch, _ parameters: DenseVector, training: Bool, key: UInt64,
        _ arena: Arena
    ) -> Tape {
        let sessions = Sessions(
            histories: batch.historyCount, count: batch.sessionCount, offsets: batch.sessionOffsets.base,
            ofHistory: batch.historySessions.base)
        let histories = batch.sessionsAsHistories(arena)
        let x = arena.matrix(rows: batch.positionCount, columns: width)
        gatherRows(of: e, at: batch.positionBehavior.base, into: x)
        let (queries, keys) = position.forward(x, sessions, parameters, arena)
        let states = transformer.forward(
            queries: queries, keys: keys, offsets: sessions.offsets, sessions: sessions.count, parameters,
            training: training, key: key, arena)
        let interests = arena.matrix(rows: sessions.count, columns: width)
        segmentMeans(of: states.y, offsets: sessions.offsets, into: interests)
        let neighbors = interacting?.forward(
            interests, offsets: sessions.ofHistory, count: sessions.histories, parameters, training: training,
            key: key, arena)

        let query = attention.query(of: q)
        let y = arena.matrix(rows: q.rows, columns: width + (interacting?.outputs ?? 0))
        let first = attention.forward(query, interests, histories, parameters, training: training, key: key, arena)
        weightedPool(interests, histories, weights: first.weights, into: y.columns(0..<width))
        var second: InterestAttention.Tape?
        if let interacted, let neighbors {
            let tape = interacted.forward(
                query, neighbors.y, histories, parameters, training: training, key: key ^ 1, arena)
            weightedPool(neighbors.y, histories, weights: tape.weights, into: y.columns(width..<y.columns))
            second = tape
        }
        return Tape(
            y: y, queries: queries, keys: keys, transformer: states, interests: interests, interacting: neighbors,
            ofInterests: first, ofInteracting: second, sessions: sessions, histories: histories)
    }

    /// Gradients by targets and behaviors of the gradient of the vectors, added; those of the parameters too.
    func backward(
        _ dy: Matrix, _ tape: Tape, _ q: Matrix, _ batch: MicroBatch, _ parameters: DenseVector,
        into gradient: DenseVector, addingTo dq: Matrix, _ de: Matrix, key: UInt64, _ arena: Arena
    ) {
        let histories = tape.histories
        let (query, dQuery) = (attention.query(of: q), attention.query(of: dq))
        let dInterests = arena.zeros(rows: tape.sessions.count, columns: width)
        let dWeights = arena.matrix(rows: histories.pairs, columns: 1)
        weightedPoolBackward(
            dy.columns(0..<width), tape.interests, histories, weights: tape.ofInterests.weights, addingTo: dInterests,
            into: dWeights)
        attention.backward(
            dWeights, tape.ofInterests, query, tape.interests, histories, parameters, into: gradient, addingTo: dQuery,
            dInterests, key: key, arena)
        if let interacting, let interacted, let neighbors = tape.interacting, let kept = tape.ofInteracting {
            let dNeighbors = arena.zeros(rows: tape.sessions.count, columns: interacting.outputs)
            weightedPoolBackward(
                dy.columns(width..<dy.columns), neighbors.y, histories, weights: kept.weights, addingTo: dNeighbors,
                into: dWeights)
            interacted.backward(
                dWeights, kept, query, neighbors.y, histories, parameters, into: gradient, addingTo: dQuery,
                dNeighbors, key: key ^ 1, arena)
            add(
                interacting.backward(dNeighbors, neighbors, parameters, into: gradient, key: key, arena), to: dInterests
            )
        }
        let dStates = arena.matrix(rows: batch.positionCount, columns: width)
        segmentMeansBackward(dInterests, offsets: tape.sessions.offsets, into: dStates)
        let dQueries = arena.zeros(rows: batch.positionCount, columns: width)
        let dKeys = position.isSplit ? arena.zeros(rows: batch.positionCount, columns: width) : dQueries
        transformer.backward(
            dStates, tape.transformer, queries: tape.queries, keys: tape.keys, parameters, into: gradient,
            addingTo: dQueries, dKeys, key: key, arena)
        position.backward(queries: dQueries, keys: dKeys, tape.sessions, into: gradient)
        if position.isSplit { add(dKeys, to: dQueries) }
        scatterAddRows(of: dQueries, at: batch.positionBehavior.base, addingTo: de)
    }
}

extension DSIN.Options {
    /// Columns of [U_I; U_H].
    func attentionWidth(behavior: Int) -> Int {
        guard interacting.layers > 0 else { return behavior }
        return interacting.merge == .concat ? 3 * behavior : 2 * behavior
    }

    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try top.validate()
        try embedding.validate()
        try attention.validate()
        try check(sessions.gap >= 0, "sessions.gap", sessions.gap, "seconds, 0 or more")
        try check((1...1000).contains(sessions.count), "sessions.count", sessions.count, "1 to 1000")
        try check((1...1000).contains(sessions.length), "sessions.length", sessions.length, "1 to 1000")
        try check((1...4096).contains(transformer.heads), "transformer.heads", transformer.heads, "1 to 4096")
        try check(
            (1...64).contains(transformer.feedForward), "transformer.feed_forward", transformer.feedForward, "1 to 64")
        try check(
            transformer.epsilon > 0 && transformer.epsilon < 1, "transformer.epsilon", transformer.epsilon,
            "above 0 and below 1")
        for (key, rate) in [("transformer", transformer.dropout), ("interacting", interacting.dropout)] {
            try check(rate >= 0 && rate < 1, key + ".dropout", rate, "at least 0 and below 1")
        }
        try check((0...8).contains(interacting.layers), "interacting.layers", interacting.layers, "0 to 8")
        for (key, bias) in [("bias", interacting.bias), ("forget_bias", interacting.forgetBias)] {
            try check(bias.isFinite, "interacting." + key, bias, "a number")
        }
    }

    /// Throws unless behaviors of this width can be attended to.
    func validate(width: Int, compared: Int) throws(ModelError) {
        try check(
            width % transformer.heads == 0, "transformer.heads", transformer.heads,
            "a divisor of the width of a behavior, \(width)")
        try attention.validate(width: width, compared: compared)
        if interacting.layers > 0, interacting.merge == .concat {
            try attention.validate(width: 2 * width, compared: compared)
        }
    }
}
