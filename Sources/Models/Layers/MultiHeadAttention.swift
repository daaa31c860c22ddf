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

    private let query, key, value: Slot
    private let output: Dense?
    private let options: Transformer.Options
    private let width: Int

    /// Declares "<name>.query.weight", "<name>.key.weight", "<name>.value.weight" and "<name>.output.weight".
    init(
        _ name: String, width: Int, _ options: Transformer.Options, in layout: inout ParameterLayout,
        initial: DenseInitial = .glorotUniform
    ) {
        precondition(width % options.heads == 0, "heads divide the width")
        let columns = options.projections == .full ? width : width / options.heads
        func declare(_ part: String, _ columns: Int) -> Slot {
            layout.matrix("\(name).\(part).weight", rows: width, columns: columns, initial: initial)
        }
        (query, key, value) = (declare("query", columns), declare("key", columns), declare("value", columns))
        output = options.output ? Dense(weight: declare("output", width), bias: .none) : nil
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

    private func project(_ x: Variable, _ slot: Slot, _ pass: Pass) -> Matrix {
        let y = pass.matrix(rows: x.value.rows, columns: width)
        eachBlock { block in
            gemm(x.value.columns(block), pass.parameters[slot].rows(block), into: y.columns(block))
        }
        return y
    }

    private func projectBackward(_ dy: Matrix, _ x: Variable, _ slot: Slot, _ pass: Pass) {
        guard let dx = x.gradient else { return }
        eachBlock { block in
            let (weight, slope) = (pass.parameters[slot].rows(block), pass.gradient[slot].rows(block))
            gemm(transposed: x.value.columns(block), dy.columns(block), addingTo: slope)
            gemm(dy.columns(block), transposed: weight, addingTo: dx.columns(block))
        }
    }

    /// Hands y to `above`, [positions × d] as the queries' and the keys' inputs are, which may be one; their gradients are
    /// added.
    func run(
        queries xq: Variable, keys xk: Variable, offsets: UnsafePointer<Int32>, sessions: Int, _ pass: Pass,
        _ above: Above
    ) {
        let attention = SelfAttention(
            q: project(xq, query, pass), k: project(xk, key, pass), v: project(xk, value, pass), offsets: offsets,
            sessions: sessions, heads: options.heads, scale: scale, excludesSelf: options.blinding)
        let joined = pass.matrix(like: attention.q)
        let kept = pass.matrix(rows: 1, columns: attention.keptCount).base
        let scratch = pass.matrix(rows: 1, columns: attention.scratchCount).base
        attention.forward(into: joined, kept: kept, scratch: scratch)
        guard let dJoined = output.run(joined, pass, above) else { return }
        let (dq, dk, dv) = (pass.matrix(like: joined), pass.matrix(like: joined), pass.matrix(like: joined))
        attention.backward(dJoined, kept: kept, scratch: scratch, into: dq, dk, dv)
        projectBackward(dq, xq, query, pass)
        projectBackward(dk, xk, key, pass)
        projectBackward(dv, xk, value, pass)
    }
}
