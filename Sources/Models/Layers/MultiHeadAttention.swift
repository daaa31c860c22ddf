import Kernels
import Tensors

/// Multi-head self-attention within each session, weights shared by all sessions (Vaswani and others 2017, 3.2; DSIN,
/// equations 4 and 5).
///
/// head_h = softmax(scale·Q_h·K_hᵀ)·V_h with Q = x_q·WQ, K = x_k·WK, V = x_k·WV cut into heads by columns; the heads side by
/// side, times WO if there is one.
struct MultiHeadAttention: Sendable {
    /// What the projections read.
    enum Projections: String, Choice {
        /// A whole behavior, W [d × d].
        case full
        /// Each head its own slice of a behavior, a block of W [d × d/heads] (the notation of the paper).
        case sliced
    }

    /// What scores are divided by.
    enum Scale: String, Choice {
        /// √(d / heads).
        case head
        /// √d (the paper of DSIN).
        case model
    }

    /// What backward needs; `y` is the result.
    struct Tape: BitwiseCopyable {
        /// [positions × d].
        let y: Matrix
        let attention: SelfAttention
        let kept: UnsafeMutablePointer<Float>
        let joined: Matrix
    }

    private let query, key, value: Slot
    private let output: Slot?
    private let options: Transformer.Options
    private let width: Int

    /// Declares "<name>.query.weight", "<name>.key.weight", "<name>.value.weight" and "<name>.output.weight".
    init(
        _ name: String, width: Int, _ options: Transformer.Options, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        precondition(width % options.heads == 0, "heads divide the width")
        let columns = options.projections == .full ? width : width / options.heads
        func declare(_ part: String) -> Slot {
            layout.matrix("\(name).\(part).weight", rows: width, columns: columns, initial: initial)
        }
        (query, key, value) = (declare("query"), declare("key"), declare("value"))
        output =
            options.output
            ? layout.matrix(name + ".output.weight", rows: width, columns: width, initial: initial) : nil
        self.options = options
        self.width = width
    }

    private var headWidth: Int { width / options.heads }
    private var scale: Float { 1 / Float(options.scale == .head ? headWidth : width).squareRoot() }

    /// Calls `body` with the columns that a projection reads and makes at once: all, or those of each head.
    private func eachBlock(_ body: (Range<Int>) -> Void) {
        let size = options.projections == .full ? width : headWidth
        for first in stride(from: 0, to: width, by: size) { body(first..<first + size) }
    }

    private func project(_ x: Matrix, _ slot: Slot, _ pass: Pass) -> Matrix {
        let y = pass.matrix(rows: x.rows, columns: width)
        eachBlock { block in
            gemm(x.columns(block), pass.parameters[slot].rows(block), into: y.columns(block))
        }
        return y
    }

    private func projectBackward(_ dy: Matrix, _ x: Matrix, _ slot: Slot, addingTo dx: Matrix, _ pass: Pass) {
        eachBlock { block in
            let (weight, slope) = (pass.parameters[slot].rows(block), pass.gradient[slot].rows(block))
            gemm(transposed: x.columns(block), dy.columns(block), addingTo: slope)
            gemm(dy.columns(block), transposed: weight, addingTo: dx.columns(block))
        }
    }

    /// y of the queries' and the keys' inputs, [positions × d] each, which may be one.
    func forward(
        queries xq: Matrix, keys xk: Matrix, offsets: UnsafePointer<Int32>, sessions: Int, _ pass: Pass
    ) -> Tape {
        let attention = SelfAttention(
            q: project(xq, query, pass), k: project(xk, key, pass), v: project(xk, value, pass), offsets: offsets,
            sessions: sessions, heads: options.heads, scale: scale, excludesSelf: options.blinding)
        let joined = pass.matrix(rows: xq.rows, columns: width)
        let kept = pass.matrix(rows: 1, columns: attention.keptCount).base
        let y = output == nil ? joined : pass.matrix(rows: xq.rows, columns: width)
        pass.arena.scratch {
            let scratch = pass.matrix(rows: 1, columns: attention.scratchCount).base
            attention.forward(into: joined, kept: kept, scratch: scratch)
        }
        if let output { gemm(joined, pass.parameters[output], into: y) }
        return Tape(y: y, attention: attention, kept: kept, joined: joined)
    }

    /// Gradients by both inputs, added (to the same matrix where they are one); those of the parameters too.
    func backward(
        _ dy: Matrix, _ tape: Tape, queries xq: Matrix, keys xk: Matrix, addingTo dxq: Matrix, _ dxk: Matrix,
        _ pass: Pass
    ) {
        var dJoined = dy
        if let output {
            gemm(transposed: tape.joined, dy, addingTo: pass.gradient[output])
            dJoined = pass.matrix(rows: dy.rows, columns: width)
            gemm(dy, transposed: pass.parameters[output], into: dJoined)
        }
        func fresh() -> Matrix { pass.matrix(rows: dy.rows, columns: width) }
        let (dq, dk, dv) = (fresh(), fresh(), fresh())
        pass.arena.scratch {
            let scratch = pass.matrix(rows: 1, columns: tape.attention.scratchCount).base
            tape.attention.backward(dJoined, kept: tape.kept, scratch: scratch, into: dq, dk, dv)
        }
        projectBackward(dq, xq, query, addingTo: dxq, pass)
        projectBackward(dk, xk, key, addingTo: dxk, pass)
        projectBackward(dv, xk, value, addingTo: dxk, pass)
    }
}
