import Kernels
import Tensors

/// The activation of a hidden layer: PReLU, Dice (DIN, equation 3), its frozen variant, the logistic function, ReLU or leaky ReLU.
struct Activation: Layer {
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
        let start: Float? =
            switch kind {
            case .prelu: slope
            case .dice, .diceConstant: 0
            case .sigmoid, .relu, .leakyRelu: nil
            }
        alpha = layout.matrix(
            name + ".alpha", rows: 1, columns: width, initial: .constant(start ?? 0), if: start != nil)
        beta = layout.matrix(
            name + ".beta", rows: 1, columns: width, initial: .constant(0), if: kind == .diceConstant)
        statistics = kind == .dice ? RowStatistics(name, columns: width, in: &layout) : nil
    }

    func run(_ x: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        let y = pass.matrix(like: x)
        var slope = pass.parameters[alpha]
        switch kind {
        case .dice, .diceConstant: return dice(x, into: y, pass, above)
        case .sigmoid: logistic(x, into: y)
        case .relu: relu(x, into: y)
        case .leakyRelu:
            slope = pass.matrix(rows: 1, columns: x.columns)
            slope.base.update(repeating: 0.01, count: x.columns)
            fallthrough
        case .prelu: prelu(x, alpha: slope, into: y)
        }
        guard let dy = above(y) else { return nil }
        let dx = pass.matrix(like: dy)
        switch kind {
        case .sigmoid: logisticBackward(dy, output: y, into: dx)
        case .relu: reluBackward(dy, output: y, into: dx)
        case .prelu, .leakyRelu, .dice, .diceConstant:
            // Dice has answered above. The slope of leaky ReLU is fixed: what reaches it goes nowhere.
            let dSlope = kind == .prelu ? pass.gradient[alpha] : pass.zeros(rows: 1, columns: dy.columns)
            preluBackward(dy, x, alpha: slope, addingTo: dSlope, into: dx)
        }
        return dx
    }

    private func dice(_ x: Matrix, into y: Matrix, _ pass: Pass, _ above: Above) -> Matrix? {
        let scale = pass.matrix(rows: 1, columns: x.columns)
        let shift = pass.zeros(rows: 1, columns: x.columns)
        let moments = statistics?.values(of: x, pass)
        if let moments {
            inverseRoots(of: moments.variance, epsilon: 1e-8, into: scale)
            multiply(moments.mean, scale, into: shift)
        } else {
            let b = pass.parameters[beta]
            for column in 0..<x.columns { scale[0, column] = b[0, column] * Activation.constantScale }
        }
        let p = pass.matrix(like: x)
        Kernels.dice(x, alpha: pass.parameters[alpha], scale: scale, shift: shift, p: p, into: y)
        guard let dy = above(y) else { return nil }
        let dx = pass.matrix(like: dy)
        diceBackward(
            dy, x, p: p, alpha: pass.parameters[alpha], scale: scale, shift: shift, ofRows: kind == .dice,
            addingTo: pass.gradient[alpha], into: dx)
        if let moments {
            statistics?.report(moments, pass)
        } else {
            let dScale = pass.zeros(rows: 1, columns: dy.columns)
            diceScaleBackward(dy, x, p: p, alpha: pass.parameters[alpha], addingTo: dScale)
            add(dScale, times: Activation.constantScale, to: pass.gradient[beta])
        }
        return dx
    }
}
