import Kernels
import Tensors

/// The activation of a hidden layer: PReLU, Dice (DIN, equation 3), its frozen variant, the logistic function, ReLU or leaky ReLU.
struct Activation: Sendable {
    /// Which function.
    enum Kind: String, Choice {
        /// x, or α·x where x ≤ 0.
        case prelu
        /// p·x + (1 − p)·α·x, p = σ((x − mean)/√(variance + 1e-8)), statistics over valid rows.
        case dice
        /// p = σ(β·x/√1.001): what the public code computes, whose statistics never move.
        case diceConstant = "dice_constant"
        /// 1 / (1 + e⁻ˣ).
        case sigmoid
        /// max(x, 0).
        case relu
        /// x, or 0.01·x where x ≤ 0.
        case leakyRelu = "leaky_relu"
    }

    /// What backward needs; `y` is the result.
    struct Tape: BitwiseCopyable {
        /// The output.
        let y: Matrix
        let x: Matrix
        let p: Matrix
        let scale: Matrix
        let shift: Matrix
        let mean: Matrix
        let variance: Matrix
    }

    private static let constantScale = 1 / (1.001 as Float).squareRoot()
    private let kind: Kind
    private let alpha: Slot
    private let beta: Slot
    private let statistics: RowStatistics?

    /// Declares `<name>.alpha`, `<name>.beta` and running statistics as far as the kind has them.
    ///
    /// - Parameter slope: where the α of PReLU starts; that of Dice starts at 0.
    init(_ name: String, width: Int, kind: Kind, in layout: inout ParameterLayout, slope: Float = 0.1) {
        self.kind = kind
        let none = Slot(offset: 0, rows: 0, columns: 0)
        switch kind {
        case .prelu: alpha = layout.matrix(name + ".alpha", rows: 1, columns: width, initial: .constant(slope))
        case .dice, .diceConstant:
            alpha = layout.matrix(name + ".alpha", rows: 1, columns: width, initial: .constant(0))
        case .sigmoid, .relu, .leakyRelu: alpha = none
        }
        beta =
            kind == .diceConstant
            ? layout.matrix(name + ".beta", rows: 1, columns: width, initial: .constant(0)) : none
        statistics = kind == .dice ? RowStatistics(name, columns: width, in: &layout) : nil
    }

    /// y of x.
    func forward(_ x: Matrix, _ pass: Pass) -> Tape {
        let y = pass.matrix(rows: x.rows, columns: x.columns)
        switch kind {
        case .prelu: prelu(x, alpha: pass.parameters[alpha], into: y)
        case .sigmoid: logistic(x, into: y)
        case .relu: relu(x, into: y)
        case .leakyRelu: prelu(x, alpha: leak(x.columns, pass), into: y)
        case .dice, .diceConstant: return dice(x, into: y, pass)
        }
        return Tape(y: y, x: x, p: y, scale: y, shift: y, mean: y, variance: y)
    }

    /// The slope of leaky ReLU for every column.
    private func leak(_ columns: Int, _ pass: Pass) -> Matrix {
        let alpha = pass.matrix(rows: 1, columns: columns)
        alpha.base.update(repeating: 0.01, count: columns)
        return alpha
    }

    private func dice(_ x: Matrix, into y: Matrix, _ pass: Pass) -> Tape {
        let scale = pass.matrix(rows: 1, columns: x.columns)
        let shift = pass.zeros(rows: 1, columns: x.columns)
        var (mean, variance) = (shift, shift)
        if let statistics {
            (mean, variance) = statistics.values(of: x, pass)
            inverseRoots(of: variance, epsilon: 1e-8, into: scale)
            multiply(mean, scale, into: shift)
        } else {
            let b = pass.parameters[beta]
            for column in 0..<x.columns { scale[0, column] = b[0, column] * Activation.constantScale }
        }
        let p = pass.matrix(rows: x.rows, columns: x.columns)
        Kernels.dice(x, alpha: pass.parameters[alpha], scale: scale, shift: shift, p: p, into: y)
        return Tape(y: y, x: x, p: p, scale: scale, shift: shift, mean: mean, variance: variance)
    }

    /// dx of dy; gradients of α and β are added, running statistics reported.
    func backward(_ dy: Matrix, _ tape: Tape, _ pass: Pass) -> Matrix {
        let dx = pass.matrix(rows: dy.rows, columns: dy.columns)
        switch kind {
        case .prelu:
            preluBackward(dy, tape.x, alpha: pass.parameters[alpha], addingTo: pass.gradient[alpha], into: dx)
        case .sigmoid: logisticBackward(dy, output: tape.y, into: dx)
        case .relu: reluBackward(dy, output: tape.y, into: dx)
        case .leakyRelu:
            // The slope is fixed: what reaches it goes nowhere.
            let dSlope = pass.zeros(rows: 1, columns: dy.columns)
            preluBackward(dy, tape.x, alpha: leak(dy.columns, pass), addingTo: dSlope, into: dx)
        case .dice, .diceConstant:
            diceBackward(
                dy, tape.x, p: tape.p, alpha: pass.parameters[alpha], scale: tape.scale, shift: tape.shift,
                ofRows: kind == .dice, addingTo: pass.gradient[alpha], into: dx)
        }
        if kind == .diceConstant {
            let dScale = pass.zeros(rows: 1, columns: dy.columns)
            diceScaleBackward(dy, tape.x, p: tape.p, alpha: pass.parameters[alpha], addingTo: dScale)
            add(dScale, times: Activation.constantScale, to: pass.gradient[beta])
        }
        statistics?.report(tape.mean, tape.variance, pass)
        return dx
    }
}
