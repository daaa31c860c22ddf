import Datasets
import Tensors

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
    private let evolution: InterestEvolution
    private let weight: Float

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
        evolution = InterestEvolution(own, width: width, inputs, in: &layout, initial: initial)
    }

    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double {
        let batch = s.batch
        let time = TimeMajor(offsets: batch.historyOffsets.base, count: batch.historyCount, pass.arena)
        var loss = 0.0
        extractor.run(s.behaviors, rowOf: batch.positionBehavior.base, attention: nil, time, pass) { states in
            let h = pass.variable(states)
            evolution.run(s.target, h, batch.histories(at: time.rowOf), time, pass, above)
            if let auxiliary, pass.isTraining {
                let pairs = batch.pairs(at: time.rowOf, pass)
                loss = auxiliary.train(h, s.behaviors, pairs, factor: weight * Float(pass.samples), pass)
            }
            return h.gradient
        }
        return loss
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
