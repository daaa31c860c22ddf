import Kernels
import Tensors

/// What a behavior's place in its session, and the session's place among the newest, add to its vector (DSIN, 3.2).
///
/// Sessions are counted from the newest, k = 0; positions from the oldest kept behavior of the session, t = 0. `bias` is
/// the paper's equation 2: BE(k, t, c) = wK_k + wT_t + wC_c, one number for each session, each position and each unit.
struct PositionEncoding: Sendable {
    /// Which encoding.
    enum Kind: String, Choice {
        /// x + wK_k + wT_t + wC_c (the paper's bias encoding).
        case bias
        /// x + a trained vector for k + a trained vector for t.
        case sessionVector = "session_vector"
        /// x + the sinusoids of t (Vaswani and others 2017, 3.5).
        case sinusoid
        /// x + √d·table_t, one table for queries and one for keys, trained from the sinusoids (the public code's DSIN-PE).
        case sinusoidTrained = "sinusoid_trained"
        /// x.
        case none
    }

    private let kind: Kind
    private let session, behavior, unit: Slot
    private let width: Int
    private let length: Int

    /// Declares "<name>.session", "<name>.behavior" and "<name>.unit", or "<name>.query" and "<name>.key", as far as the
    /// kind has them, for at most `sessions` sessions of at most `length` behaviors.
    init(_ name: String, kind: Kind, width: Int, sessions: Int, length: Int, in layout: inout ParameterLayout) {
        self.kind = kind
        self.width = width
        self.length = length
        func declare(_ part: String, _ rows: Int, _ columns: Int, _ initial: DenseInitial) -> Slot {
            layout.matrix("\(name).\(part)", rows: rows, columns: columns, initial: initial)
        }
        let small = DenseInitial.normal(deviation: 1e-4)
        switch kind {
        case .bias:
            session = declare("session", 1, sessions, small)
            behavior = declare("behavior", 1, length, small)
            unit = declare("unit", 1, width, small)
        case .sessionVector:
            session = declare("session", sessions, width, small)
            behavior = declare("behavior", length, width, small)
            unit = .none
        case .sinusoidTrained:
            session = declare("query", length, width, .sinusoid)
            behavior = declare("key", length, width, .sinusoid)
            unit = .none
        case .sinusoid, .none: (session, behavior, unit) = (.none, .none, .none)
        }
    }

    /// Calls `body` with every position, its session counted from the newest of its history, and its place in it.
    private func walk(_ sessions: Sessions, _ body: (_ position: Int, _ k: Int, _ t: Int) -> Void) {
        for history in 0..<sessions.histories {
            let (first, end) = (Int(sessions.ofHistory[history]), Int(sessions.ofHistory[history + 1]))
            for number in first..<end {
                let begin = Int(sessions.offsets[number])
                for position in begin..<Int(sessions.offsets[number + 1]) {
                    body(position, end - 1 - number, position - begin)
                }
            }
        }
    }

    /// The inputs of queries and of keys, [positions × d]; one matrix unless their tables differ.
    func forward(_ x: Matrix, _ sessions: Sessions, _ pass: Pass) -> (queries: Matrix, keys: Matrix) {
        guard kind != .none else { return (x, x) }
        let queries = pass.matrix(rows: x.rows, columns: width)
        copy(x, into: queries)
        var keys = queries
        switch kind {
        case .none: break
        case .bias:
            let (k, t, c) = (pass.parameters[session].base, pass.parameters[behavior].base, pass.parameters[unit].base)
            walk(sessions) { position, number, place in
                let (row, scalar) = (queries[position], k[number] + t[place])
                for column in 0..<width { row[column] += scalar + c[column] }
            }
        case .sinusoid:
            let table = pass.matrix(rows: length, columns: width)
            for place in 0..<length { fillSinusoid(table[place], position: place, count: width) }
            walk(sessions) { position, _, place in add(table[place], times: 1, to: queries[position]) }
        case .sessionVector, .sinusoidTrained:
            if isSplit {
                keys = pass.matrix(rows: x.rows, columns: width)
                copy(x, into: keys)
            }
            walk(sessions) { position, number, place in
                add(pass.parameters[session][isSplit ? place : number], times: factor, to: queries[position])
                add(pass.parameters[behavior][place], times: factor, to: keys[position])
            }
        }
        return (queries, keys)
    }

    /// What the trained vectors are multiplied by.
    private var factor: Float { isSplit ? Float(width).squareRoot() : 1 }

    private func add(_ from: UnsafePointer<Float>, times factor: Float, to row: UnsafeMutablePointer<Float>) {
        for column in 0..<width { row[column] += factor * from[column] }
    }

    /// Gradients of the encoding's parameters, added; that by x is the sum of the two given, or the one where they are one.
    ///
    /// For `bias`: dwK_k = Σ over its positions and units, dwT_t likewise, dwC_c = Σ over positions.
    func backward(queries dq: Matrix, keys dk: Matrix, _ sessions: Sessions, _ pass: Pass) {
        switch kind {
        case .none, .sinusoid: break
        case .bias:
            let (k, t, c) = (pass.gradient[session].base, pass.gradient[behavior].base, pass.gradient[unit].base)
            walk(sessions) { position, number, place in
                let row = dq[position]
                var sum: Float = 0
                for column in 0..<width {
                    sum += row[column]
                    c[column] += row[column]
                }
                k[number] += sum
                t[place] += sum
            }
        case .sessionVector, .sinusoidTrained:
            walk(sessions) { position, number, place in
                add(dq[position], times: factor, to: pass.gradient[session][isSplit ? place : number])
                add((isSplit ? dk : dq)[position], times: factor, to: pass.gradient[behavior][place])
            }
        }
    }

    /// Whether queries and keys have inputs of their own.
    var isSplit: Bool { kind == .sinusoidTrained }
}

/// The sessions of a micro-batch's distinct histories: views of its columns, which the caller keeps alive.
struct Sessions: @unchecked Sendable {
    /// H.
    let histories: Int
    /// S.
    let count: Int
    /// [S + 1]: where each session begins among the positions.
    let offsets: UnsafePointer<Int32>
    /// [H + 1]: where each history's sessions begin.
    let ofHistory: UnsafePointer<Int32>
}
