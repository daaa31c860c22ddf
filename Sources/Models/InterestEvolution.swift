import Kernels
import Tensors

/// How interests evolve towards a target (DIEN, section 4.3).
enum Evolution: String, Choice {
    /// A second GRU over the states; the attention pools its outputs (two-layer GRU with attention).
    case gru
    /// The attention scales the states that enter the second GRU.
    case aigru
    /// The attention takes the place of the update gate.
    case agru
    /// The attention joins the update gate.
    case augru
}

/// How AUGRU joins the attention a and the update gate u.
enum AUGRUForm: String, Choice {
    /// a·u, as the paper writes it: a = 0 keeps the state.
    case product
    /// 1 − (1 − a)(1 − u), as the public code computes it: a = 0 is an ordinary step, a = 1 replaces the state.
    case union
}

/// DIEN's second half: the attention of the target to the extractor's states, and the layer that follows their course.
struct InterestEvolution: Sendable {
    /// What backward needs; `y` is the result.
    struct Tape {
        /// The interest of every sample in its target, [samples × H].
        let y: Matrix
        let weights: InterestAttention.Tape
        let gru: GRU.Tape
        let time: TimeMajor
    }

    private let kind: Evolution
    private let attention: InterestAttention
    private let gru: GRU

    /// Declares "attention.…" and "evolution.…".
    init(_ options: DIEN.Own, width: Int, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial) {
        kind = options.evolution
        attention = InterestAttention(
            "attention", width: width, target: options.attention.targetWidth(of: inputs), options.attention,
            in: &layout, initial: initial)
        let mixing: GRUMixing =
            switch options.evolution {
            case .gru, .aigru: .gate
            case .agru: .attention
            case .augru: options.augru == .product ? .product : .union
            }
        gru = GRU(
            "evolution", input: width, width: width, mixing: mixing, scalesInput: kind == .aigru, options.gru,
            in: &layout, initial: initial)
    }

    /// The interests.
    ///
    /// - Parameters:
    ///   - q: whole targets, [samples × target].
    ///   - h: states of the extractor, time-major by `time`; `histories.behavior` names the row of a position.
    func forward(_ q: Matrix, _ h: Matrix, _ histories: Histories, _ time: TimeMajor, _ pass: Pass) -> Tape {
        let query = attention.query(of: q)
        let y = pass.matrix(rows: q.rows, columns: gru.width)
        guard kind != .gru else {
            // Only the pooling knows the target: the GRU runs over histories.
            let tape = gru.forward(h, rowOf: time.rowOf, attention: nil, time, pass)
            let weights = attention.forward(query, tape.states, histories, pass)
            weightedPool(tape.states, histories, weights: weights.weights, into: y)
            return Tape(y: y, weights: weights, gru: tape, time: time)
        }
        let weights = attention.forward(query, h, histories, pass)
        let offsets = pass.ints(histories.samples + 1)
        let stateOf = pass.ints(histories.pairs)
        offsets[0] = 0
        var pair = 0
        for sample in 0..<histories.samples {
            for position in histories.positions(ofSample: sample) {
                stateOf[pair] = histories.behavior[position]
                pair += 1
            }
            offsets[sample + 1] = Int32(pair)
        }
        let own = TimeMajor(offsets: offsets, count: histories.samples, pass.arena)
        let tape = gru.forward(h, rowOf: stateOf, attention: weights.weights.base, own, pass)
        gatherRows(of: tape.states, at: own.lastRow, into: y)
        return Tape(y: y, weights: weights, gru: tape, time: own)
    }

    /// Gradients by targets and states of the gradient of the interests, added; those of the parameters too.
    func backward(
        _ dy: Matrix, _ tape: Tape, _ q: Matrix, _ h: Matrix, _ histories: Histories, _ time: TimeMajor,
        addingTo dq: Matrix, _ dStates: Matrix, _ pass: Pass
    ) {
        let (query, dQuery) = (attention.query(of: q), attention.query(of: dq))
        let dWeights = pass.zeros(rows: histories.pairs, columns: 1)
        let dOutputs = pass.zeros(rows: tape.time.rows, columns: gru.width)
        guard kind != .gru else {
            weightedPoolBackward(
                dy, tape.gru.states, histories, weights: tape.weights.weights, addingTo: dOutputs, into: dWeights)
            attention.backward(
                dWeights, tape.weights, query, tape.gru.states, histories, addingTo: dQuery, dOutputs, pass)
            gru.backward(dOutputs, tape.gru, h, time, addingTo: dStates, nil, pass)
            return
        }
        scatterAddRows(of: dy, at: tape.time.lastRow, addingTo: dOutputs)
        gru.backward(dOutputs, tape.gru, h, tape.time, addingTo: dStates, dWeights.base, pass)
        attention.backward(dWeights, tape.weights, query, h, histories, addingTo: dQuery, dStates, pass)
    }
}

extension InterestAttention.Options {
    /// Columns of the target's vector that the attention reads: all, or those that behaviors are compared by.
    func targetWidth(of inputs: Inputs) -> Int {
        kind == .unit && query == .none ? inputs.comparedWidth : inputs.targetWidth
    }

    /// Throws the first setting that makes no sense.
    func validate() throws(ModelError) {
        try checkHidden(hidden, "attention.hidden", layers: 1...8)
        try check(dropout >= 0 && dropout < 1, "attention.dropout", dropout, "at least 0 and below 1")
    }

    /// Throws unless states of this width can be compared with targets.
    func validate(width: Int, compared: Int) throws(ModelError) {
        try check(
            kind == .bilinear || query == .prelu || width == compared, "attention.query", query.rawValue,
            "prelu: a state has \(width) columns and the compared part of the target \(compared)")
    }
}
