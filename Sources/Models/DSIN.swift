import Datasets
import Kernels
import Tensors

/// Deep Session Interest Network: a history is sessions, homogeneous inside and different from one another (Feng et al.,
/// IJCAI 2019).
///
/// ```
/// Q_k = e's of session k + bias encoding           sessions are cut at pauses, the newest K are kept
/// I_k = mean_t(Transformer(Q_k))                   session interests, weights shared by all sessions
/// H_1 … H_K = Bi-LSTM(I_1 … I_K)                   interests that know their neighbors
/// U_I = Σ_k softmax_k(I_k·W_I·q)·I_k,   U_H = Σ_k softmax_k(H_k·W_H·q)·H_k
/// y = [U_I; U_H]
/// ```
/// Transformer and Bi-LSTM are computed once for every distinct history, whatever the number of its candidates. Without a
/// session U_I = U_H = 0.
struct DSIN: InterestNetwork {
    /// How histories are cut.
    struct SessionOptions: Codable, Sendable, Equatable {
        /// Seconds of a pause that a session survives; default 1800.
        var gap = 1800
        /// Newest sessions that are kept; default 5.
        var count = 5
        /// Newest behaviors of a session that are kept; default 10.
        var length = 10
    }

    /// What is configured beside the frame.
    struct Own: NetworkOptions {
        /// How histories are cut into sessions.
        var sessions = SessionOptions()
        /// What a behavior's place adds to it; default bias.
        var position = PositionEncoding.Kind.bias
        /// The session interest extractor.
        var transformer = Transformer.Options()
        /// The interest interacting layer.
        var interacting = BidirectionalLSTM.Options()
        /// The two interest activating layers.
        var attention = InterestAttention.Options(hidden: [64, 16])

        func validate() throws(ModelError) {
            try attention.validate()
            try check(sessions.gap >= 0, "sessions.gap", sessions.gap, "seconds, 0 or more")
            try check((1...1000).contains(sessions.count), "sessions.count", sessions.count, "1 to 1000")
            try check((1...1000).contains(sessions.length), "sessions.length", sessions.length, "1 to 1000")
            try transformer.validate()
            let rate = interacting.dropout
            try check(rate >= 0 && rate < 1, "interacting.dropout", rate, "at least 0 and below 1")
            try check((0...8).contains(interacting.layers), "interacting.layers", interacting.layers, "0 to 8")
            for (key, bias) in [("bias", interacting.bias), ("forget_bias", interacting.forgetBias)] {
                try check(bias.isFinite, "interacting." + key, bias, "a number")
            }
        }

        /// Throws unless behaviors of this width can be attended to.
        fileprivate func validate(width: Int, compared: Int) throws(ModelError) {
            try transformer.validate(width: width, of: "a behavior")
            try attention.validate(width: width, compared: compared)
            if interacting.layers > 0, interacting.merge == .concat {
                try attention.validate(width: 2 * width, compared: compared)
            }
        }
    }

    static func width(_ options: Options, compared: Int, behavior: Int) -> Int {
        guard options.own.interacting.layers > 0 else { return behavior }
        return options.own.interacting.merge == .concat ? 3 * behavior : 2 * behavior
    }

    let needs: BatchNeeds
    private let position: PositionEncoding
    private let transformer: Transformer
    private let interacting: BidirectionalLSTM?
    private let attention: InterestAttention
    private let interacted: InterestAttention?
    private let width: Int

    /// Declares "position.…", "transformer.…", "attention.…", "interacting.…" and "interacted.…".
    init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        let own = options.own
        width = inputs.behaviorWidth
        try own.validate(width: width, compared: inputs.comparedWidth)
        needs = BatchNeeds(
            sessions: SessionRule(
                gap: Int64(own.sessions.gap), count: own.sessions.count, length: own.sessions.length))
        let target = own.attention.targetWidth(of: inputs)
        position = PositionEncoding(
            "position", kind: own.position, width: width, sessions: own.sessions.count, length: own.sessions.length,
            in: &layout)
        transformer = Transformer("transformer", width: width, own.transformer, in: &layout, initial: initial)
        attention = InterestAttention(
            "attention", width: width, target: target, own.attention, in: &layout, initial: initial)
        guard own.interacting.layers > 0 else {
            (interacting, interacted) = (nil, nil)
            return
        }
        let lstm = BidirectionalLSTM("interacting", width: width, own.interacting, in: &layout, initial: initial)
        interacting = lstm
        interacted = InterestAttention(
            "interacted", width: lstm.outputs, target: target, own.attention, in: &layout, initial: initial)
    }

    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double {
        let batch = s.batch
        let sessions = Sessions(
            histories: batch.historyCount, count: batch.sessionCount, offsets: batch.sessionOffsets.base,
            ofHistory: batch.historySessions.base)
        let x = pass.matrix(rows: batch.positionCount, columns: width)
        gatherRows(of: s.behaviors.value, at: batch.positionBehavior.base, into: x)
        let inputs = position.forward(x, sessions, pass)
        let queries = pass.variable(inputs.queries)
        let keys = position.isSplit ? pass.variable(inputs.keys) : queries
        transformer.run(queries: queries, keys: keys, offsets: sessions.offsets, sessions: sessions.count, pass) {
            let interests = pass.variable(pass.matrix(rows: sessions.count, columns: width))
            segmentMeans(of: $0, offsets: sessions.offsets, into: interests.value)
            interact(interests, sessions, attention.query(of: s.target), batch.sessionsAsHistories(pass), pass, above)
            guard let dInterests = interests.gradient else { return nil }
            let dStates = pass.matrix(like: $0)
            segmentMeansBackward(dInterests, offsets: sessions.offsets, into: dStates)
            return dStates
        }
        guard let dQueries = queries.gradient, let dKeys = keys.gradient, let d = s.behaviors.gradient else { return 0 }
        position.backward(queries: dQueries, keys: dKeys, sessions, pass)
        if position.isSplit { add(dKeys, to: dQueries) }
        scatterAddRows(of: dQueries, at: batch.positionBehavior.base, addingTo: d)
        return 0
    }

    /// From the session interests I to y = [U_I; U_H], and back.
    private func interact(
        _ interests: Variable, _ sessions: Sessions, _ query: Variable, _ histories: Histories, _ pass: Pass,
        _ above: Above
    ) {
        let y = pass.matrix(rows: pass.samples, columns: width + (interacting?.outputs ?? 0))
        guard let interacting, let interacted else {
            attention.pool(query, interests, histories, into: y, pass, above)
            return
        }
        let (own, others) = (0..<width, width..<y.columns)
        let d = interacting.run(interests.value, offsets: sessions.ofHistory, count: sessions.histories, pass) {
            let neighbors = pass.variable($0)
            interacted.pool(
                query, neighbors, histories, into: y.columns(others), pass.keyed(by: pass.key ^ 1)
            ) { _ in
                var dy: Matrix?
                attention.pool(query, interests, histories, into: y.columns(own), pass) { _ in
                    dy = above(y)
                    return dy?.columns(own)
                }
                return dy?.columns(others)
            }
            return neighbors.gradient
        }
        if let d { interests.receive(d) }
    }

    // MARK: Published options

    static var presets: [String: Options] {
        [
            "dsin-paper": Options(),
            // DSIN as the public code calls DeepCTR's, with the mean over valid behaviors.
            //
            // Two fields of width 4, eight heads of one column, no WO, no layer norm, blinding, no biases in the feed-forward
            // network, two layers of Bi-LSTM averaged, DIN's unit 64-16, ReLU 200-80.
            "dsin-official": Options {
                $0.position = .sinusoidTrained
                $0.transformer.heads = 8
                $0.transformer.output = false
                $0.transformer.norm = .none
                $0.transformer.epsilon = 1e-9
                $0.transformer.feedForwardBias = false
                $0.transformer.blinding = true
                $0.interacting.layers = 2
                $0.interacting.merge = .mean
                $0.interacting.dropout = 0.2
                $0.interacting.bias = 1
                $0.attention.kind = .unit
                $0.attention.query = .none
                $0.attention.hidden = [64, 16]
                $0.top.activation = .relu
                $0.embedding.width = 4
                $0.embedding.scale = 1e-4
            },
        ]
    }
}

extension Transformer.Options {
    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try check((1...4096).contains(heads), "transformer.heads", heads, "1 to 4096")
        try check((1...64).contains(feedForward), "transformer.feed_forward", feedForward, "1 to 64")
        try check(epsilon > 0 && epsilon < 1, "transformer.epsilon", epsilon, "above 0 and below 1")
        try check(dropout >= 0 && dropout < 1, "transformer.dropout", dropout, "at least 0 and below 1")
    }

    /// Throws unless its heads divide the width of what it reads.
    func validate(width: Int, of what: String) throws(ModelError) {
        try check(
            width % heads == 0, "transformer.heads", heads, "a divisor of the width of \(what), \(width)")
    }
}
