import Kernels
import Tensors

/// DIEN's auxiliary loss: the extractor's state after a behavior has to tell the next behavior from a drawn one (DIEN,
/// equations 6 and 7).
///
/// ```
/// z(h, e) = network on [h; e]                       t = 1 … L − 1 of every history
/// L_aux = Σ_t [ln(1 + e^−z(h_t, e_{t+1})) + ln(1 + e^z(h_t, ê_{t+1}))] / M
/// ```
/// The first layer is computed as h·Wh once a pair and e·We once a distinct behavior. Pairs go through the network in
/// tiles, forward and backward at once, so that nothing of the size of all pairs is ever stored. A history that several
/// samples share is computed once and counts for each of them.
struct AuxiliaryLoss: Sendable {
    /// What the sum over pairs is divided by: M.
    enum Normalization: String, Choice {
        /// The number of pairs (t) of all samples.
        case pairs
        /// Twice that (DeepCTR-Torch).
        case halves
        /// The number of samples (the paper).
        case sequences
        /// Samples × (longest history − 1): padded slots count as 0 (the public code).
        case slots
    }

    /// What [h; e] goes through before the first layer.
    enum InputNorm: String, Choice {
        /// Nothing.
        case none
        /// γ·x/√1.001 + β (the public code, whose batch norm never moves its statistics).
        case constant
    }

    /// The shape and the switches.
    struct Options: Codable, Sendable, Equatable {
        /// α: what the loss is multiplied by; default 1, 0 leaves it out.
        var weight: Float = 1
        /// Widths of the hidden layers; default 100, 50.
        var hidden = [100, 50]
        /// Their activation, one without statistics; default sigmoid.
        var activation = Activation.Kind.sigmoid
        /// How many logits; default one.
        var head = Head.logit
        /// What [h; e] goes through first; default nothing.
        var inputNorm = InputNorm.none
        /// What the sum is divided by; default the number of pairs.
        var normalization = Normalization.pairs
        /// The law of the behaviors that did not happen next; default frequency.
        var negatives = NegativeLaw.frequency

        enum CodingKeys: String, CodingKey {
            case weight, hidden, activation, head, normalization, negatives
            case inputNorm = "input_norm"
        }
    }

    /// The pairs of a micro-batch: views of columns that the caller keeps alive.
    struct Pairs: @unchecked Sendable {
        /// H distinct histories of positions `offsets[h]..<offsets[h + 1]`.
        let offsets: UnsafePointer<Int32>
        /// H.
        let histories: Int
        /// Position → row of the states.
        let stateOf: UnsafePointer<Int32>
        /// Position → distinct behavior.
        let behavior: UnsafePointer<Int32>
        /// Position → distinct behavior that was drawn.
        let negative: UnsafePointer<Int32>
        /// [H]: samples that share a history.
        let samplesOf: UnsafePointer<Int32>
    }

    /// Pairs of one tile: their activations stay in the second-level cache.
    private static let tile = 256

    private let norm: BatchNorm?
    private let network: Perceptron
    private let head: Head
    private let normalization: Normalization
    private let stateWidth: Int
    private let behaviorWidth: Int

    /// Declares "<name>.norm", "<name>.0.weight" [(states + behaviors) × units] and so on, "<name>.output".
    init(
        _ name: String, states: Int, behaviors: Int, _ options: Options, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        precondition(!options.hidden.isEmpty && options.activation != .dice, "hidden layers without statistics")
        norm =
            options.inputNorm == .constant
            ? BatchNorm(name + ".norm", width: states + behaviors, kind: .constant, in: &layout) : nil
        network = Perceptron(
            name, input: states + behaviors, hidden: options.hidden, outputs: options.head.outputs,
            activation: options.activation, in: &layout, initial: initial)
        head = options.head
        normalization = options.normalization
        stateWidth = states
        behaviorWidth = behaviors
    }

    /// A pair of a state and the behaviors that it is held against.
    private struct Pair: BitwiseCopyable {
        let state: Int32
        let positive: Int32
        let negative: Int32
        let share: Float
    }

    /// factor·Σ / M; its gradients by the states, by the behaviors and by the parameters are added.
    ///
    /// - Parameters:
    ///   - states: [rows × states].
    ///   - e: distinct behaviors, [K × behaviors].
    ///   - factor: the loss's weight times the number of samples, as all losses are sums over samples.
    func train(_ states: Variable, _ e: Variable, _ pairs: Pairs, factor: Float, _ pass: Pass) -> Double {
        let list = list(pairs, factor: factor, pass.arena)
        guard list.count > 0, let de = e.gradient else { return 0 }
        let ofBehaviors = stateWidth..<stateWidth + behaviorWidth
        let weight = pass.parameters[network.first.weight].rows(ofBehaviors)
        let normed = columns(of: e.value, stateWidth, pass)
        let projected = pass.variable(pass.matrix(rows: e.value.rows, columns: weight.columns))
        gemm(normed, weight, into: projected.value)
        var loss = 0.0
        for first in stride(from: 0, to: list.count, by: AuxiliaryLoss.tile) {
            let tile = list[first..<min(first + AuxiliaryLoss.tile, list.count)]
            pass.arena.scratch {
                loss += train(UnsafeBufferPointer(rebasing: tile), states, projected, pass)
            }
        }
        guard let dProjected = projected.gradient else { return loss }
        gemm(transposed: normed, dProjected, addingTo: pass.gradient[network.first.weight].rows(ofBehaviors))
        guard norm != nil else {
            gemm(dProjected, transposed: weight, addingTo: de)
            return loss
        }
        let dNormed = pass.matrix(like: e.value)
        gemm(dProjected, transposed: weight, into: dNormed)
        add(columnsBackward(dNormed, e.value, stateWidth, pass), to: de)
        return loss
    }

    /// All pairs, each with what its loss is multiplied by.
    private func list(_ pairs: Pairs, factor: Float, _ arena: Arena) -> UnsafeBufferPointer<Pair> {
        var (count, weighted, samples, longest) = (0, 0, 0, 0)
        for history in 0..<pairs.histories {
            let length = Int(pairs.offsets[history + 1] - pairs.offsets[history])
            let sharing = Int(pairs.samplesOf[history])
            count += max(0, length - 1)
            weighted += max(0, length - 1) * sharing
            samples += sharing
            longest = max(longest, length)
        }
        let divisor: Int
        switch normalization {
        case .pairs: divisor = weighted
        case .halves: divisor = 2 * weighted
        case .sequences: divisor = samples
        case .slots: divisor = samples * (longest - 1)
        }
        let base = arena.array(of: Pair.self, count: count)
        var place = 0
        for history in 0..<pairs.histories {
            let first = Int(pairs.offsets[history])
            let share = factor * Float(pairs.samplesOf[history]) / Float(max(1, divisor))
            for position in first..<max(first, Int(pairs.offsets[history + 1]) - 1) {
                base[place] = Pair(
                    state: pairs.stateOf[position], positive: pairs.behavior[position + 1],
                    negative: pairs.negative[position + 1], share: share)
                place += 1
            }
        }
        return UnsafeBufferPointer(start: base, count: count)
    }

    /// Forward and backward of one tile; its first rows are the true pairs, the others the drawn ones.
    private func train(
        _ pairs: UnsafeBufferPointer<Pair>, _ states: Variable, _ projected: Variable, _ pass: Pass
    ) -> Double {
        let count = pairs.count
        let index = pass.ints(3 * count)
        let shares = pass.matrix(rows: 2 * count, columns: 1)
        for (row, pair) in pairs.enumerated() {
            (index[row], index[count + row], index[2 * count + row]) = (pair.state, pair.positive, pair.negative)
            (shares.base[row], shares.base[count + row]) = (pair.share, pair.share)
        }
        let first = network.first
        let weight = pass.parameters[first.weight].rows(0..<stateWidth)
        let raw = pass.matrix(rows: count, columns: stateWidth)
        gatherRows(of: states.value, at: index, into: raw)
        let h = columns(of: raw, 0, pass)
        let shared = pass.matrix(rows: count, columns: weight.columns)
        broadcast(pass.parameters[first.bias], to: shared)
        gemm(h, weight, addingTo: shared)
        let sums = pass.matrix(rows: 2 * count, columns: weight.columns)
        gatherRows(of: projected.value, at: index + count, into: sums)
        add(shared, to: sums.rows(0..<count))
        add(shared, to: sums.rows(count..<2 * count))

        var loss = 0.0
        let dSums = network.run(sums: sums, pass) { y in
            head.run(y, into: pass.matrix(rows: y.rows, columns: 1), pass) { z in
                let dz = pass.matrix(like: z)
                loss = weightedCrossEntropy(z, weights: shares, positives: count, gradient: dz)
                return dz
            }
        }
        guard let dSums, let dProjected = projected.gradient, let dStates = states.gradient else { return loss }
        scatterAddRows(of: dSums, at: index + count, addingTo: dProjected)
        let dShared = dSums.rows(0..<count)
        add(dSums.rows(count..<2 * count), to: dShared)
        addRows(of: dShared, to: pass.gradient[first.bias])
        gemm(transposed: h, dShared, addingTo: pass.gradient[first.weight].rows(0..<stateWidth))
        let dh = pass.matrix(like: raw)
        gemm(dShared, transposed: weight, into: dh)
        scatterAddRows(of: columnsBackward(dh, raw, 0, pass), at: index, addingTo: dStates)
        return loss
    }

    // MARK: Input norm

    /// γ/√1.001·x + β with the columns of γ and β from `first` on; x itself without the norm.
    private func columns(of x: Matrix, _ first: Int, _ pass: Pass) -> Matrix {
        norm?.constantForward(x, columns: first..<first + x.columns, pass) ?? x
    }

    private func columnsBackward(_ dy: Matrix, _ x: Matrix, _ first: Int, _ pass: Pass) -> Matrix {
        norm?.constantBackward(dy, x, columns: first..<first + x.columns, pass) ?? dy
    }
}
