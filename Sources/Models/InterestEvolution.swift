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

    /// Hands the interest of every sample in its target, [samples × H], to `above`; gradients of q and h are added.
    ///
    /// - Parameters:
    ///   - q: whole targets, [samples × target].
    ///   - h: states of the extractor, time-major by `time`; `histories.behavior` names the row of a position.
    func run(
        _ q: Variable, _ h: Variable, _ histories: Histories, _ time: TimeMajor, _ pass: Pass, _ above: Above
    ) {
        let query = attention.query(of: q)
        let y = pass.matrix(rows: q.value.rows, columns: gru.width)
        guard kind != .gru else {
            // Only the pooling knows the target: the GRU runs over histories.
            gru.run(h, rowOf: time.rowOf, attention: nil, time, pass) { states in
                let outputs = pass.variable(states)
                attention.pool(query, outputs, histories, into: y, pass, above)
                return outputs.gradient
            }
            return
        }
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
        attention.run(query, h, histories, pass) { weights in
            let a = pass.variable(weights)
            gru.run(h, rowOf: stateOf, attention: a, own, pass) { states in
                gatherRows(of: states, at: own.lastRow, into: y)
                guard let dy = above(y) else { return nil }
                let dStates = pass.zeros(like: states)
                scatterAddRows(of: dy, at: own.lastRow, addingTo: dStates)
                return dStates
            }
            return a.gradient
        }
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
