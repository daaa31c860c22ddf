import Kernels
import Tensors

/// How much each state of a history (a step of a GRU, a session) matters to the target (DIEN, equation 8; DSIN, 9 and 10).
///
/// ```
/// bilinear: score = s·W·q,                   q the target's whole vector
/// unit:     score = network on [q'; s; q'−s; q'∘s], q' = q or PReLU(q·Wq + bq)
/// ```
/// The scores go through the normalization, a softmax in the papers.
struct InterestAttention: Sendable {
    /// How a state is compared with the target.
    enum Kind: String, Choice {
        /// s·W·q (the papers).
        case bilinear
        /// DIN's unit (the public codes).
        case unit = "mlp"
    }

    /// What the unit compares with a state.
    enum Query: String, Choice {
        /// The target's vector as it is; it must be as wide as a state.
        case none
        /// PReLU(q·W + b), as wide as a state (the public code of DIEN).
        case prelu
    }

    /// The shape and the switches.
    struct Options: Codable, Sendable, Equatable {
        /// How a state is compared; default bilinear.
        var kind = Kind.bilinear
        /// What the unit compares with; default prelu.
        var query = Query.prelu
        /// Widths of the unit's hidden layers; default 80, 40.
        var hidden = [80, 40]
        /// Activation of the unit's hidden layers; default sigmoid.
        var activation = Activation.Kind.sigmoid
        /// What the scores go through; default softmax.
        var normalization = AttentionNormalization.softmax
        /// Share of the unit's hidden values that a training step drops; default 0.
        var dropout: Float = 0
    }

    private let weight: Slot?
    private let map: Dense?
    private let activation: Activation?
    private let unit: TargetAttention?
    private let options: Options
    private let width: Int
    private let target: Int

    /// Declares "<name>.weight" [states × target], or "<name>.query.…" and the unit's "<name>.0.weight" and so on.
    ///
    /// - Parameters:
    ///   - width: of a state.
    ///   - target: of the target's vector; equal to `width` for a unit without a map of the query.
    init(
        _ name: String, width: Int, target: Int, _ options: Options, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        self.options = options
        self.width = width
        self.target = target
        guard options.kind == .unit else {
            weight = layout.matrix(
                name + ".weight", rows: width, columns: target, initial: width == target ? .identity : initial)
            (map, activation, unit) = (nil, nil, nil)
            return
        }
        precondition(options.query == .prelu || width == target, "the unit compares vectors of one width")
        weight = nil
        let hasMap = options.query == .prelu
        map = hasMap ? Dense(name + ".query", input: target, output: width, in: &layout, initial: initial) : nil
        activation = hasMap ? Activation(name + ".query.activation", width: width, kind: .prelu, in: &layout) : nil
        unit = TargetAttention(
            name, width: width, hidden: options.hidden, activation: options.activation,
            normalization: options.normalization, dropout: options.dropout, in: &layout, initial: initial)
    }

    /// The columns of whole targets that this attention reads.
    func query(of q: Variable) -> Variable { q.columns(0..<target) }

    /// Hands the weight of every pair of a sample and a state of its history to `above`; gradients are added.
    ///
    /// - Parameters:
    ///   - q: targets, [samples × target].
    ///   - states: [rows × width]; `histories.behavior` names the row of a position.
    ///   - above: takes and gives [pairs × 1]; what it gives is used up.
    func run(_ q: Variable, _ states: Variable, _ histories: Histories, _ pass: Pass, _ above: Above) {
        if let weight { return bilinear(weight, q, states, histories, pass, above) }
        guard let map, let unit else {
            unit?.weigh(q, states, histories, pass, above)
            return
        }
        let dq = map.run(q.value, pass) { sums in
            activation.run(sums, pass) { x in
                let query = pass.variable(x)
                unit.weigh(query, states, histories, pass, above)
                return query.gradient
            }
        }
        if let dq { q.receive(dq) }
    }

    private func bilinear(
        _ weight: Slot, _ q: Variable, _ states: Variable, _ histories: Histories, _ pass: Pass, _ above: Above
    ) {
        let query = pass.matrix(rows: q.value.rows, columns: width)
        gemm(q.value, transposed: pass.parameters[weight], into: query)
        let scores = pass.matrix(rows: histories.pairs, columns: 1)
        pairScores(query, states.value, histories, into: scores)
        let dScores = options.normalization.run(scores, width: width, histories, pass, above)
        guard let dScores, let dq = q.gradient, let dStates = states.gradient else { return }
        let dQuery = pass.zeros(like: query)
        pairScoresBackward(dScores, query, states.value, histories, addingTo: dQuery, dStates)
        gemm(transposed: dQuery, q.value, addingTo: pass.gradient[weight])
        gemm(dQuery, pass.parameters[weight], addingTo: dq)
    }

    /// Sets y to Σ weight·state of every sample.
    func pool(
        _ q: Variable, _ states: Variable, _ histories: Histories, into y: Matrix, _ pass: Pass, _ above: Above
    ) {
        run(q, states, histories, pass) { weightedPool(states, histories, weights: $0, into: y, pass, above) }
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
