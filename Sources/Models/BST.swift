import Datasets
import Kernels
import Tensors

/// Behavior Sequence Transformer: the target is the last of a sequence that attends to itself (Chen et al., DLP-KDD 2019,
/// arXiv 1905.06874).
///
/// ```
/// b_i = bucket(t(target) − t(e_i))          how long ago; the target has a bucket of its own
/// x_i = [e_i; P_b_i],  x_L+1 = [q; P_0]     item features beside positional features (section 2.1)
/// F = block(… block(x_1 … x_L+1))           self-attention and a feed-forward network (2.2, equations 1 to 6)
/// y = F_L+1                                 the output at the target (2.3)
/// ```
/// A sequence is a sample's own: the newest `length` behaviors and the target. Without a behavior it is the target alone.
struct BST: InterestNetwork {
    /// How the time between a behavior and the target becomes a row of P.
    struct PositionOptions: Codable, Sendable, Equatable {
        /// Columns of P; default 16, 0 leaves positions out.
        var width = 16
        /// Rows of P, that of the target included; default 20.
        var buckets = 20
        /// Seconds of the first bucket, every other is twice as long as the one before; default 60.
        var unit = 60

        /// The row of P of a behavior so many seconds before the target: 1 + ⌊log₂(1 + gap/unit)⌋, at most the last.
        func bucket(_ gap: Int64) -> Int32 {
            let units = max(0, gap) / Int64(unit)
            return Int32(
                min(buckets - 1, 1 + Int64.bitWidth - 1 - (units + (units < .max ? 1 : 0)).leadingZeroBitCount))
        }
    }

    /// What is configured beside the frame.
    struct Own: NetworkOptions {
        /// Newest behaviors that enter the sequence; default 20.
        var length = 20
        /// Blocks of self-attention and feed-forward network; default 1.
        var blocks = 1
        /// What a behavior's time adds to it.
        var position = PositionOptions()
        /// A block; its activation is leaky_relu by default.
        var transformer = Transformer.Options(activation: .leakyRelu)

        func validate() throws(ModelError) {
            try check((0...1000).contains(length), "length", length, "0 to 1000")
            try check((1...8).contains(blocks), "blocks", blocks, "1 to 8")
            try check((0...4096).contains(position.width), "position.width", position.width, "0 to 4096")
            try check((2...62).contains(position.buckets), "position.buckets", position.buckets, "2 to 62")
            try check(
                (1...86_400_000).contains(position.unit), "position.unit", position.unit, "seconds, 1 to 86400000")
            try transformer.validate()
        }
    }

    /// The sequences of all samples, one after the other; a row is a behavior or a target.
    private struct Sequences {
        /// [n + 1]: where each sequence begins.
        let offsets: UnsafeMutablePointer<Int32>
        /// [rows]: the distinct behavior, −1 for a target.
        let behavior: UnsafeMutablePointer<Int32>
        /// [rows]: the row of P.
        let bucket: UnsafeMutablePointer<Int32>
        /// [n]: the row of each target.
        let target: UnsafeMutablePointer<Int32>
        var rows = 0
    }

    static var frame: FrameOptions { FrameOptions(top: Tower.Options(activation: .leakyRelu)) }
    static var takesWholeBehaviors: Bool { false }
    static func width(_ options: Options, compared: Int, behavior: Int) -> Int {
        compared + options.own.position.width
    }
    var needs: BatchNeeds { BatchNeeds(times: true) }

    private let options: Own
    private let compared: Int
    private let positions: Slot
    private let blocks: [Transformer]
    private var width: Int { compared + positions.columns }

    /// Declares "position" [buckets × width] and "transformer.0.…" and so on.
    init(
        _ options: Options, _ inputs: Inputs, in layout: inout ParameterLayout, initial: DenseInitial
    ) throws(ModelError) {
        self.options = options.own
        compared = inputs.comparedWidth
        let position = options.own.position
        let width = compared + position.width
        try options.own.transformer.validate(width: width, of: "a behavior with its position")
        positions = layout.matrix(
            "position", rows: position.buckets, columns: position.width, initial: .normal(deviation: 0.01),
            if: position.width > 0)
        blocks = (0..<options.own.blocks).map { number in
            Transformer(
                "transformer.\(number)", width: width, options.own.transformer, stream: UInt64(number), in: &layout,
                initial: initial)
        }
    }

    /// Cuts the newest behaviors of every sample's history, and puts its target behind them.
    private func sequences(of batch: MicroBatch, _ pass: Pass) -> Sequences {
        let histories = batch.histories
        let most = histories.pairs + histories.samples
        var made = Sequences(
            offsets: pass.ints(histories.samples + 1), behavior: pass.ints(most), bucket: pass.ints(most),
            target: pass.ints(histories.samples))
        made.offsets[0] = 0
        for sample in 0..<histories.samples {
            let positions = histories.positions(ofSample: sample)
            let now = batch.times[sample]
            for position in positions.suffix(options.length) {
                made.behavior[made.rows] = histories.behavior[position]
                let (gap, isFar) = now.subtractingReportingOverflow(batch.positionTimes[position])
                made.bucket[made.rows] = options.position.bucket(isFar ? .max : gap)
                made.rows += 1
            }
            made.target[sample] = Int32(made.rows)
            (made.behavior[made.rows], made.bucket[made.rows]) = (-1, 0)
            made.rows += 1
            made.offsets[sample + 1] = Int32(made.rows)
        }
        return made
    }

    func run(_ s: Scene, _ pass: Pass, _ above: Above) -> Double {
        let sequences = sequences(of: s.batch, pass)
        let input = pass.matrix(rows: sequences.rows, columns: width)
        let items = input.columns(0..<compared)
        gatherRows(of: s.behaviors.value, at: sequences.behavior, into: items)
        scatterAddRows(of: s.comparedTarget.value, at: sequences.target, addingTo: items)
        if positions.columns > 0 {
            gatherRows(of: pass.parameters[positions], at: sequences.bucket, into: input.columns(compared..<width))
        }
        let dInput = climb(from: 0, input, sequences, pass) { last in
            let y = pass.matrix(rows: pass.samples, columns: width)
            gatherRows(of: last, at: sequences.target, into: y)
            guard let dy = above(y) else { return nil }
            let d = pass.zeros(like: last)
            scatterAddRows(of: dy, at: sequences.target, addingTo: d)
            return d
        }
        guard let dInput, let dBehaviors = s.behaviors.gradient else { return 0 }
        let dItems = dInput.columns(0..<compared)
        scatterAddRows(of: dItems, at: sequences.behavior, addingTo: dBehaviors)
        let dTargets = pass.matrix(rows: pass.samples, columns: compared)
        gatherRows(of: dItems, at: sequences.target, into: dTargets)
        s.comparedTarget.receive(dTargets)
        if positions.columns > 0 {
            scatterAddRows(
                of: dInput.columns(compared..<width), at: sequences.bucket, addingTo: pass.gradient[positions])
        }
        return 0
    }

    /// The blocks from a number on, one above the other.
    private func climb(
        from number: Int, _ x: Matrix, _ sequences: Sequences, _ pass: Pass, _ above: Above
    ) -> Matrix? {
        guard number < blocks.count else { return above(x) }
        let x = pass.variable(x)
        blocks[number].run(queries: x, keys: x, offsets: sequences.offsets, sessions: pass.samples, pass) {
            climb(from: number + 1, $0, sequences, pass, above)
        }
        return x.gradient
    }

    // MARK: Published options

    static var presets: [String: Options] {
        [
            // The paper's table 3: one block of 8 heads, 20 behaviors, dropout 0.2, 1024-512-256 with leaky ReLU.
            "bst-paper": Options {
                $0.transformer.heads = 8
                $0.transformer.scale = .model
                $0.transformer.dropout = 0.2
                $0.top.hidden = [1024, 512, 256]
            }
        ]
    }
}
