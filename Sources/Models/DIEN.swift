import Datasets
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

/// Deep Interest Evolution Network: interests as the states of a GRU, and what the target makes of their course (Zhou et
/// al., AAAI 2019).
///
/// ```
/// h_1 … h_L = GRU(e_1 … e_L)               interest extractor; its states have to tell the next behavior: L_aux
/// a_t = softmax_t(h_t·W·q)                 attention of the target
/// o = last of AUGRU(h_1 … h_L; a)          interest evolution: AUGRU, AGRU, AIGRU, or a GRU whose outputs a pools
/// loss = cross-entropy + α·L_aux
/// ```
/// The extractor, the auxiliary loss and the products of the states with the evolution's input weights are computed once for
/// every distinct history, whatever the number of its candidates. An empty history gives o = 0.
struct DIEN: InterestNetwork {
    /// What is configured beside the frame.
    struct Own: NetworkOptions {
        /// Width and conventions of both GRUs.
        var gru = GRU.Options()
        /// The attention of the target to the states.
        var attention = InterestAttention.Options()
        /// How interests evolve; default augru.
        var evolution = Evolution.augru
        /// How AUGRU joins attention and update gate; default product.
        var augru = AUGRUForm.product
        /// The loss of the extractor.
        var auxiliary = AuxiliaryLoss.Options()

        func validate() throws(ModelError) {
            try attention.validate()
            try check(
                (0...65536).contains(gru.hidden), "gru.hidden", gru.hidden, "0 (the width of a behavior) to 65536")
            try check(gru.gateBias.isFinite, "gru.gate_bias", gru.gateBias, "a number")
            try checkHidden(auxiliary.hidden, "auxiliary.hidden", layers: 1...8)
            try check(
                auxiliary.weight >= 0 && auxiliary.weight.isFinite, "auxiliary.weight", auxiliary.weight, "at least 0")
            try check(
                auxiliary.activation != .dice, "auxiliary.activation", auxiliary.activation.rawValue,
                "one without statistics: sigmoid, relu, prelu or dice_constant")
        }
    }

    static func width(_ options: Options, compared: Int, behavior: Int) -> Int {
        options.own.gru.hidden > 0 ? options.own.gru.hidden : behavior
    }

    let needs: BatchNeeds
    private let extractor: GRU
    private let auxiliary: AuxiliaryLoss?
    private let attention: InterestAttention
    private let evolution: GRU
    private let kind: Evolution
    private let weight: Float

    /// Declares "extractor.…", "auxiliary.…", "attention.…" and "evolution.…".
    init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        let (own, behavior) = (options.own, inputs.behaviorWidth)
        let width = Self.width(options, compared: inputs.comparedWidth, behavior: behavior)
        try own.attention.validate(width: width, compared: inputs.comparedWidth)
        weight = own.auxiliary.weight
        needs = BatchNeeds(negatives: weight > 0 ? own.auxiliary.negatives : nil)
        extractor = GRU("extractor", input: behavior, width: width, own.gru, in: &layout, initial: initial)
        auxiliary =
            weight > 0
            ? AuxiliaryLoss(
                "auxiliary", states: width, behaviors: behavior, own.auxiliary, in: &layout, initial: initial) : nil
        attention = InterestAttention(
            "attention", width: width, target: own.attention.targetWidth(of: inputs), own.attention, in: &layout,
            initial: initial)
        kind = own.evolution
        let mixing: GRUMixing =
            switch kind {
            case .gru, .aigru: .gate
            case .agru: .attention
            case .augru: own.augru == .product ? .product : .union
            }
        evolution = GRU(
            "evolution", input: width, width: width, mixing: mixing, scalesInput: kind == .aigru, own.gru,
            in: &layout, initial: initial)
    }

    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double {
        let batch = s.batch
        let time = TimeMajor(offsets: batch.historyOffsets.base, count: batch.historyCount, pass.arena)
        var loss = 0.0
        extractor.run(s.behaviors, rowOf: batch.positionBehavior.base, attention: nil, time, pass) { states in
            let h = pass.variable(states)
            evolve(attention.query(of: s.target), h, batch.histories(at: time.rowOf), time, pass, above)
            if let auxiliary, pass.isTraining {
                let pairs = batch.pairs(at: time.rowOf, pass)
                loss = auxiliary.train(h, s.behaviors, pairs, factor: weight * Float(pass.samples), pass)
            }
            return h.gradient
        }
        return loss
    }

    /// Hands the interest of every sample in its target, [samples × H], to `above`; gradients of q and h are added.
    ///
    /// - Parameters:
    ///   - q: what the attention reads of the targets.
    ///   - h: states of the extractor, time-major by `time`; `histories.behavior` names the row of a position.
    private func evolve(
        _ q: Variable, _ h: Variable, _ histories: Histories, _ time: TimeMajor, _ pass: Pass, _ above: Above
    ) {
        let y = pass.matrix(rows: q.value.rows, columns: evolution.width)
        guard kind != .gru else {
            // Only the pooling knows the target: the GRU runs over histories.
            evolution.run(h, rowOf: time.rowOf, attention: nil, time, pass) { states in
                let outputs = pass.variable(states)
                attention.pool(q, outputs, histories, into: y, pass, above)
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
        attention.run(q, h, histories, pass) { weights in
            let a = pass.variable(weights)
            evolution.run(h, rowOf: stateOf, attention: a, own, pass) { states in
                gatherRows(of: states, at: own.lastRow, into: y)
                guard let dy = above(y) else { return nil }
                let dStates = pass.zeros(like: states)
                scatterAddRows(of: dy, at: own.lastRow, addingTo: dStates)
                return dStates
            }
            return a.gradient
        }
    }

    // MARK: Published options

    static var presets: [String: Options] {
        [
            "dien-paper": Options(),
            // The public code of DIEN, `Model_DIN_V2_Gru_Vec_attGru_Neg`, with padding left out of the sum.
            //
            // TensorFlow's cell (the gate keeps, the reset comes first, gate biases start at 1), AUGRU as a union, an attention
            // network behind PReLU(q·W + b), two logits. Its cross-entropy is half of ours, so α is 2.
            "dien-official": Options {
                $0.input = [.user, .target, .history, .historyProduct, .attention, .context, .numeric]
                $0.pooling = .sum
                $0.gru.reset = .before
                $0.gru.update = .keep
                $0.gru.gateBias = 1
                $0.attention.kind = .unit
                $0.attention.query = .prelu
                $0.augru = .union
                $0.auxiliary.weight = 2
                $0.auxiliary.head = .softmax
                $0.auxiliary.inputNorm = .constant
                $0.auxiliary.normalization = .slots
                $0.auxiliary.negatives = .frequency
                $0.top.inputNorm = .constant
                $0.top.head = .softmax
                $0.embedding.width = 18
            },
            // The best DIEN of BARS on AmazonElectronics_x1: 5,369,602 parameters with its 63,003 items and 803 categories.
            "dien-bars-amazon": Options {
                $0.input = [.target, .attention]
                $0.gru.update = .keep
                $0.gru.hiddenBias = true
                $0.attention.kind = .unit
                $0.attention.query = .none
                $0.attention.hidden = [256, 128]
                $0.attention.activation = .dice
                $0.auxiliary.weight = 0
                $0.frame.followBARS()
                $0.top.activation = .relu
            },
        ]
    }
}
