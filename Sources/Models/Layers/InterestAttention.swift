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

    /// What backward needs; `weights` is the result.
    struct Tape {
        /// [pairs × 1].
        let weights: Matrix
        let query: Matrix
        let activation: Activation.Tape?
        let unit: TargetAttention.Tape?
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

    /// The columns of whole targets (or of their gradients) that this attention reads.
    func query(of q: Matrix) -> Matrix { q.columns(0..<target) }

    /// The weight of every pair of a sample and a state of its history.
    ///
    /// - Parameters:
    ///   - q: targets, [samples × target].
    ///   - states: [rows × width]; `histories.behavior` names the row of a position.
    func forward(_ q: Matrix, _ states: Matrix, _ histories: Histories, _ pass: Pass) -> Tape {
        if let weight {
            let query = pass.matrix(rows: q.rows, columns: width)
            gemm(q, transposed: pass.parameters[weight], into: query)
            let scores = pass.matrix(rows: histories.pairs, columns: 1)
            pairScores(query, states, histories, into: scores)
            return Tape(
                weights: options.normalization.weights(of: scores, width: width, histories, pass), query: query,
                activation: nil, unit: nil)
        }
        var (query, kept) = (q, nil as Activation.Tape?)
        if let map, let activation {
            kept = activation.forward(map.forward(q, pass), pass)
            query = kept?.y ?? q
        }
        let tape = unit?.weigh(query, states, histories, pass)
        return Tape(
            weights: tape?.weights ?? pass.zeros(rows: histories.pairs, columns: 1), query: query,
            activation: kept,
            unit: tape)
    }

    /// dq and the states' gradients of the gradient of the weights [pairs × 1], which is used up, added; so are those of
    /// the parameters.
    func backward(
        _ dWeights: Matrix, _ tape: Tape, _ q: Matrix, _ states: Matrix, _ histories: Histories, addingTo dq: Matrix,
        _ dStates: Matrix, _ pass: Pass
    ) {
        let mapped = weight != nil || map != nil
        let dQuery = mapped ? pass.zeros(rows: q.rows, columns: width) : dq
        if let weight {
            options.normalization.backward(dWeights, weights: tape.weights, width: width, histories)
            pairScoresBackward(dWeights, tape.query, states, histories, addingTo: dQuery, dStates)
            gemm(transposed: dQuery, q, addingTo: pass.gradient[weight])
            gemm(dQuery, pass.parameters[weight], addingTo: dq)
            return
        }
        guard let unit, let kept = tape.unit else { return }
        unit.backward(weights: dWeights, kept, tape.query, states, histories, addingTo: dQuery, dStates, pass)
        guard let map, let activation, let inner = tape.activation else { return }
        let dMap = activation.backward(dQuery, inner, pass)
        add(map.backward(dMap, x: q, pass), to: dq)
    }
}
